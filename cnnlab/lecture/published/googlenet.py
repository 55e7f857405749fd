"""GoogLeNet's Table 1 (Szegedy et al.), and the lecture's table of DeeperGoogLeNet."""

from __future__ import annotations

from collections.abc import Mapping

from cnnlab.lecture.published.measures import (
    depth,
    depth_behind,
    dropout_percent,
    filters,
    kernel_weights,
    multiply_adds,
    output_shape,
    parameters,
    weight_layers,
    window,
)
from cnnlab.lecture.published.table import LECTURE, Figure, PublishedMeasure, PublishedTable

GOOGLENET_COLUMNS = (
    "patch size/ stride",
    "output size",
    "depth",
    "#1×1",
    "#3×3 reduce",
    "#3×3",
    "#5×5 reduce",
    "#5×5",
    "pool proj",
    "params",
    "ops",
)
BRANCHES = {
    "#1×1": "1x1",
    "#3×3 reduce": "3x3_reduce",
    "#3×3": "3x3",
    "#5×5 reduce": "5x5_reduce",
    "#5×5": "5x5",
    "pool proj": "pool_proj",
}
GOOGLENET_MEASURES: dict[str, tuple[PublishedMeasure, int]] = {  # and the unit
    "patch size/ stride": (window, 1),
    "output size": (output_shape, 1),
    "depth": (depth, 1),
    "params": (kernel_weights, 1024),
    "ops": (multiply_adds, 10**6),
}

GOOGLENET = """
conv1|convolution|7×7/2|112×112×64|1|||||||2.7K|34M
pool1|max pool|3×3/2|56×56×64|0
conv2|convolution|3×3/1|56×56×192|2||64|192||||112K|360M
pool2|max pool|3×3/2|28×28×192|0
inception_3a|inception (3a)||28×28×256|2|64|96|128|16|32|32|159K|128M
inception_3b|inception (3b)||28×28×480|2|128|128|192|32|96|64|380K|304M
pool3|max pool|3×3/2|14×14×480|0
inception_4a|inception (4a)||14×14×512|2|192|96|208|16|48|64|364K|73M
inception_4b|inception (4b)||14×14×512|2|160|112|224|24|64|64|437K|88M
inception_4c|inception (4c)||14×14×512|2|128|128|256|24|64|64|463K|100M
inception_4d|inception (4d)||14×14×528|2|112|144|288|32|64|64|580K|119M
inception_4e|inception (4e)||14×14×832|2|256|160|320|32|128|128|840K|170M
pool4|max pool|3×3/2|7×7×832|0
inception_5a|inception (5a)||7×7×832|2|256|160|320|32|128|128|1072K|54M
inception_5b|inception (5b)||7×7×1024|2|384|192|384|48|128|128|1388K|71M
average_pool|avg pool|7×7/1|1×1×1024|0
dropout|dropout (40%)||1×1×1024|0
predictions|linear||1×1×1000|1|||||||1000K|1M
predictions|softmax||1×1×1000|0
"""

DEEPERGOOGLENET = """
conv1|convolution|5x5/1|64, 64, 64|1
pool1|max pool|3x3/2|32, 32, 64|0
conv2|convolution|3x3/1|32, 32, 192|2||64|192
pool2|max pool|3x3/2|16, 16, 192|0
inception_3a|inception (3a)||16, 16, 256|2|64|96|128|16|32|32
inception_3b|inception (3b)||16, 16, 480|2|128|128|192|32|96|64
pool3|max pool|3x3/2|8, 8, 480|0
inception_4a|inception (4a)||8, 8, 512|2|192|96|208|16|48|64
inception_4b|inception (4b)||8, 8, 512|2|160|112|224|24|64|64
inception_4c|inception (4c)||8, 8, 512|2|128|128|256|24|64|64
inception_4d|inception (4d)||8, 8, 528|2|112|144|288|32|64|64
inception_4e|inception (4e)||8, 8, 832|2|256|160|320|32|128|128
pool4|max pool|3x3/2|4, 4, 832|0
average_pool|avg pool|4x4/1|1, 1, 832|0
dropout|dropout (40%)||1, 1, 832|0
fc|linear||1, 1, 200|1
predictions|softmax||1, 1, 200|0
"""

