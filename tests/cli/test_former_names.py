"""Names of the version before, on the command line and on disk: they do what the new ones do, and say so in a line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from cnnlab import runs
from cnnlab.evaluation import Evaluation
from cnnlab.resources import SHIPPED
from cnnlab.runs.run import Run
from tests.conftest import Output, assert_refused, cnnlab, last_line


@pytest.fixture
def lab(call: Any, runs_dir: Path, no_starts: list[str]) -> Any:
    return lambda *arguments: call(*arguments, "--runs-dir", str(runs_dir))


def assert_noted(output: Output, *names: str) -> None:
    assert output.code == 0, output.err
    assert len(output.err.splitlines()) == 1, output.err
    assert all(name in output.err for name in names), output.err


def test_a_command_by_its_old_name_prints_what_the_new_one_prints() -> None:
    old, new = cnnlab("recipes", "--json"), cnnlab("presets", "--json")
    assert (old.returncode, old.stdout) == (0, new.stdout)
    assert old.stderr == "cnnlab: recipes is now presets; the old name works in this release and goes with the next.\n"
    assert new.stderr == ""
    assert "recipes" not in cnnlab("--help").stdout


@pytest.mark.parametrize("command", [("train", "--detach"), ("sweep", "--values", "seed=1")])
def test_recipe_still_takes_the_name_of_a_preset(lab: Any, runs_dir: Path, command: tuple[str, ...]) -> None:
    output = lab(*command, "--recipe", "experiment-01", "--in-epochs", "4")
    assert_noted(output, "--recipe experiment-01 is now --preset experiment-01")
    run = runs.find(last_line(output.out), runs_dir)
    assert run.config.experiment.recipe.epochs == 4
    assert run.config.preset == "experiment-01"


def test_a_file_and_a_preset_are_not_taken_together(lab: Any, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text("{}")
    assert_refused(lab("train", "--recipe", str(path), "--preset", "minivggnet"), "mine.json", "minivggnet")


def test_a_recipe_file_may_call_options_switches(lab: Any, runs_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"architecture": "minivggnet", "dataset": "digits", "switches": {"dropout": 0.1}}))
    output = lab("train", "--recipe", str(path), "--detach")
    assert_noted(output, "switches in ", "mine.json is now options")
    assert runs.find(last_line(output.out), runs_dir).config.experiment.options["dropout"] == 0.1


def test_what_scripts_read_stands_under_its_old_keys_too(lab: Any, runs_dir: Path, trained_run: Run) -> None:
    shutil.copytree(trained_run.folder, runs_dir / trained_run.id)
    experiment = lab("show", trained_run.id, "--json").json()["config"]["experiment"]
    assert experiment["switches"] == experiment["options"] == trained_run.config.experiment.options
    assert all(row["own"] == row["imported"] for row in lab("datasets", "--json").json())


def test_evaluations_that_earlier_versions_wrote_are_read() -> None:
    found = sorted(SHIPPED.rglob("evaluation.json"))
    assert found
    for path in found:
        written = json.loads(path.read_text())
        assert Evaluation.model_validate(written).tta == written.get("view", written.get("tta"))


@pytest.mark.slow
def test_view_is_still_an_option_of_evaluate(lab: Any, runs_dir: Path, trained_run: Run) -> None:
    shutil.copytree(trained_run.folder, runs_dir / trained_run.id)
    output = lab("evaluate", trained_run.id, "--view", "mirror", "--json")
    assert_noted(output, "--view is now --tta")
    assert output.json()["tta"] == output.json()["view"] == "mirror"
    assert "--view" not in lab("evaluate", "--help").out
