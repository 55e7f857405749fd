"""The page of the 1x1 convolutions, through app.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.lecture import reduction
from tests.conftest import unescaped
from tests.pages.controls import control

APP = str(Path(__file__).resolve().parents[2] / "app.py")


def open_page(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60).run()
    app.switch_page("pages/one_by_one.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def metrics(app: AppTest) -> list[tuple[str, str]]:
    return [(item.label, str(item.value)) for item in app.metric]


def table(app: AppTest, number: int) -> dict[str, dict[str, Any]]:
    """The rows of a table by the text in their first column."""
    frame = app.dataframe[number].value
    return {row[frame.columns[0]]: row for row in frame.to_dict("records")}


def test_it_opens_on_the_lectures_case() -> None:
    app = open_page()
    assert app.title[0].value == "1×1 convolutions"
    assert metrics(app) == [
        ("Parameters, direct", "153,632"),
        ("Parameters, reduced", "15,920"),
        ("Factor saved", "9.65×"),
        ("Multiply-adds, direct", "88,473,600"),
        ("Multiply-adds, reduced", "9,781,248"),
        ("Factor saved", "9.05×"),
    ]
    assert "3{,}088 + 12{,}832 = 15{,}920" in app.latex[0].value
    assert "How to use 1x1 convolutions" in app.markdown[0].value
    assert "1312.4400" in app.markdown[0].value


def test_what_is_typed_moves_the_result() -> None:
    app = open_page()
    control(app.number_input, "bottleneck").set_value(154).run()
    assert metrics(app)[2] == ("Factor saved", "1.00×")
    control(app.number_input, "bottleneck").set_value(200).run()
    assert metrics(app)[2] == ("Times the cost", "1.29×"), "what costs more saves nothing"
    control(app.number_input, "bottleneck").set_value(154).run()
    control(app.selectbox, "padding").set_value("same").run()
    assert metrics(app)[:2] == [("Parameters, direct", "153,632"), ("Parameters, reduced", "152,954")]
    assert metrics(app)[3] == ("Multiply-adds, direct", f"{28 * 28 * 5 * 5 * 192 * 32:,}")


def test_an_address_holds_the_case() -> None:
    app = open_page(height="14", width="14", channels="480", kernel="3", filters="208", bottleneck="96", padding="same")
    four = reduction.googlenet_modules()["4a"].branches[1]
    assert metrics(app)[:2] == [
        ("Parameters, direct", f"{four.naive.cost.parameters:,}"),
        ("Parameters, reduced", f"{four.reduced.cost.parameters:,}"),
    ]
    assert metrics(app)[4][1] == f"{four.reduced.cost.multiply_adds:,}"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("height", 0, "height is 0"),
        ("kernel", 29, "does not fit"),
        ("channels", 1_000_000, "channels is 1,000,000"),
        ("bottleneck", -1, "bottleneck is -1"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_else_shown(field: str, value: int, said: str) -> None:
    app = open_page()
    control(app.number_input, field).set_value(value).run()
    assert not app.exception
    assert said in unescaped(app.error[0].value)
    assert not app.metric


@pytest.mark.parametrize("name", reduction.googlenet_modules())
def test_each_of_the_nine_modules_branch_by_branch(name: str) -> None:
    app = open_page(view="Inception module", module=name)
    module = reduction.googlenet_modules()[name]
    rows = table(app, 0)
    for branch in module.branches:
        assert rows[branch.name]["Parameters, naive"] == branch.naive.cost.parameters
        assert rows[branch.name]["Multiply-adds, reduced"] == branch.reduced.cost.multiply_adds
    assert rows["Module"]["Parameters, reduced"] == module.reduced.parameters
    assert rows["Module"]["Naive"] == f"{module.naive_channels:,} maps"
    assert table(app, 1)[name]["Parameters, naive"] == module.naive.parameters


def test_all_nine_modules_add_up_to_googlenets() -> None:
    app = open_page(view="Inception module")
    total = table(app, 1)["All nine"]
    modules = reduction.googlenet_modules().values()
    assert len(app.dataframe[1].value) == 10
    assert total["Parameters, reduced"] == sum(module.reduced.parameters for module in modules) == 5_849_136
    assert total["Multiply-adds, naive"] == sum(module.naive.multiply_adds for module in modules)


def test_a_module_of_ones_own() -> None:
    app = open_page(view="Inception module", module="Own numbers", n1="1", n3="1", n5="1", own_channels="1")
    assert metrics(app)[0] == ("Parameters, naive", str(2 + 10 + 26))
    control(app.number_input, "pool").set_value(0).run()
    assert not app.exception
    assert "pool proj is 0" in unescaped(app.error[0].value)


def test_vgg_c_against_d() -> None:
    app = open_page(view="VGG C against D")
    assert metrics(app)[:2] == [("Parameters, VGG D", "138,357,544"), ("Parameters, VGG C", "133,638,952")]
    rows = table(app, 0)
    assert list(rows) == ["block3_conv3", "block4_conv3", "block5_conv3", "The three", "Whole network"]
    assert rows["Whole network"]["Parameters, C"] == 133_638_952
    assert rows["Whole network"]["Multiply-adds, D"] == 15_470_264_320
    assert (rows["block5_conv3"]["Receptive field, C (px)"], rows["block5_conv3"]["Window, C"]) == ("140", "1×1")
    published = table(app, 1)
    assert [published[f"VGG {name}"]["Top-1 error"] for name in "BCD"] == ["28.7%", "28.1%", "27.0%"]


def test_what_was_typed_outlives_a_look_at_another_tab() -> None:
    app = open_page()
    control(app.number_input, "bottleneck").set_value(154).run()
    app.query_params["view"] = "VGG C against D"
    app.run()
    assert metrics(app)[0][0] == "Parameters, VGG D"
    app.query_params["view"] = "Bottleneck"
    app.run()
    assert control(app.number_input, "bottleneck").value == 154


def test_the_lecture_goes_on_to_googlenet() -> None:
    links = {link.proto.label: link.proto for link in open_page().get("page_link")}
    assert "architecture=googlenet" in str(links["GoogLeNet"])