NOTES = {
    ("conv1", "params"): "7×7×3×64 gives 9,408 weights, 9.4 thousand or 9.2K at 1,024; a separable 7×7 convolution of "
    "7×7×3×8 + 24×64 = 2,712 weights would come close to 2.7K and cost the printed 34M, but this paper does not "
    "mention one (Ioffe and Szegedy, 2015, do, in the same place).",
    ("conv1", "ops"): "9,408 weights at 112×112 positions cost 118M multiply-adds; 34M fits the 2.7K printed beside it "
    "(2.7 thousand × 112 × 112 = 33.9M).",
    ("inception_3b", "params"): "The widths of the row give exactly 379K; with the biases, 388,736, they would round "
    "to the printed 380K.",
    ("inception_4a", "params"): "The printed 364K and 73M fit each other (364K × 14 × 14 = 73.1M), but not the widths "
    "of the row, which give 375,552 weights.",
    ("inception_4a", "ops"): "The widths of the row cost 73.6M; the printed 73M fits the row's 364K "
    "(364K × 14 × 14 = 73.1M).",
    (
        "inception_4b",
        "params",
    ): "The widths of the row give exactly 438K, one unit more than printed; why is not known.",
    ("inception_4c", "params"): "463K at 14×14 positions would cost 93M, but the row prints 100M, which fits our 498K.",
    (
        "inception_4d",
        "params",
    ): "580K at 14×14 positions would cost 116M, but the row prints 119M, which fits our 591K.",
    (
        "inception_4e",
        "params",
    ): "840K at 14×14 positions would cost 169M, but the row prints 170M, which fits our 847K.",
    ("inception_5a", "params"): "The printed 1072K and 54M fit each other (1072K × 7 × 7 = 53.8M), but not the widths "
    "of the row, which are those of 4e and give 1,042,432 weights.",
    ("inception_5a", "ops"): "The widths of the row cost 51.1M; the printed 54M fits the row's 1072K "
    "(1072K × 7 × 7 = 53.8M).",
    ("inception_5b", "params"): "1388K at 7×7 positions would cost 70M, but the row prints 71M, which fits our 1409K.",
}


def table_figures(
    printed: str,
    notes: Mapping[tuple[str, str], str],
    *,
    branch_suffix: str = "",
    softmax_depth: PublishedMeasure = depth,
) -> list[Figure]:
    """A table in GoogLeNet's columns, "our part|type|column|..." a line; empty cells print nothing."""
    figures = []
    for line in printed.strip().splitlines():
        part, row, *cells = line.split("|")
        for column, cell in zip(GOOGLENET_COLUMNS, cells, strict=False):
            if not cell:
                continue
            if column in BRANCHES:
                layer = f"{part}_{BRANCHES[column]}{branch_suffix}"
                figures.append(Figure(row, column, cell, filters, layer))
                continue
            measure, unit = GOOGLENET_MEASURES[column]
            if column == "depth" and row == "softmax":
                measure = softmax_depth
            figures.append(Figure(row, column, cell, measure, part, unit, notes.get((part, column), "")))
        if row.startswith("dropout"):
            figures.append(Figure(row, "rate", "40%", dropout_percent, part))
    return figures


GOOGLENET_TABLE = PublishedTable(
    title="GoogLeNet: Table 1",
    source="Szegedy et al., CVPR 2015 (arXiv:1409.4842), Table 1; "
    f"{LECTURE}, GoogLeNet (its total 6.8M, and 22 layers in the abstract)",
    lecture="GoogLeNet",
    architectures=("googlenet",),
    options=(("input_size", 224), ("classes", 1000), ("auxiliary_heads", False)),
    figures=(
        *table_figures(GOOGLENET, NOTES, softmax_depth=depth_behind),
        Figure("total", "depth", "22 layers", weight_layers),
        Figure(
            "total",
            "params",
            "6.8M",
            parameters,
            unit=10**6,
            note="The printed rows add up to 6,797.7K, which is 6.8M only where K is read as 1,000; at 1,024 they are "
            "6.96 million, and the rest to our 6,998,552 are the deviations above and 8,280 biases.",
        ),
    ),
    convention="In the rows, K is 1,024 and params are weights without biases: only so do the linear layer's "
    "1,024,000 weights print as 1000K and the second convolution's 114,688 as 112K. Ops are multiply-adds, and M is "
    "10⁶. The total counts biases too.",
)

DEEPERGOOGLENET_TABLE = PublishedTable(
    title="DeeperGoogLeNet: its layers",
    source=f"{LECTURE}, DeeperGoogLeNet (The Tiny ImageNet Challenge)",
    lecture="DeeperGoogLeNet",
    architectures=("deepergooglenet",),
    options=(("input_size", 64), ("classes", 200), ("inception_4", True), ("auxiliary_heads", False)),
    figures=(
        *table_figures(DEEPERGOOGLENET, {}, branch_suffix="_conv"),
        Figure(
            "total",
            "Params",
            "3.6M Params",
            parameters,
            unit=10**6,
            note="With the 19,968 of batch normalization the total rounds to 3.7M; without them, 3,648,008, to 3.6M.",
        ),
    ),
)
