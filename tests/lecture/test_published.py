from __future__ import annotations

import subprocess
import sys
import time
from math import isclose

import pytest

from cnnlab import architectures
from cnnlab.experiments.presets import PRESETS
from cnnlab.lecture import published
from cnnlab.lecture.published import FigureComparison, PublishedTable
from cnnlab.lecture.published.accuracies import ACCURACIES
from cnnlab.lecture.published.table import AMOUNT
from cnnlab.zoo.studies import studies

BY_TITLE = {table.title: table for table in published.TABLES}
VGG_1 = BY_TITLE["VGG: the six configurations"]
VGG_2 = BY_TITLE["VGG: number of parameters, in millions"]
VGG16 = BY_TITLE["VGG16: the model's summary"]
MINIVGGNET_LAYERS = BY_TITLE["MiniVGGNet: its layers"]
MINIVGGNET_SUMMARY = BY_TITLE["MiniVGGNet: the model's summary"]
NIN = BY_TITLE["Network in Network: its total"]
GOOGLENET = BY_TITLE["GoogLeNet: Table 1"]
MINIGOOGLENET = BY_TITLE["MiniGoogLeNet: the modules of the figure"]
ZHANG = BY_TITLE["MiniGoogLeNet: its total without batch normalization"]
DEEPERGOOGLENET = BY_TITLE["DeeperGoogLeNet: its layers"]

every_table = pytest.mark.parametrize("table", published.TABLES, ids=lambda table: table.title)


def printed(table: PublishedTable, quantity: str) -> list[str]:
    """A column of a table, as printed, from top to bottom."""
    return [figure.printed for figure in table.figures if figure.quantity == quantity]


def line(table: PublishedTable, part: str, quantity: str) -> FigureComparison:
    """The comparison of the one figure that a table prints about a part."""
    places = [place for place, figure in enumerate(table.figures) if (figure.part, figure.quantity) == (part, quantity)]
    assert len(places) == 1
    return published.compare(table)[places[0]]


# What is printed is there, as printed.


def test_vgg_tables_print_what_the_lecture_prints() -> None:
    assert printed(VGG_2, "millions of parameters") == ["133", "133", "133", "134", "138", "144"]
    assert printed(VGG_1, "depth") == [f"{depth} weight layers" for depth in (11, 11, 13, 16, 16, 19)]
    assert printed(VGG_1, "block1")[1] == "conv3-64 LRN"
    assert printed(VGG_1, "block3")[3] == "conv3-256 conv3-256 conv1-256"
    assert printed(VGG_1, "block5")[5] == "conv3-512 conv3-512 conv3-512 conv3-512"
    assert printed(VGG_1, "classifier") == ["FC-4096 FC-4096 FC-1000 soft-max"] * 6


def test_vgg16_summary_prints_what_the_lecture_prints() -> None:
    convolutions = [1792, 36928, 0, 73856, 147584, 0, 295168, 590080, 590080, 0]
    convolutions += [1180160, 2359808, 2359808, 0, 2359808, 2359808, 2359808, 0]
    sizes = [0, *convolutions, 0, 102764544, 16781312, 4097000]
    totals = ["138,357,544", "138,357,544", "0"]
    assert printed(VGG16, "Param #") == [*map(str, sizes), *totals]
    shapes = printed(VGG16, "Output Shape")
    assert shapes[0] == "[(None, 224, 224, 3)]"
    assert shapes[-5:] == [
        "(None, 7, 7, 512)",
        "(None, 25088)",
        "(None, 4096)",
        "(None, 4096)",
        "(None, 1000)",
    ]


