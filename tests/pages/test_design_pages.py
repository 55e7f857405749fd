"""Pages with a network that no architecture draws: chosen as a file, trained, opened, put beside others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import runs
from cnnlab.datasets.preprocessing import Preprocessing
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.network import Network
from cnnlab.runs.imported import keep_as_run
from cnnlab.runs.run import MODEL_FILE, Data, Labels, Run
from tests.conftest import unescaped
from tests.designs import design
from tests.pages.conftest import OpenPage
from tests.pages.controls import control

NAME = "*my* net"


@pytest.fixture
def run(runs_dir: Path) -> Run:
    experiment = plan(Network.from_data(design()), "digits", {}, make_recipe(epochs=1))
    return runs.create(experiment, runs_dir, labels=Labels(name=NAME))


def shown(app: AppTest) -> str:
    return unescaped(" ".join(str(item.value) for item in (*app.markdown, *app.caption, *app.code, *app.title)))


def given(app: AppTest, content: str) -> AppTest:
    return app.file_uploader[0].set_value([("net.json", content.encode(), "application/json")]).run()


def test_train_takes_a_network_file(open_page: OpenPage, tmp_path: Path, no_starts: list[str]) -> None:
    folder = tmp_path / "runs"
    app = open_page("train", folder, architecture="file", dataset="digits")
    assert not app.exception
    assert not app.error
    begin = next(button for button in app.button if button.label == "Train")
    assert begin.disabled, "there is no file yet"
    app = given(app, json.dumps(design()))
    assert not app.exception
    assert "mini-residual on Digits" in shown(app).replace("*", "")
    assert "--network mini-residual.json" in shown(app)
    next(button for button in app.button if button.label == "Train").click().run()
    (made,) = runs.listing(folder)
    assert made.network == Network.from_data(design())


@pytest.mark.parametrize(
    ("content", "said"),
    [("no network", "is not JSON"), (json.dumps(design(classes=7)), "10 classes"), ("{}", "is not a cnnlab network")],
)
def test_train_says_what_is_wrong_with_a_file(open_page: OpenPage, content: str, said: str) -> None:
    app = given(open_page("train", architecture="file", dataset="digits"), content)
    assert not app.exception
    assert said in unescaped(" ".join(str(error.value) for error in app.error))


def test_another_is_trained_from_a_run_of_a_design(open_page: OpenPage, run: Run) -> None:
    app = open_page("train", run.folder.parent, architecture=f"run:{run.id}", dataset="digits")
    assert not app.exception
    assert not app.error
    assert "mini-residual" in shown(app)
    assert (
        NAME in control(app.selectbox, "architecture").value or run.id in control(app.selectbox, "architecture").value
    )


def test_the_run_is_opened_and_listed_by_its_networks_name(open_page: OpenPage, run: Run) -> None:
    app = open_page("run", run.folder.parent, run=run.id)
    assert not app.exception
    assert "mini-residual on Digits" in shown(app)
    listed = open_page("runs", run.folder.parent)
    assert list(listed.dataframe[0].value["Network"]) == ["mini-residual"]


def test_compare_puts_the_network_of_a_run_beside_others(open_page: OpenPage, run: Run) -> None:
    app = open_page("compare", run.folder.parent, network=[f"run:{run.id}", "minivggnet"])
    assert not app.exception
    assert not app.error
    table = app.dataframe[0].value
    assert list(table["Network"]) == [NAME, "MiniVGGNet"]
    assert table["Parameters"][0] == run.network.parameters
    for view in ("Where it sits", "Accuracy", "Configuration table", "Layer by layer"):
        opened = open_page("compare", run.folder.parent, network=[f"run:{run.id}", f"run:{run.id}"], view=view)
        assert not opened.exception
        assert not opened.error


def test_compare_says_where_a_run_is_not_there(open_page: OpenPage) -> None:
    app = open_page("compare", network=["run:nowhere", "minivggnet"])
    assert not app.exception
    assert "nowhere" in unescaped(str(app.error[0].value))


class Model:
    """As much of a model as is asked to keep it."""

    @staticmethod
    def save_weights(path: Path) -> None:
        path.write_bytes(b"weights")


def imported(folder: Path) -> None:
    """What stands for a model file from elsewhere."""
    seen = Preprocessing(image_size=(8, 8), input_size=(8, 8), mean=(0,) * 3, deviation=(1,) * 3, fitting="squash")
    data = Data(title="data of its own", classes=("a", "b"), fingerprint="unknown", preprocessing=seen)
    keep_as_run(
        folder,
        Model(),
        data,
        "Theirs",
        lambda place: (place / MODEL_FILE).write_bytes(b"a model"),
        architecture="theirs",
        dataset="unknown",
    )


@pytest.mark.parametrize("name", ["minivggnet-cifar10", "theirs"])
def test_run_opens_whatever_the_catalogue_knows(open_page: OpenPage, tmp_path: Path, name: str) -> None:
    imported(tmp_path / "no data" / "models" / "theirs")
    app = open_page("run", run=name)
    assert not app.exception
    assert not app.warning
    assert not app.error
    assert app.title[0].value in ("Theirs", "MiniVGGNet on CIFAR\\-10 \\(JPEG\\)")
