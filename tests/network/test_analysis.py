from __future__ import annotations

import csv
import io
import json

import pytest

from cnnlab import architectures
from cnnlab.network import Builder, analysis


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


def fields_of(name: str, **options: object) -> dict[str, tuple[int, int]]:
    return analysis.receptive_fields(architectures.build(name, options))


def test_the_receptive_fields_are_those_of_the_literature() -> None:
    """VGG16's pool5 sees 212 pixels at a stride of 32 (closed form: 1 + sum of (k - 1) j over 13 convolutions and 5
    poolings); two 3x3 convolutions see 5 pixels and three see 7 (Simonyan and Zisserman, section 2.3)."""
    fields = fields_of("vgg16")
    assert fields["block1_conv1"] == (3, 1)
    assert fields["block1_conv2"] == (5, 1)
    convolutions = [(2, 1), (2, 2), (3, 4), (3, 8), (3, 16)]
    assert fields["block5_pool"] == (1 + sum(2 * count * jump + jump for count, jump in convolutions), 32) == (212, 32)
    assert fields_of("googlenet")["conv1_7x7"] == (7, 2)


@pytest.mark.slow
def test_a_pixel_outside_the_receptive_field_changes_nothing_and_one_inside_does() -> None:
    """The arithmetic against a real network: gradients of one output value by the input pixels."""
    import numpy as np

    from cnnlab.keras.backend import tf
    from cnnlab.keras.model import keras, keras_model

    network = architectures.build("minivggnet", {"input_size": 64, "batch_normalization": False, "activation": "elu"})
    model = keras_model(network)
    fields = analysis.receptive_fields(network)
    for name in ("block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"):
        part = keras.Model(model.inputs, model.get_layer(name).output)
        reached = np.zeros((64, 64), bool)
        for seed in range(8):  # a maximum passes one of its pixels on: several images find them all
            image = tf.constant(np.random.default_rng(seed).normal(size=(1, 64, 64, 3)).astype(np.float32))
            with tf.GradientTape() as tape:
                tape.watch(image)
                values = part(image)
                middle = values.shape[1] // 2
                value = tf.reduce_sum(values[0, middle, middle])
            reached |= np.abs(tape.gradient(value, image).numpy()[0]).sum(-1) > 0
        rows = np.flatnonzero(reached.any(axis=1))
        assert rows[-1] - rows[0] + 1 == fields[name][0], name


def test_activation_memory_of_a_chain_worked_out_by_hand() -> None:
    """8x8x3 -> conv 4 -> pool -> flatten -> dense 2: what is alive at once is the input and the convolution."""
    net = Builder("chain")
    x = net.input((8, 8, 3))
    x = net.conv(x, 4, 3, name="conv")
    x = net.max_pool(x, 2, name="pool")
    x = net.flatten(x)
    network = net.build(net.dense(x, 2, name="fc"))
    sizes = [8 * 8 * 3, 8 * 8 * 4, 4 * 4 * 4, 64, 2]
    assert analysis.activation_memory(network) == {
        "training": 4 * sum(sizes),
        "inference": 4 * (sizes[0] + sizes[1]),
    }


def test_a_branch_keeps_its_input_alive_until_its_last_use() -> None:
    net = Builder("branch")
    x = net.input((4, 4, 2))
    one = net.conv(x, 3, 1, name="one")
    two = net.conv(x, 5, 1, name="two")
    network = net.build(net.concat([one, two], name="both"))
    # input 32, one 48, two 80 are alive when `two` is computed; then one, two and both (128)
    assert analysis.activation_memory(network)["inference"] == 4 * max(32 + 48 + 80, 48 + 80 + 128)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vgg_a", "vgg_b", "vgg16", "vgg19", "nin", "googlenet", "deepergooglenet"])
def test_the_multiply_adds_are_those_that_tensorflows_profiler_counts(name: str) -> None:
    """An independent counter: TensorFlow's profiler counts the float operations of convolutions and dense layers, two
    for each multiply-accumulate."""
    from cnnlab.keras.backend import tf
    from cnnlab.keras.model import keras_model

    network = architectures.build(name, {"input_size": 64, "classes": 10})
    model = keras_model(network)
    function = tf.function(lambda images: model(images, training=False))
    graph = function.get_concrete_function(tf.TensorSpec((1, *network.input_shape))).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder(tf.compat.v1.profiler.ProfileOptionBuilder.float_operation())
    counted = tf.compat.v1.profiler.profile(
        graph,
        options=options.with_empty_output().with_accounted_types(["Conv2D", "MatMul"]).build(),
        cmd="op",
    )
    assert counted.total_float_ops == 2 * network.multiply_adds


def test_where_the_first_receptive_field_begins() -> None:
    """VGG16's pool5 begins 90 pixels before the image (Araujo, Norris and Sim: padding 90); a border of zeros and
    windows that stay within the map shift it in each axis by itself."""
    for axis in (0, 1):
        fields = analysis.receptive_fields_along(architectures.build("vgg16"), axis)
        assert fields["block5_pool"] == (212, 32, -90)
        assert fields["block1_conv1"] == (3, 1, -1)
    draw = Builder("wide")
    x = draw.zero_pad(draw.input((8, 16, 3)), 1, 2, 3, 4, name="zeros")
    x = draw.conv(x, 4, 3, name="conv", stride=2, padding="valid")
    network = draw.build(draw.global_average_pool(x, name="pool"))
    assert analysis.receptive_fields_along(network, 0)["conv"] == (3, 2, -1)
    assert analysis.receptive_fields_along(network, 1)["conv"] == (3, 2, -3)
    assert [analysis.receptive_fields_along(network, axis)["pool"] for axis in (0, 1)] == [(11, 2, -1), (23, 2, -3)]