def test_minivggnet_tables_print_what_the_lecture_prints() -> None:
    block = ["CONV", "ACT", "BN", "CONV", "ACT", "BN", "POOL", "DROPOUT"]
    assert printed(MINIVGGNET_LAYERS, "Layer Type") == [
        "INPUT IMAGE",
        *block,
        *block,
        *("FC", "ACT", "BN", "DROPOUT", "FC", "SOFTMAX"),
    ]
    assert printed(MINIVGGNET_LAYERS, "Output Size") == [
        "32×32×3",
        *["32×32×32"] * 6,
        *["16×16×32"] * 2,
        *["16×16×64"] * 6,
        *["8×8×64"] * 2,
        *["512"] * 4,
        *["10"] * 2,
    ]
    windows = [*["3×3, K = 32"] * 2, "2×2", *["3×3, K = 64"] * 2, "2×2"]
    assert printed(MINIVGGNET_LAYERS, "Filter Size / Stride") == windows
    assert printed(MINIVGGNET_LAYERS, "Params") == ["2.1M Params."]
    sizes = [896, 0, 128, 9248, 0, 128, 0, 0, 18496, 0, 256, 36928, 0, 256, 0, 0, 0, 2097664, 0, 2048, 0, 5130, 0]
    totals = ["2,171,178", "2,169,770", "1,408"]
    assert printed(MINIVGGNET_SUMMARY, "Param #") == [*map(str, sizes), *totals]


def test_googlenet_table_prints_what_the_lecture_prints() -> None:
    params = "2.7K 112K 159K 380K 364K 437K 463K 580K 840K 1072K 1388K 1000K"
    assert printed(GOOGLENET, "params") == [*params.split(), "6.8M"]
    ops = "34M 360M 128M 304M 73M 88M 100M 119M 170M 54M 71M 1M"
    assert printed(GOOGLENET, "ops") == ops.split()
    depths = [1, 0, 2, 0, 2, 2, 0, 2, 2, 2, 2, 2, 0, 2, 2, 0, 0, 1, 0]
    assert printed(GOOGLENET, "depth") == [*map(str, depths), "22 layers"]
    assert printed(GOOGLENET, "output size") == [
        *("112×112×64", "56×56×64", "56×56×192", "28×28×192", "28×28×256", "28×28×480", "14×14×480"),
        *["14×14×512"] * 3,
        *("14×14×528", "14×14×832", "7×7×832", "7×7×832", "7×7×1024", "1×1×1024", "1×1×1024"),
        *["1×1×1000"] * 2,
    ]
    windows = "7×7/2 3×3/2 3×3/1 3×3/2 3×3/2 3×3/2 7×7/1"
    assert printed(GOOGLENET, "patch size/ stride") == windows.split()


@pytest.mark.parametrize(("table", "modules"), [(GOOGLENET, 9), (DEEPERGOOGLENET, 7)])
def test_inception_columns_print_what_the_lecture_prints(table: PublishedTable, modules: int) -> None:
    columns = {
        "#1×1": "64 128 192 160 128 112 256 256 384",
        "#3×3 reduce": "96 128 96 112 128 144 160 160 192",
        "#3×3": "128 192 208 224 256 288 320 320 384",
        "#5×5 reduce": "16 32 16 24 24 32 32 32 48",
        "#5×5": "32 96 48 64 64 64 128 128 128",
        "pool proj": "32 64 64 64 64 64 128 128 128",
    }
    stem = {"#3×3 reduce": ["64"], "#3×3": ["192"]}
    for column, filters in columns.items():
        assert printed(table, column) == [*stem.get(column, []), *filters.split()[:modules]]


def test_deepergooglenet_table_prints_what_the_lecture_prints() -> None:
    assert printed(DEEPERGOOGLENET, "output size") == [
        *("64, 64, 64", "32, 32, 64", "32, 32, 192", "16, 16, 192", "16, 16, 256", "16, 16, 480", "8, 8, 480"),
        *["8, 8, 512"] * 3,
        *("8, 8, 528", "8, 8, 832", "4, 4, 832", "1, 1, 832", "1, 1, 832", "1, 1, 200", "1, 1, 200"),
    ]
    depths = "1 0 2 0 2 2 0 2 2 2 2 2 0 0 0 1 0"
    assert printed(DEEPERGOOGLENET, "depth") == depths.split()
    windows = "5x5/1 3x3/2 3x3/1 3x3/2 3x3/2 3x3/2 4x4/1"
    assert printed(DEEPERGOOGLENET, "patch size/ stride") == windows.split()
    assert printed(DEEPERGOOGLENET, "rate") == ["40%"]
    assert printed(DEEPERGOOGLENET, "Params") == ["3.6M Params"]


