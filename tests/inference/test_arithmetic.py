"""One value, term by term: every kind's arithmetic ends at the value that TensorFlow gives."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import numpy as np
import pytest

from cnnlab.errors import UserError
from cnnlab.inference.activations import ActivationModel, Activations, untrained
from cnnlab.inference.arithmetic import Place, arithmetic
from cnnlab.inference.computation import (
    Activated,
    Computation,
    Computed,
    LargestOf,
    MeanOf,
    NormalizedPixel,
    Passed,
    ResponseNormalized,
    Standardized,
    SumOf,
    WeightedSum,
)
from cnnlab.network import Builder
from cnnlab.network.layers import (
    Activation,
    AnyLayer,
    AveragePooling2D,
    BatchNormalization,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    GlobalAveragePooling2D,
    Layer,
    LocalResponseNormalization,
    MaxPooling2D,
    ZeroPadding2D,
)
from tests.conftest import assert_one_line
from tests.network.test_kinds import EXAMPLES, SIDE, drawn

pytestmark = pytest.mark.slow

MORE: tuple[Layer, ...] = (
    *(
        Conv2D(3, kernel, stride, padding, "relu")
        for kernel, stride, padding in product((1, 3, 5, 7), (1, 2, 3), ("same", "valid"))
    ),
    Conv2D(3, 4, 2, "same", "softmax", use_bias=False),
    DepthwiseConv2D(2, 3, "same", 3, "elu"),
    DepthwiseConv2D(3, 1, "same", 2, "softmax"),
    Dense(5, "softmax"),
    Dense(40, "relu6"),
    Conv2D(3, 3, 1, "same", "tanh"),
    MaxPooling2D(3, 2, "same"),
    AveragePooling2D(4, 3, "same"),
    LocalResponseNormalization(1, 1.0, 0.5, 0.5),
    Activation("softmax"),
    Activation("linear"),
    Activation("relu6"),
    Activation("tanh"),
    BatchNormalization(epsilon=0.5),
)
CASES = [*(layer for examples in EXAMPLES.values() for layer in examples), *MORE]


def looked_into(layer: Any) -> tuple[ActivationModel, Activations, str]:
    """A network with random weights and this layer in it, an image, and the layer's name."""
    network, name = drawn(layer)
    model = untrained(network)
    random = np.random.default_rng(1)
    for weights in model.model.weights:
        weights.assign(random.uniform(0.1 if "variance" in weights.name else -1, 1, weights.shape))
    return model, model.activations(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)), name


