"""What was seen of the course and solved in it, on this computer: `course/progress.json` under the data root."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from cnnlab import datasets
from cnnlab.lecture.course.chapter import Chapter
from cnnlab.storage.files import write_text

COURSE_FOLDER, PROGRESS_FILE = "course", "progress.json"


class CourseProgress(BaseModel):
    """By chapter the numbers of the steps that were seen, and the names of the exercises that were solved."""

    seen: dict[str, set[int]] = {}
    solved: dict[str, set[str]] = {}

    def steps_seen(self, chapter: Chapter) -> int:
        return len(self.seen.get(chapter.name, set()) & set(range(1, len(chapter.steps) + 1)))

    def exercises_solved(self, chapter: Chapter) -> int:
        return len(self.solved.get(chapter.name, set()) & {one.name for one in chapter.exercises})


def progress_file() -> Path:
    return datasets.data_root() / COURSE_FOLDER / PROGRESS_FILE


def read_progress() -> CourseProgress:
    """What was kept; nothing where there is no file, or none that can be read."""
    try:
        return CourseProgress.model_validate_json(progress_file().read_bytes())
    except (OSError, ValidationError):
        return CourseProgress()


def keep_step(chapter: str, step: int) -> None:
    progress = read_progress()
    if step not in progress.seen.setdefault(chapter, set()):
        progress.seen[chapter].add(step)
        _write(progress)


def keep_solved(chapter: str, exercise: str) -> None:
    progress = read_progress()
    if exercise not in progress.solved.setdefault(chapter, set()):
        progress.solved[chapter].add(exercise)
        _write(progress)


def forget_progress() -> None:
    with suppress(OSError):
        progress_file().unlink(missing_ok=True)


def _write(progress: CourseProgress) -> None:
    """A course can be read where nothing can be written."""
    with suppress(OSError):
        progress_file().parent.mkdir(parents=True, exist_ok=True)
        write_text(progress_file(), progress.model_dump_json(), lasting=False)