def test_minigooglenet_figure_prints_what_the_lecture_prints() -> None:
    assert printed(MINIGOOGLENET, "filters") == [
        "96, 3x3 filters",
        "32 + 32 filters",
        "32 + 48 filters",
        "80 filters",
        "112 + 48 filters",
        "96 + 64 filters",
        "80 + 80 filters",
        "48 + 96 filters",
        "96 filters",
        "176 + 160 filters",
        "176 + 160 filters",
    ]
    assert printed(MINIGOOGLENET, "Params") == ["1.6M Params."]
    assert [figure.printed for figure in (*ZHANG.figures, *NIN.figures)] == ["1,649,402", "966,986"]


# What is computed agrees, or a sentence says why not.


@pytest.mark.parametrize("table", [VGG_1, VGG16, MINIVGGNET_SUMMARY, NIN, ZHANG], ids=lambda table: table.title)
def test_exact_tables_agree_row_for_row(table: PublishedTable) -> None:
    for item in published.compare(table):
        assert item.agrees, item
        assert item.computed == item.printed
        assert not item.deviation


@pytest.mark.parametrize(
    "table", [MINIVGGNET_LAYERS, GOOGLENET, MINIGOOGLENET, DEEPERGOOGLENET], ids=lambda table: table.title
)
def test_all_but_amounts_agree_row_for_row(table: PublishedTable) -> None:
    """Shapes, depths, windows, filters and layer types; of the amounts only parameters and operations may differ."""
    for item in published.compare(table):
        if item.quantity not in ("params", "ops", "Params"):
            assert item.agrees, item
            assert not item.deviation


@every_table
def test_a_note_stands_exactly_where_rounding_explains_nothing(table: PublishedTable) -> None:
    for item, figure in zip(published.compare(table), table.figures, strict=True):
        assert bool(item.note) != item.agrees, item
        if item.deviation is not None:
            number = AMOUNT.search(item.printed)
            assert number
            amount = float(number[0].replace(",", ""))
            half = 0.5 / 10 ** len(number[0].partition(".")[2])
            ours = int(item.exact.replace(",", "")) / figure.unit
            assert item.agrees == (amount - half <= ours <= amount + half), item
            assert isclose(item.deviation * (amount or 1), ours - amount, abs_tol=1e-9)


@every_table
def test_a_note_is_one_sentence(table: PublishedTable) -> None:
    for figure in table.figures:
        if figure.note:
            assert figure.note.endswith(".")
            assert ". " not in figure.note


def test_figures_that_differ_are_these() -> None:
    """Where the literature and the networks part; any other place would be news."""
    differing = {
        (table.architectures[0], item.row, item.quantity)
        for table in published.TABLES
        for item in published.compare(table)
        if not item.agrees
    }
    params = {f"inception ({name})" for name in ("3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")}
    assert differing == {
        ("lenet5", "C1", "trainable parameters"),
        ("lenet5", "S2", "trainable parameters"),
        ("lenet5", "C3", "trainable parameters"),
        ("lenet5", "S4", "trainable parameters"),
        ("lenet5", "whole", "trainable parameters"),
        ("resnet18", "34-layer", "FLOPs"),
        ("resnet18", "50-layer", "FLOPs"),
        ("mobilenet_v2", "MobileNetV2", "Params"),
        ("mobilenet_v2", "MobileNetV2", "MAdds"),
        ("minivggnet", "total", "Params"),
        ("minigooglenet", "total", "Params"),
        ("deepergooglenet", "total", "Params"),
        ("googlenet", "total", "params"),
        *(("googlenet", row, "params") for row in {"convolution", *params}),
        *(("googlenet", row, "ops") for row in ("convolution", "inception (4a)", "inception (5a)")),
    }


