"""The page Design: where it begins, what an edit does to the page and the address, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import architectures
from cnnlab.design import edits, store
from cnnlab.design.sharing import packed
from cnnlab.network import Network
from tests.conftest import unescaped
from tests.pages.conftest import OpenPage

HOSTILE = '<img src=x onerror="alert(1)"> **b** $x$ :smile:'


def metric(app: AppTest, label: str) -> tuple[str, str]:
    return next((str(item.value), str(item.delta)) for item in app.metric if item.label == label)


def press(app: AppTest, label: str) -> AppTest:
    return next(one for one in app.button if one.label == label).click().run()


def test_an_edit_moves_the_figures_and_undo_moves_them_back(open_page: OpenPage) -> None:
    app = open_page("design", **{"from": "minivggnet", "select": "fc1"})
    assert not app.exception
    assert metric(app, "Parameters") == ("2.17 M", "±0")
    press(app, "Remove")
    assert not app.error
    network = architectures.build("minivggnet")
    less = edits.remove(network, ["fc1"])
    assert metric(app, "Parameters")[1] == f"−{(network.parameters - less.parameters) / 1e6:.2f} M"
    assert packed(edits.rename(less, "minivggnet-1")) == app.query_params["design"]
    press(app, "Undo")
    assert metric(app, "Parameters") == ("2.17 M", "±0")
    assert "design" not in app.query_params
    press(app, "Redo")
    assert "design" in app.query_params


def test_what_cannot_be_is_said_and_the_design_stays(open_page: OpenPage) -> None:
    app = open_page("design", **{"from": "googlenet", "select": "inception_3a_concat"})
    press(app, "Remove")
    assert "inception_3b_1x1" in unescaped(app.error[0].value)
    assert "stays as it was" in unescaped(app.error[0].value)
    assert metric(app, "Parameters") == ("7.00 M", "±0")
    press(app, "Duplicate")
    assert "one layer" in unescaped(app.error[0].value)


@pytest.mark.parametrize("view", ["Advice", "Layers", "Difference", "Training", "Challenge", "Code"])
def test_every_part_of_it_opens_with_a_design_that_was_kept(open_page: OpenPage, tmp_path: Path, view: str) -> None:
    open_page("design")  # names the data root
    made = edits.rename(architectures.build("minigooglenet"), "mine")
    store.save(edits.remove(made, edits.layers_of(made, "inception2c")))
    app = open_page("design", **{"from": "design:mine", "view": view, "challenge": "true"})
    assert not app.exception
    assert not app.error
    assert metric(app, "Parameters")[1] == "±0"


def test_an_address_that_asks_in_vain_is_said_and_the_page_stands(open_page: OpenPage) -> None:
    for query in ({"from": HOSTILE}, {"design": HOSTILE}, {"from": "design:../x"}, {"from": "run:nowhere"}):
        app = open_page("design", **query)
        assert not app.exception
        assert app.error
        assert metric(app, "Parameters")[0] == "1.66 M"


def test_a_design_with_hostile_names_is_shown_as_it_is_written(open_page: OpenPage) -> None:
    data = architectures.build("minivggnet").to_data()
    for layer in data["layers"]:
        layer["module"] = f"{layer['module']}{HOSTILE}"
    network = Network.from_data({**data, "name": HOSTILE[:60]})
    for view in ("Advice", "Layers", "Code"):
        app = open_page("design", design=packed(network) or "", select=f"block1{HOSTILE}/", view=view)
        assert not app.exception
    assert metric(app, "Parameters")[0] == "2.17 M"


@pytest.mark.parametrize("page", ["train", "compare"])
def test_other_pages_take_it(open_page: OpenPage, page: str) -> None:
    open_page("design")
    store.save(edits.rename(architectures.build("minivggnet", {"input_size": 8}), "mine"))
    name = "architecture" if page == "train" else "network"
    app = open_page(page, **{name: "design:mine"})
    assert not app.exception
    assert not app.error
    assert not app.warning or page == "train"
