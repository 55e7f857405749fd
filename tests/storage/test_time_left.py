"""How long something still takes: said once it is known, and then nearly so. The sequences were recorded on a busy
machine: an export to ONNX, the decoding of CIFAR-10, and MiniVGGNet on the digits at 32x32 for 12 epochs.
"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cnnlab.storage.jobs import PROGRESS_SECONDS, Job, JobProgress, Remaining, work
from cnnlab.training.pace import Pace, beside_an_epoch

RECORDED: dict[str, list[Any]] = json.loads((Path(__file__).parent / "recorded_progress.json").read_text())
END = "end"


def said_of(name: str, late: float = 0.0) -> list[tuple[float, float | None]]:
    """What was truly left, and what was said, at each report of a recorded job; `late` seconds of start-up more."""
    remaining, told, said = Remaining(), -1.0, []
    over = max(time for time, fraction in RECORDED[name] if isinstance(fraction, float))
    for time, fraction in RECORDED[name]:
        if fraction != END and time - told > PROGRESS_SECONDS:
            told = time
            said.append((over - time, remaining.after(time + late, fraction)))
    return said


def test_of_an_exports_few_stages_no_time_is_concluded() -> None:
    assert len(said_of("export")) == 4
    assert all(left is None for _, left in said_of("export"))


@pytest.mark.parametrize("late", [0.0, 60.0])
def test_of_a_decoding_it_is_said_after_its_beginning_and_whatever_its_start_took(late: float) -> None:
    said = said_of("decode", late)
    assert all(left is None for _, left in said[:6])
    known = [(truth, left) for truth, left in said if left is not None]
    assert len(known) > 0.8 * len(said)
    assert all(left < 2 * truth + 1 for truth, left in known), "never twice as long"
    assert all(left > truth / 1.5 - 1 for truth, left in known)
    lefts = [left for _, left in known]
    assert sum(later > before for before, later in pairwise(lefts)) < len(lefts) / 10, "it falls"


def test_another_piece_of_work_begins_anew() -> None:
    remaining = Remaining()
    for second in range(12):
        last = remaining.after(second, second / 20)
    assert last == pytest.approx(9)
    assert remaining.after(12, 0.0) is None
    assert remaining.after(13, 0.5) is None
    assert remaining.after(14, None) is None


def test_what_was_said_runs_down_and_is_then_no_longer_said() -> None:
    progress = JobProgress(fraction=0.5, left=10.0, told=100.0)
    assert progress.seconds_left(104.0) == pytest.approx(6)
    assert progress.seconds_left(111.0) is None
    assert JobProgress(fraction=0.5, told=100.0).seconds_left(101.0) is None
    assert JobProgress(fraction=0.5, left=10.0, told=100.0, failed=True).seconds_left(101.0) is None


def test_a_job_tells_how_long_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    seen: list[float | None] = []

    def do(tell: Any) -> None:
        clock[0] += 30  # loading
        for step in range(11):
            tell("Working", step / 20)
            found = Job(tmp_path / "job").progress()
            assert found is not None
            seen.append(found.left)
            clock[0] += 1

    assert work(tmp_path / "job", do, "It") == 0
    assert seen[:5] == [None] * 5
    assert seen[5:] == [pytest.approx(20 - step) for step in range(5, 11)]


def test_of_a_training_it_is_said_after_some_seconds_of_steps_and_then_nearly_so() -> None:
    """Without the first step, which compiled for six seconds; and with the validations, as long as they are."""
    pace, epochs, beside, done = Pace(), 12, 0.0, 0
    events = RECORDED["training"]
    over, images = events[-1][1], sum(value for kind, _, value in events if kind == "add")
    said: list[tuple[float, float, float | None]] = []
    for kind, time, value in events:
        match kind:
            case "start":
                pace.start()
            case "beside":
                beside, epochs = value, epochs - 1
            case "add":
                done += value
                pace.add(time, value)
                said.append((pace.seconds, over - time, pace.seconds_left(images - done, epochs, beside)))
    assert all(left is None for seconds, _, left in said if seconds < 3)
    known = [(truth, left) for _, truth, left in said if left is not None]
    assert len(known) > 0.8 * len(said)
    assert all(truth / 1.5 - 2 < left < truth * 1.5 + 1 for truth, left in known)


def test_other_images_are_another_speed_and_a_validation_is_no_step() -> None:
    pace = Pace()
    for second in range(10):
        pace.add(second, 100)
    assert pace.rate() == pytest.approx(100)
    pace.start()
    pace.add(50, 100)  # after a validation of 40 s
    pace.add(51, 100)
    assert pace.rate() == pytest.approx(100)
    pace.start(anew=True)
    assert pace.rate() is None
    assert pace.seconds_left(1000, 1, 1.0) is None


def test_the_first_validation_compiles_and_is_not_taken_for_all_others() -> None:
    assert beside_an_epoch(judging=9.0, saving=0.5, validation_images=200, rate=100.0) == 2.5
    assert beside_an_epoch(judging=0.4, saving=0.5, validation_images=200, rate=100.0) == 0.9
    assert beside_an_epoch(judging=9.0, saving=0.5, validation_images=200, rate=None) == 9.5
