"""A damaged run is there, says what of it is damaged and what can still be done, and can be deleted."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import runs
from cnnlab.errors import UserError
from cnnlab.inference.classifier import load_classifier
from cnnlab.runs import actions, health
from cnnlab.runs.run import Run
from tests.conftest import PROJECT, TRAINED_EPOCHS

RUBBISH = b"\xff\xfe\x00garbage\n" * 50
Spoil = Callable[[Path], object]


def overwritten(path: Path) -> object:
    return path.write_bytes(RUBBISH)


def cut(path: Path) -> object:
    return path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def emptied(path: Path) -> object:
    return path.write_bytes(b"")


def gone(path: Path) -> object:
    return shutil.rmtree(path) if path.is_dir() else path.unlink()


def of_wrong_types(path: Path) -> object:
    return path.write_text('{"epoch": "one", "step": null, "loss": []}\n' * TRAINED_EPOCHS)


def torn_in_the_middle(path: Path) -> object:
    lines = path.read_bytes().splitlines(keepends=True)
    return path.write_bytes(b"".join([*lines[:1], lines[1][:20] + b"\n", *lines[2:]]))


@pytest.fixture
def run(trained_run: Run, runs_dir: Path) -> Run:
    shutil.copytree(trained_run.folder, runs_dir / "another-20260101-000000")
    return Run(Path(shutil.copytree(trained_run.folder, runs_dir / trained_run.id)))


CASES: list[tuple[str, Spoil, str]] = [
    *(("config.json", spoil, "settings are not known") for spoil in (overwritten, cut, emptied, gone)),
    *(("network.json", spoil, "trains the same anew") for spoil in (overwritten, cut, emptied, gone)),
    *(("data.json", spoil, "trains the same anew") for spoil in (overwritten, cut, gone)),
    *(("status.json", spoil, "goes on from the last one") for spoil in (overwritten, cut, gone)),
    ("labels.json", overwritten, "name it anew"),
    *(
        ("history.jsonl", spoil, f"of {TRAINED_EPOCHS} are lost")
        for spoil in (overwritten, emptied, gone, of_wrong_types)
    ),
    ("history.jsonl", torn_in_the_middle, "the figures of 1 are lost"),
    *(("steps.jsonl", spoil, "curves within its epochs") for spoil in (overwritten, gone, of_wrong_types)),
    *(("model.weights.h5", spoil, "weights are missing or cut off") for spoil in (overwritten, cut, emptied, gone)),
    *(("checkpoint.json", spoil, "checkpoint.json cannot be read") for spoil in (overwritten, cut, gone)),
    *(("state.npz", spoil, "but not trained on from") for spoil in (overwritten, cut, gone)),
    ("checkpoints", gone, "no checkpoint that can be used"),
]


def spoilt(run: Run, name: str, spoil: Spoil) -> Run:
    """The run with a file damaged; of those of its checkpoints, all of that name."""
    found = [run.folder / name] if not name.endswith((".h5", ".npz", "point.json")) else []
    for path in found or sorted(run.folder.glob(f"checkpoints/*/{name}")):
        if name == "labels.json":
            run.relabel(name="mine")
        spoil(path)
    return Run(run.folder)


@pytest.mark.parametrize(("name", "spoil", "said"), CASES)
def test_what_is_damaged_is_said_with_what_can_still_be_done(
    run: Run, runs_dir: Path, call: Any, name: str, spoil: Spoil, said: str
) -> None:
    assert health.problems(run, closely=True) == []
    assert [item["problems"] for item in runs.summaries(runs_dir)] == [(), ()]
    damaged = spoilt(run, name, spoil)
    found = health.problems(damaged, closely=True)
    assert said in " ".join(map(str, found)).lower()
    mine, other = runs.find(run.id, runs_dir), runs.find("another", runs_dir)
    assert mine.id == run.id
    assert health.problems(other, closely=True) == []
    listed = {item["id"]: item for item in runs.summaries(runs_dir)}
    assert set(listed) == {run.id, other.id}
    assert listed[run.id]["epochs_done"] == TRAINED_EPOCHS
    where = ("--runs-dir", str(runs_dir))
    shown = call("show", run.id, *where)
    assert shown.code == 0
    assert "damaged: " in shown.out
    assert call("show", run.id, "--json", *where).json()["problems"]
    if name != "steps.jsonl":  # the list looks at what it costs little to look at
        assert listed[run.id]["problems"]
        text = call("runs", *where)
        (line,) = [line for line in text.out.splitlines() if line.startswith(run.id)]
        assert ", damaged" in line
        assert run.id in text.err
    if name in health.NEEDED or name == "model.weights.h5":
        assert not listed[run.id]["usable"]
    assert call("delete", run.id, *where).code == 0
    assert [one.id for one in actions.trashed(runs_dir)] == [run.id]
    assert call("trash", "--restore", run.id, *where).code == 0
    assert runs.find(run.id, runs_dir).folder.exists()
    call("delete", run.id, *where)
    assert call("trash", "--empty", *where).out.startswith("1 run ")


def test_the_best_checkpoint_is_one_that_is_whole(run: Run) -> None:
    best = run.checkpoint("best")
    later = best.folder.with_name("step-00099999")
    shutil.copytree(best.folder, later)
    (later / "checkpoint.json").write_text(
        best.info.model_copy(update={"step": 99_999, "epoch": 9.0, "validation_accuracy": 1.0}).model_dump_json()
    )
    assert run.checkpoint("best").info.step == 99_999
    cut(later / "model.weights.h5")
    assert run.checkpoint("best").info.step == best.info.step
    assert load_classifier(run).checkpoint.info.step == best.info.step
    (problem,) = health.problems(run)
    assert "step-00099999" in str(problem)
    assert f"after epoch {best.info.epoch:g} is whole" in str(problem)


def test_a_training_killed_before_it_wrote_its_epochs_line_is_not_damaged(run: Run) -> None:
    history = run.folder / "history.jsonl"
    history.write_bytes(b"".join(history.read_bytes().splitlines(keepends=True)[:-1]) + b'{"epoch": 3, "lo')
    run.write_status(run.status().model_copy(update={"state": "running"}))
    (run.folder / "process.json").unlink()
    os.utime(run.folder / "launcher.json", (0, 0))  # submitted long ago, not a moment ago
    assert run.status().state == "interrupted"
    assert health.problems(run, closely=True) == []


def test_a_figure_that_is_no_number_loses_no_line(tmp_path: Path) -> None:
    from cnnlab.storage.files import append_record, read_records

    append_record(tmp_path / "history.jsonl", {"epoch": 1, "gradient_norm": float("inf")})
    assert read_records(tmp_path / "history.jsonl", "epoch") == [{"epoch": 1, "gradient_norm": None}]


def page(name: str, monkeypatch: pytest.MonkeyPatch, runs_dir: Path, **query: str) -> AppTest:
    """A page of the app over these runs, with no data."""
    monkeypatch.setenv("CNNLAB_RUNS", str(runs_dir))
    monkeypatch.setenv("CNNLAB_DATA", str(runs_dir.parent / "data"))
    app = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=120).run()
    app.switch_page(f"pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def says(app: AppTest, words: str) -> bool:
    """Whether a warning holds these words; a person's text stands there escaped."""
    return any(words in warning.value.replace("\\", "").replace("\u2060", "") for warning in app.warning)


@pytest.mark.parametrize(("name", "spoil"), [("config.json", overwritten), ("history.jsonl", overwritten)])
def test_its_page_and_the_list_say_it(
    run: Run, runs_dir: Path, monkeypatch: pytest.MonkeyPatch, name: str, spoil: Spoil
) -> None:
    spoilt(run, name, spoil)
    app = page("run", monkeypatch, runs_dir, run=run.id)
    assert says(app, name)
    assert not any(metric.value == f"0 of {TRAINED_EPOCHS}" for metric in app.metric)
    app = page("runs", monkeypatch, runs_dir)
    assert sorted(app.dataframe[0].value["State"]) == ["completed", "completed, damaged"]
    assert says(app, name)
    if name == "config.json":
        app = page("run", monkeypatch, runs_dir, run=run.id)
        next(button for button in app.button if button.label == "Move to the trash").click().run()
        with pytest.raises(UserError):
            runs.find(run.id, runs_dir)
