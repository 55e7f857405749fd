"""What the lecture's networks reach, as data and on the command line; and the studies that come with cnnlab."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnlab.evaluation import evaluations, kept_evaluation
from cnnlab.lecture.results import ingredients, points_text
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import shipped
from cnnlab.zoo.studies import STUDIES, Study, studies
from tests.conftest import Output, assert_refused


def test_the_lectures_figures_stand_beside_the_best_that_was_tested(
    tmp_path: Path, call: Callable[..., Output]
) -> None:
    rows = {row["architecture"]: row for row in call("--runs-dir", str(tmp_path), "results", "--json").json()}
    assert (rows["minivggnet"]["lecture_rank1"], rows["minigooglenet"]["lecture_rank1"]) == (0.82, 0.90)
    assert (rows["deepergooglenet"]["lecture_rank1"], rows["deepergooglenet"]["lecture_rank5"]) == (0.3023, 0.5434)
    kept = kept_evaluation(shipped()["minivggnet-cifar10"])
    assert kept is not None
    assert rows["minivggnet"]["run"] == "minivggnet-cifar10"
    assert rows["minivggnet"]["rank1"] == kept.accuracy
    assert rows["minivggnet"]["measured_on"] == "CIFAR-10 (JPEG)"


def test_the_best_is_chosen_by_validation_and_never_by_the_test_images(
    tmp_path: Path, call: Callable[..., Output]
) -> None:
    mine = tmp_path / "lucky"
    shutil.copytree(shipped()["minivggnet-cifar10"].folder, mine)
    (mine / "config.json").write_text((mine / "config.json").read_text().replace('"minivggnet-cifar10"', '"lucky"'))
    history = [json.loads(line) | {"validation_accuracy": 0.5} for line in (mine / "history.jsonl").open()]
    (mine / "history.jsonl").write_text("".join(json.dumps(epoch) + "\n" for epoch in history))
    for file in mine.glob("evaluations/*/evaluation.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"accuracy": 0.99}))
    kept = kept_evaluation(Run(mine))
    assert kept is not None
    assert kept.accuracy == 0.99
    rows = {row["architecture"]: row for row in call("--runs-dir", str(tmp_path), "results", "--json").json()}
    assert rows["minivggnet"]["run"] == "minivggnet-cifar10"


@pytest.mark.parametrize(("points", "said"), [(None, "–"), (0.5, "+0.5"), (-1.92, "-1.9"), (-0.04, "0.0")])
def test_a_difference_says_its_sign_where_it_has_one(points: float | None, said: str) -> None:
    assert points_text(points) == said


def test_a_study_that_is_not_there_is_refused(call: Callable[..., Output]) -> None:
    assert_refused(call("results", "--study", "nothing"), "'nothing'")


@pytest.fixture(params=sorted(path.parent.name for path in STUDIES.glob("*/study.json")))
def study(request: pytest.FixtureRequest) -> Study:
    return studies()[request.param]


def test_the_trainings_of_a_study_are_whole_and_differ_as_it_says(study: Study) -> None:
    assert len(study.runs) > 1
    titles = [run.labels().name for run in study.runs]
    assert len(set(titles)) == len(titles)
    settings = [run.config.experiment.settings() for run in study.runs]
    for place, run in enumerate(study.runs):
        assert len(run.history()) == run.config.experiment.recipe.epochs == settings[0]["epochs"]
        assert run.status().state == "completed"
        (tested,) = evaluations(run)
        assert tested.images == 10_000
        if place:
            other = settings[place - 1 if study.about.kind == "ladder" else 0]
            assert settings[place] != other
    assert len({(given["seed"], given["validation_fraction"], given["dataset"]) for given in settings}) == 1


def test_the_command_prints_what_each_training_gained(study: Study, call: Callable[..., Output]) -> None:
    rows = call("results", "--study", study.name, "--json").json()
    assert rows == ingredients(study)
    first, second = rows[:2]
    assert first["points"] is None
    assert second["points"] == pytest.approx(100 * (second["validation_accuracy"] - first["validation_accuracy"]))