def test_vgg_millions_round_to_the_printed_ones() -> None:
    exact = [item.exact for item in published.compare(VGG_2)]
    assert exact == ["132,863,336", "132,863,336", "133,047,848", "133,638,952", "138,357,544", "143,667,240"]


def test_googlenet_first_row_costs_more_than_printed() -> None:
    params, ops = line(GOOGLENET, "conv1", "params"), line(GOOGLENET, "conv1", "ops")
    assert (params.printed, params.computed, params.exact) == ("2.7K", "9.2K", f"{7 * 7 * 3 * 64:,}")
    assert (ops.printed, ops.computed, ops.exact) == ("34M", "118M", f"{7 * 7 * 3 * 64 * 112 * 112:,}")
    separable = 7 * 7 * 3 * 8 + 24 * 64  # depth multiplier 8, then 1x1 to 64
    assert f"{separable:,} weights" in params.note
    assert abs(separable / 1024 - 2.7) < 0.06
    assert f"{separable * 112 * 112 / 1e6:.0f}M" == ops.printed
    assert f"{2700 * 112 * 112 / 1e6:.1f}M" in ops.note


def test_googlenet_rows_count_weights_in_units_of_1024() -> None:
    """The linear layer and the second convolution leave no doubt: both are whole numbers of K."""
    for part, printed_text, weights in (
        ("predictions", "1000K", 1024 * 1000),
        ("conv2", "112K", 64 * 64 + 9 * 64 * 192),
    ):
        item = line(GOOGLENET, part, "params")
        assert (item.printed, item.exact) == (printed_text, f"{weights:,}")
        assert item.deviation == 0
        assert weights % 1024 == 0


@pytest.mark.parametrize(
    ("module", "positions", "ops_fit_params"),
    [
        ("4a", 14 * 14, True),
        ("4c", 14 * 14, False),
        ("4d", 14 * 14, False),
        ("4e", 14 * 14, False),
        ("5a", 7 * 7, True),
        ("5b", 7 * 7, False),
    ],
)
def test_googlenet_notes_about_params_and_ops_hold(module: str, positions: int, ops_fit_params: bool) -> None:
    """Every weight of a module is used once at each position, so the two printed columns can be held together."""
    params = line(GOOGLENET, f"inception_{module}", "params")
    ops = line(GOOGLENET, f"inception_{module}", "ops")
    implied = int(params.printed.removesuffix("K")) * 1024 * positions / 1e6
    assert (f"{implied:.0f}M" == ops.printed) == ops_fit_params
    assert f"{implied:.1f}M" in params.note or f"{implied:.0f}M" in params.note
    assert ops.agrees != ops_fit_params
    assert params.exact in params.note or params.computed in params.note


def test_googlenet_total_differs_by_what_the_note_says() -> None:
    rows = [figure for figure in GOOGLENET.figures if figure.quantity == "params" and figure.part]
    thousands = sum(float(figure.printed.removesuffix("K")) for figure in rows)
    total = line(GOOGLENET, "", "params")
    assert f"{thousands:,.1f}K" == "6,797.7K"
    assert f"{thousands / 1000:.1f}M" == total.printed
    assert f"{thousands * 1024 / 1e6:.2f} million" in total.note
    network = architectures.build("googlenet")
    biases = sum(weight.size for node in network.layers for weight in node.weights if weight.name == "bias")
    assert total.exact == "6,998,552"
    assert f"{biases:,} biases" in total.note


