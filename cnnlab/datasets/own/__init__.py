"""One's own images as a data set: a folder for each class, on the server's disk or in a zip archive."""

from cnnlab.datasets.own.dropped import DroppedClass, sorted_files
from cnnlab.datasets.own.importing import ImportReport, LeftOut, import_images
from cnnlab.datasets.own.source import own_sources, own_summary, read_report, remove, slug
from cnnlab.datasets.own.subset import make_subset

__all__ = [
    "DroppedClass",
    "ImportReport",
    "LeftOut",
    "import_images",
    "make_subset",
    "own_sources",
    "own_summary",
    "read_report",
    "remove",
    "slug",
    "sorted_files",
]
