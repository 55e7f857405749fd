"""Preparing a data set in a process of its own: downloading and decoding a known one, importing one's own images."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import get_args

from cnnlab import datasets
from cnnlab.datasets.images import Fitting
from cnnlab.datasets.own import import_images, own_summary, slug
from cnnlab.datasets.own.dropped import ARCHIVE, File, write_archive
from cnnlab.datasets.own.sorting import printable
from cnnlab.datasets.own.source import FOLDER
from cnnlab.datasets.progress import Progress
from cnnlab.errors import UserError
from cnnlab.limits import Limits
from cnnlab.storage import jobs
from cnnlab.storage.jobs import Job
from cnnlab.storage.leftovers import partials_of

FITTINGS: tuple[Fitting, ...] = get_args(Fitting)
UPLOADS = ".uploads"


def jobs_folder(root: Path) -> Path:
    return root / "decoded" / ".jobs"


def preparing(name: str) -> Job:
    """The job that downloads and decodes a known data set."""
    root = datasets.data_root()
    return Job(jobs_folder(root) / name, ("cnnlab.datasets", "prepare", name))


def importing(title: str, path: Path, size: int, fitting: Fitting) -> Job:
    """The job that imports a folder or a zip archive as a data set of that title.

    Raises UserError where the title makes no name, or one that is taken.
    """
    name = free_name(title)
    if "\0" in str(path):
        raise UserError(f"There is no file {str(path)!r}: no name of a file holds a NUL character.")
    # "--": what begins with a hyphen is no option
    arguments = ("cnnlab.datasets", "import", "--", name, printable(title), str(path), str(size), fitting)
    return Job(jobs_folder(datasets.data_root()) / f"import-{name}", arguments)


def free_name(title: str) -> str:
    name = slug(title)
    if name in datasets.SOURCES or own_summary(datasets.data_root(), name):
        raise UserError(f"There is a data set {name!r} already; choose another name, or remove that one first.")
    return name


def imports_under_way() -> list[Job]:
    """Imports that are at work or have failed."""
    folders = sorted(jobs_folder(datasets.data_root()).glob(f"import-*/{jobs.PROGRESS_FILE}"))
    return [Job(path.parent, ()) for path in folders]


def keep_upload(title: str, name: str, data: bytes) -> Path:
    """Put the archive uploaded for an import on disk, where its job finds and removes it; UserError where there is no
    room, or the title is taken."""
    return kept(title, printable(name.replace("/", " ").replace("\\", " ")), lambda path: path.write_bytes(data))


def keep_dropped(title: str, files: Iterable[File]) -> Path:
    """The same for files that were dropped one by one or as a folder."""
    limits = Limits.from_environment()
    return kept(title, ARCHIVE, lambda path: write_archive(path, files, limits))


def kept(title: str, name: str, write: Callable[[Path], object]) -> Path:
    folder = datasets.data_root() / FOLDER / UPLOADS / free_name(title)
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


def main(words: list[str]) -> int:
    """The process itself."""
    parser = argparse.ArgumentParser(prog="python -m cnnlab.datasets")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("prepare").add_argument("name")
    imports = kinds.add_parser("import")
    for word in ("name", "title", "path", "size", "fitting"):
        imports.add_argument(word)
    given = parser.parse_args(words)
    root = datasets.data_root()
    if given.kind == "prepare":
        return jobs.work(
            jobs_folder(root) / given.name, lambda tell: datasets.load(given.name, tell), "The preparation"
        )
    path = Path(given.path)

    def do(progress: Progress) -> None:
        try:
            import_images(
                path, root / FOLDER / given.name, given.name, given.title, int(given.size), given.fitting, progress
            )
        finally:
            if path.parent.parent == root / FOLDER / UPLOADS:
                shutil.rmtree(path.parent, ignore_errors=True)

    return jobs.work(jobs_folder(root) / f"import-{given.name}", do, "The import")


def forget(job: Job) -> None:
    """Cancel a preparation or an import, and remove what it had written."""
    job.cancel()
    root, name = datasets.data_root(), job.folder.name
    if name.startswith("import-"):
        name = name.removeprefix("import-")
        left = [*partials_of(root / FOLDER / name), root / FOLDER / UPLOADS / name]
    else:
        forms = (name, f"{name}-images", f"{name}-batches")
        left = [path for form in forms for path in partials_of(root / "decoded" / form)]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