@pytest.mark.parametrize(("table", "rounded"), [(MINIGOOGLENET, "1.6"), (DEEPERGOOGLENET, "3.6")])
def test_printed_totals_leave_batch_normalization_out(table: PublishedTable, rounded: str) -> None:
    name = table.architectures[0]
    whole, plain = architectures.build(name), architectures.build(name, {"batch_normalization": False})
    total = line(table, "", "Params")
    assert total.exact == f"{whole.parameters:,}"
    assert f"{plain.parameters / 1e6:.1f}" == rounded
    assert f"{plain.parameters:,}" in total.note
    assert f"{whole.parameters - plain.parameters:,} of batch normalization" in total.note


def test_minivggnet_total_is_cut_off() -> None:
    total = line(MINIVGGNET_LAYERS, "", "Params")
    assert (total.printed, total.computed, total.exact) == ("2.1M Params.", "2.2M Params.", "2,171,178")


def test_a_moved_network_is_noticed() -> None:
    """The comparison is computed: another network under the same table disagrees."""
    other = PublishedTable(
        VGG16.title, VGG16.source, VGG16.lecture, ("vgg19",), VGG16.options, (VGG16.figures[4], VGG16.figures[-2])
    )
    shape, total = published.compare(other)
    assert shape.agrees
    assert not total.agrees
    assert total.computed == "143,667,240"


# The tables and figures as a whole.


@every_table
def test_every_table_has_a_source_and_known_options(table: PublishedTable) -> None:
    assert table.source
    assert not table.source.endswith(".")
    assert table.title
    assert table.lecture in {"VGG", "1x1 convolutions", "GoogLeNet", "MiniGoogLeNet", "DeeperGoogLeNet", ""}
    assert {bool(architectures.architecture(name).lecture) for name in table.architectures} == {bool(table.lecture)}
    for name in table.architectures:
        architectures.build(name, dict(table.options))


@every_table
def test_every_figure_belongs_to_layers_of_its_network(table: PublishedTable) -> None:
    for figure in table.figures:
        network = architectures.build(figure.architecture or table.architectures[0], dict(table.options))
        assert figure.part in {"", *(node.name for node in network.layers), *(node.module for node in network.layers)}


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_every_architecture_has_a_table_and_an_accuracy(name: str) -> None:
    assert published.tables_for(name)
    assert published.accuracies_for(name)
    for table in published.tables_for(name):
        own = published.compare(table, name)
        assert own
        assert {item.architecture for item in own} == {name}
        assert own == [item for item in published.compare(table) if item.architecture == name]


@every_table
def test_a_comparison_is_fast(table: PublishedTable) -> None:
    published.compare(table)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        published.compare(table)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02