def units(shape: tuple[int, ...]) -> list[tuple[int, Place | None]]:
    """Every channel, at the corners, the edges and the middle of the maps."""
    *sides, count = shape
    channels = range(count) if count <= 12 else (0, 1, count // 2, count - 1)
    if not sides:
        return [(channel, None) for channel in channels]
    rows, columns = ({0, 1, side // 2, side - 1} & set(range(side)) for side in sides)
    return [(channel, (row, column)) for channel, row, column in product(channels, rows, columns)]


def looked_at(layer: Any, channel: int = 0, at: Place | None = (0, 0)) -> Computed:
    model, seen, name = looked_into(layer)
    return arithmetic(model, seen, name, channel, at)


@pytest.mark.parametrize("layer", CASES, ids=str)
def test_the_arithmetic_of_every_kind_ends_at_tensorflows_value(layer: Layer) -> None:
    model, seen, name = looked_into(layer)
    for channel, at in units(model.network[name].output_shape):
        found = arithmetic(model, seen, name, channel, at)
        assert found.stored == seen.values[name][(*(at or ()), channel)]
        assert found.how.value == pytest.approx(found.stored, rel=1e-4, abs=2e-5), (channel, at)
        assert found.agrees
        assert not found.silenced


def test_every_kind_and_every_way_to_compute_is_met_here() -> None:
    assert {type(layer) for layer in CASES} == set(get_args(AnyLayer))
    met = {type(looked_at(layer, 0, at_of(layer)).how) for (layer, *_) in EXAMPLES.values()}
    assert met == set(get_args(Computation))


def at_of(layer: Layer) -> Place | None:
    network, name = drawn(layer)
    return (0, 0) if len(network[name].output_shape) == 3 else None


def test_a_convolution_tells_its_window_products_and_sums() -> None:
    model, seen, name = looked_into(Conv2D(3, 5, 2, "same", "relu"))
    found = arithmetic(model, seen, name, 1, (0, 3)).how
    assert isinstance(found, WeightedSum)
    patch = found.patch
    assert (patch.layer, patch.top, patch.left) == ("before", -2, 4)
    assert patch.padding.tolist() == [[True] * 5, [True] * 5, *([[False] * 5] * 3)]
    assert not patch.values[patch.padding].any()
    np.testing.assert_array_equal(patch.values[2:], seen.values["before"][:3, 4:9])
    np.testing.assert_array_equal(found.weights, model.weights(name)["kernel"][..., 1])
    np.testing.assert_allclose(found.by_channel.sum(), found.total)
    np.testing.assert_allclose(found.products.sum((0, 1)), found.by_channel)
    assert found.bias is not None
    assert found.before == found.total + found.bias
    assert found.value == max(found.before, 0)
    without = looked_at(Conv2D(3, 3, use_bias=False)).how
    assert isinstance(without, WeightedSum)
    assert without.bias is None
    assert without.value == without.total


def test_pooling_tells_the_winner_and_leaves_the_padding_out() -> None:
    largest = looked_at(MaxPooling2D(3, 2, "same"), 1).how
    assert isinstance(largest, LargestOf)
    values, (row, column) = largest.patch.values[..., 0], largest.winner
    assert largest.patch.padding.sum() == 5
    assert not largest.patch.padding[row, column]
    assert values[row, column] == values[~largest.patch.padding].max() == largest.value
    mean = looked_at(AveragePooling2D(3, 1, "same"), 1).how
    assert isinstance(mean, MeanOf)
    assert mean.count == 4
    assert mean.value == mean.patch.values.sum() / 4
    whole = looked_at(GlobalAveragePooling2D(), 1, None).how
    assert isinstance(whole, MeanOf)
    assert whole.count == SIDE * SIDE


def test_dense_depthwise_and_normalization_tell_what_they_read() -> None:
    dense = looked_at(Dense(4, "softmax"), 2, None).how
    assert isinstance(dense, WeightedSum)
    assert dense.patch.values.shape == dense.weights.shape == (1, 1, SIDE * SIDE * 4)
    assert dense.scores is not None
    assert dense.before == pytest.approx(dense.scores[2])
    depthwise = looked_at(DepthwiseConv2D(3, multiplier=2), 5).how
    assert isinstance(depthwise, WeightedSum)
    assert depthwise.patch.channels == range(2, 3)
    response = looked_at(LocalResponseNormalization(), 3).how
    assert isinstance(response, ResponseNormalized)
    assert response.channels == range(1, 4)
    assert response.beside[2] == response.given
    standardized = looked_at(BatchNormalization()).how
    assert isinstance(standardized, Standardized)
    assert standardized.value == standardized.gamma * standardized.standardized + standardized.beta
    activated = looked_at(Activation("elu")).how
    assert isinstance(activated, Activated)
    assert (activated.layer, activated.activation, activated.scores) == ("before", "elu", None)


def test_what_only_passes_says_where_it_comes_from() -> None:
    for layer, channel, at, source in (
        (EXAMPLES_OF["Concatenate"], 5, (2, 3), ("beside", 1, (2, 3))),
        (EXAMPLES_OF["Concatenate"], 3, (2, 3), ("before", 3, (2, 3))),
        (EXAMPLES_OF["Flatten"], (2 * SIDE + 3) * 4 + 1, None, ("before", 1, (2, 3))),
        (EXAMPLES_OF["ZeroPadding2D"], 2, (4, 5), ("before", 2, (1, 2))),
        (ZeroPadding2D(0, 0, 0, 0, 1, 2), 2, (4, 5), ("before", 1, (4, 5))),
        (Dropout(0.25), 1, (4, 5), ("before", 1, (4, 5))),
    ):
        found = looked_at(layer, channel, at).how
        assert isinstance(found, Passed)
        assert (found.layer, found.channel, found.at) == source
        assert found.rate == (0.25 if isinstance(layer, Dropout) else None)
    border = looked_at(EXAMPLES_OF["ZeroPadding2D"], 2, (2, 5)).how
    assert isinstance(border, Passed)
    assert border.given is None
    assert border.value == 0
    added = looked_at(EXAMPLES_OF["Add"]).how
    assert isinstance(added, SumOf)
    assert [one.layer for one in added.addends] == ["before", "beside"]


EXAMPLES_OF = {kind.__name__: examples[-1] for kind, examples in EXAMPLES.items()}


def test_a_pixel_is_normalized_and_a_grey_one_is_the_mean_of_three() -> None:
    net = Builder("grey")
    x = net.global_average_pool(net.conv(net.input((8, 8, 1)), 2, 3, name="conv"), name="gap")
    model = untrained(net.build(net.dense(x, 2, name="fc", activation="softmax")))
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    seen = model.activations(image)
    found = arithmetic(model, seen, "input", 0, (3, 4))
    assert isinstance(found.how, NormalizedPixel)
    assert found.how.pixel == tuple(image[3, 4].tolist())
    assert found.how.value == pytest.approx(found.stored, abs=1e-6)


def test_a_silenced_value_says_so() -> None:
    model, seen, _ = looked_into(Conv2D(4, 3))
    hushed = model.activations(seen.inputs, {"here": [1]})
    assert [arithmetic(model, hushed, "here", channel, (2, 2)).silenced for channel in range(4)] == [
        False,
        True,
        False,
        False,
    ]
    found = arithmetic(model, hushed, "here", 1, (2, 2))
    assert found.stored == 0
    assert not found.agrees
    assert found.how.value == pytest.approx(seen.values["here"][2, 2, 1], rel=1e-4, abs=1e-5)
    whole = model.activations(seen.inputs, {"here": None})
    assert arithmetic(model, whole, "here", 3, (2, 2)).silenced


def test_nan_is_computed_as_nan_whatever_tensorflow_makes_of_it() -> None:
    model, seen, _ = looked_into(Conv2D(4, 3, activation="relu"))
    for name, channels in (("before", [1]), ("here", slice(None))):
        kernel, bias = model.model.get_layer(name).get_weights()
        kernel[..., channels] = np.nan
        model.model.get_layer(name).set_weights([kernel, bias])
    seen = model.activations(seen.inputs)
    before, here = (arithmetic(model, seen, name, 1, (0, 0)) for name in ("before", "here"))
    assert np.isnan(before.how.value)
    assert before.agrees
    assert np.isnan(here.how.value)
    assert here.agrees == bool(np.isnan(here.stored))


@pytest.mark.parametrize(
    ("layer", "channel", "at", "parts"),
    [
        ("absent", 0, None, ("'absent'", "input, before, here")),
        ("here", 4, (0, 0), ("here has no channel 4", "0 to 3")),
        ("here", -1, (0, 0), ("channel -1",)),
        ("here", 0, None, ("13×13", "row and column")),
        ("here", 0, (13, 0), ("row 13, column 0", "rows 0 to 12")),
        ("here", 0, (0, -1), ("column -1",)),
        ("fc", 0, (1, 0), ("vector of 3 values",)),
    ],
)
def test_what_is_not_there_is_refused(layer: str, channel: int, at: Place | None, parts: tuple[str, ...]) -> None:
    model, seen, _ = looked_into(Conv2D(4, 3))
    with pytest.raises(UserError) as refused:
        arithmetic(model, seen, layer, channel, at)
    assert_one_line(str(refused.value), *parts)
