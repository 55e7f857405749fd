from __future__ import annotations

import csv
import io
import json

import pytest

from cnnlab import analysis, architectures


def conv(size: int, kernel: int, channels: int, filters: int) -> int:
    """Multiply-adds of a convolution: one per weight and output pixel."""
    return size**2 * kernel**2 * channels * filters


def test_minivggnet_costs_what_the_closed_formula_says() -> None:
    expected = conv(32, 3, 3, 32) + conv(32, 3, 32, 32) + conv(16, 3, 32, 64) + conv(16, 3, 64, 64)
    assert architectures.build("minivggnet").multiply_adds == expected + 4096 * 512 + 512 * 10


def test_vgg16_costs_15_5_billion_multiply_adds() -> None:
    blocks = [(224, 3, 64, 2), (112, 64, 128, 2), (56, 128, 256, 3), (28, 256, 512, 3), (14, 512, 512, 3)]
    convolutions = sum(
        conv(size, 3, channels, filters) + (depth - 1) * conv(size, 3, filters, filters)
        for size, channels, filters, depth in blocks
    )
    dense = 7 * 7 * 512 * 4096 + 4096 * 4096 + 4096 * 1000
    assert architectures.build("vgg16").multiply_adds == convolutions + dense == 15_470_264_320


@pytest.mark.parametrize("size", [28, 32])
@pytest.mark.parametrize("batch_normalization", [True, False])
def test_minigooglenet_costs_what_the_closed_formula_says(size: int, batch_normalization: bool) -> None:
    expected, channels, side = conv(size, 3, 3, 96), 96, size
    for ch1, ch3 in [
        (32, 32),
        (32, 48),
        (0, 80),
        (112, 48),
        (96, 64),
        (80, 80),
        (48, 96),
        (0, 96),
        (176, 160),
        (176, 160),
    ]:
        side = side if ch1 else side // 2
        expected += conv(side, 1, channels, ch1) + conv(side, 3, channels, ch3)
        channels = (ch1 or channels) + ch3
    network = architectures.build("minigooglenet", {"input_size": size, "batch_normalization": batch_normalization})
    assert network.multiply_adds == expected + 336 * 10


@pytest.mark.parametrize("name", list(architectures.ARCHITECTURES))
def test_rows_add_up_to_the_totals(name: str) -> None:
    network = architectures.build(name)
    rows, totals = analysis.rows(network), analysis.totals(network)
    assert len(rows) == len(network.layers)
    for figure in ("parameters", "trainable", "non_trainable", "multiply_adds"):
        assert sum(row[figure] for row in rows) == totals[figure]
    assert totals["trainable"] + totals["non_trainable"] == totals["parameters"]
    assert totals["weight_bytes"] == 4 * totals["parameters"]


def test_windows_are_written_as_size_and_stride() -> None:
    network = architectures.build("minigooglenet")
    assert analysis.kernel_text(network["stem_conv"]) == "3×3 / 1"
    assert analysis.kernel_text(network["downsample1_pool"]) == "3×3 / 2"
    assert analysis.kernel_text(network["fc"]) == ""


def test_the_csv_has_a_row_for_each_layer() -> None:
    network = architectures.build("minivggnet")
    rows = list(csv.DictReader(io.StringIO(analysis.table_csv(network))))
    assert [row["name"] for row in rows] == [node.name for node in network.layers]
    assert [int(row["parameters"]) for row in rows] == [node.parameters for node in network.layers]
    assert rows[1]["output_shape"] == "32×32×32"


def test_the_json_is_json() -> None:
    network = architectures.build("minivggnet")
    table = json.loads(json.dumps(analysis.table_json(network)))
    assert table["architecture"] == "minivggnet"
    assert table["rows"][1]["output_shape"] == [32, 32, 32]
    assert table["totals"]["parameters"] == 2_171_178