def test_neither_tensorflow_nor_streamlit_is_loaded() -> None:
    code = (
        "import sys; from cnnlab.lecture import published; [published.compare(table) for table in published.TABLES]; "
        "print([name for name in ('tensorflow', 'keras', 'streamlit') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Accuracies.


def test_every_accuracy_has_its_circumstances() -> None:
    for item in published.ACCURACIES:
        assert 0 < item.value < 1
        assert item.dataset
        assert item.split
        assert item.conditions
        assert item.source
        architectures.build(item.architecture, dict(item.options))


def test_accuracies_are_the_published_ones() -> None:
    def values(name: str, metric: str = "rank-1 accuracy") -> list[float]:
        return [item.value for item in published.accuracies_for(name) if item.metric == metric]

    assert values("minivggnet") == [0.82]
    assert values("minigooglenet") == [0.90, 0.8905, 0.8931, 0.8603, 0.8575, 0.83, 0.82]
    assert values("deepergooglenet") == [0.3023]
    assert values("deepergooglenet", "rank-5 accuracy") == [0.5434]
    assert values("nin") == [0.8959, 0.9119, 0.8912]
    assert values("lenet5") == [0.9905, 0.992]
    assert values("resnet50", "rank-5 accuracy") == [0.92862, 0.9329]
    assert values("resnet56") == [0.9303]
    assert values("densenet_bc")[0] == 0.9549
    assert [values(name)[0] for name in ("mobilenet", "mobilenet_v2")] == [0.706, 0.71878]
    assert values("googlenet", "rank-5 accuracy") == [0.8993, 0.9333]
    single = {"vgg_a": (29.6, 10.4), "vgg_a_lrn": (29.7, 10.5), "vgg_b": (28.7, 9.9), "vgg_c": (28.1, 9.4)}
    single |= {"vgg16": (27.0, 8.8), "vgg19": (27.3, 9.0)}
    for name, errors in single.items():
        first = [values(name)[0], values(name, "rank-5 accuracy")[0]]
        assert first == [pytest.approx(1 - error / 100) for error in errors]


@pytest.mark.parametrize("report", published.REPORTS, ids=lambda report: report.architecture)
def test_reports_are_consistent(report: published.ClassificationReport) -> None:
    assert len(report.classes) == 10
    assert {item.support for item in report.classes} == {1000}
    assert sum(item.support for item in report.classes) == report.macro.support == report.weighted.support == 10_000
    for column in ("precision", "recall", "f1"):
        mean = sum(getattr(item, column) for item in report.classes) / 10
        assert abs(mean - getattr(report.macro, column)) <= 0.01
        assert getattr(report.weighted, column) == getattr(report.macro, column)  # all classes weigh alike
    for item in report.classes:
        harmonic = 2 * item.precision * item.recall / (item.precision + item.recall)
        assert abs(harmonic - item.f1) <= 0.011
    assert published.reports_for(report.architecture) == [report]
    assert published.accuracies_for(report.architecture)[0].value == report.accuracy


def test_reports_are_the_printed_ones() -> None:
    (mini,) = published.reports_for("minigooglenet")
    (vgg,) = published.reports_for("minivggnet")
    assert [item.label for item in mini.classes] == [item.label for item in vgg.classes]
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    assert [item.label for item in mini.classes] == names
    assert [item.precision for item in mini.classes] == [0.91, 0.95, 0.89, 0.81, 0.89, 0.86, 0.89, 0.94, 0.95, 0.94]
    assert [item.recall for item in mini.classes] == [0.92, 0.97, 0.85, 0.80, 0.90, 0.85, 0.95, 0.92, 0.94, 0.94]
    assert [item.f1 for item in mini.classes] == [0.92, 0.96, 0.87, 0.81, 0.90, 0.85, 0.92, 0.93, 0.94, 0.94]
    assert [item.precision for item in vgg.classes] == [0.87, 0.92, 0.79, 0.69, 0.75, 0.72, 0.80, 0.89, 0.91, 0.89]
    assert [item.recall for item in vgg.classes] == [0.82, 0.91, 0.70, 0.65, 0.85, 0.77, 0.91, 0.84, 0.91, 0.89]
    assert [item.f1 for item in vgg.classes] == [0.84, 0.92, 0.74, 0.67, 0.80, 0.74, 0.85, 0.86, 0.91, 0.89]
    assert (mini.accuracy, vgg.accuracy) == (0.90, 0.82)
    assert (vgg.macro.precision, vgg.macro.recall, vgg.macro.f1) == (0.83, 0.82, 0.82)


def test_no_figure_is_given_a_source_that_does_not_print_it() -> None:
    """The lecture prints neither epochs nor settings with its reports, and nobody is "others"."""
    for name, epochs in (("minivggnet", "40 epochs"), ("minigooglenet", "70 epochs")):
        found = PRESETS[name]
        assert found.expected.startswith("The lecture prints accuracy 0.")
        assert "epochs" not in found.expected.replace("not after how many epochs", "")
        assert "no setting of the training" in found.source
        assert f"{epochs} among them" in found.source
        assert "Rosebrock" in found.source
    for found in PRESETS.values():
        assert "thers report" not in found.expected
        assert "lossless" not in found.expected
    for item in ACCURACIES:
        if item.source.startswith("lecture"):
            assert "after" not in item.conditions
    for study in studies().values():
        if "lecture's recipe" in study.about.title + study.about.text:
            assert "Experiment #03" in study.about.text, "the only one of these that the lecture prints"
