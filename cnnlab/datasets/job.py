"""Preparing a data set in a process of its own: downloading and decoding a known one, importing one's own images."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import ClassVar, get_args

from cnnlab import datasets
from cnnlab.datasets.images import Fitting
from cnnlab.datasets.imported import import_images, imported_summary, slug
from cnnlab.datasets.imported.dropped import DROPPED_ARCHIVE, File, write_archive
from cnnlab.datasets.imported.sorting import printable
from cnnlab.datasets.imported.source import IMPORTED_FOLDER
from cnnlab.errors import UserError
from cnnlab.limits import Limits
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job
from cnnlab.storage.leftovers import partials_of
from cnnlab.storage.progress import Progress

FITTINGS: tuple[Fitting, ...] = get_args(Fitting)
UPLOADS = ".uploads"


class PrepareRequest(jobs.Request):
    """Download and decode a known data set."""

    kind: ClassVar[str] = "prepare"
    what: ClassVar[str] = "The preparation"

    name: str

    def work(self, progress: Progress) -> object:
        return datasets.load(self.name, progress)


class ImportRequest(jobs.Request):
    """Import a folder or a zip archive as the data set of that name; an upload is removed afterwards."""

    kind: ClassVar[str] = "import"
    what: ClassVar[str] = "The import"

    name: str
    title: str
    path: Path
    size: int
    fitting: Fitting

    def work(self, progress: Progress) -> object:
        root = datasets.data_root()
        try:
            return import_images(
                self.path, root / IMPORTED_FOLDER / self.name, self.name, self.title, self.size, self.fitting, progress
            )
        finally:
            if self.path.parent.parent == root / IMPORTED_FOLDER / UPLOADS:
                shutil.rmtree(self.path.parent, ignore_errors=True)


def jobs_folder(root: Path) -> Path:
    return root / "decoded" / ".jobs"


def preparing(name: str) -> Job:
    """The job that downloads and decodes a known data set."""
    root = datasets.data_root()
    return Job(jobs_folder(root) / name, PrepareRequest(name=name))


def importing(title: str, path: Path, size: int, fitting: Fitting) -> Job:
    """The job that imports a folder or a zip archive as a data set of that title.

    Raises UserError where the title makes no name, or one that is taken.
    """
    name = free_name(title)
    if "\0" in str(path):
        raise UserError(f"There is no file {str(path)!r}: no name of a file holds a NUL character.")
    wanted = ImportRequest(name=name, title=printable(title), path=path, size=size, fitting=fitting)
    return Job(jobs_folder(datasets.data_root()) / f"import-{name}", wanted)


def free_name(title: str) -> str:
    name = slug(title)
    if name in datasets.SOURCES or imported_summary(datasets.data_root(), name):
        raise UserError(f"There is a data set {name!r} already; choose another name, or remove that one first.")
    return name


def imports_under_way() -> list[Job]:
    """Imports that are at work or have failed."""
    folders = sorted(jobs_folder(datasets.data_root()).glob(f"import-*/{jobs.PROGRESS_FILE}"))
    return [Job(path.parent) for path in folders]


def keep_upload(title: str, name: str, data: bytes) -> Path:
    """Put the archive uploaded for an import on disk, where its job finds and removes it; UserError where there is no
    room, or the title is taken."""
    return kept(title, printable(name.replace("/", " ").replace("\\", " ")), lambda path: path.write_bytes(data))


def keep_dropped(title: str, files: Iterable[File]) -> Path:
    """The same for files that were dropped one by one or as a folder."""
    limits = Limits.from_environment()
    return kept(title, DROPPED_ARCHIVE, lambda path: write_archive(path, files, limits))


def kept(title: str, name: str, write: Callable[[Path], object]) -> Path:
    folder = datasets.data_root() / IMPORTED_FOLDER / UPLOADS / free_name(title)
    path = folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(path)
    except UserError:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise UserError(f"The upload cannot be kept in {folder}: {error.strerror}.") from error
    return path


def forget(job: Job) -> None:
    """Cancel a preparation or an import, and remove what it had written."""
    job.cancel()
    root, name = datasets.data_root(), job.folder.name
    if name.startswith("import-"):
        name = name.removeprefix("import-")
        left = [*partials_of(root / IMPORTED_FOLDER / name), root / IMPORTED_FOLDER / UPLOADS / name]
    else:
        forms = (name, f"{name}-images", f"{name}-batches")
        left = [path for form in forms for path in partials_of(root / "decoded" / form)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
