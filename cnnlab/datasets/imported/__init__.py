"""One's own images as a data set: a folder for each class, on the server's disk or in a zip archive."""

from cnnlab.datasets.imported.dropped import DroppedClass, sorted_files
from cnnlab.datasets.imported.importing import ImportReport, LeftOut, import_images
from cnnlab.datasets.imported.source import imported_sources, imported_summary, read_report, remove, slug
from cnnlab.datasets.imported.subset import make_subset

__all__ = [
    "DroppedClass",
    "ImportReport",
    "LeftOut",
    "import_images",
    "imported_sources",
    "imported_summary",
    "make_subset",
    "read_report",
    "remove",
    "slug",
    "sorted_files",
]
