from __future__ import annotations

import pytest

from cnnlab.errors import UserError
from cnnlab.network.layers import (
    Activation,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    Layer,
    MaxPooling2D,
    Padding,
    Shape,
    shape_text,
)


def parameters(layer: Layer, *inputs: Shape) -> int:
    return sum(weight.size for weight in layer.weights(*inputs))


@pytest.mark.parametrize(
    ("layer", "shape", "output"),
    [
        (InputLayer((32, 32, 3)), (), (32, 32, 3)),
        (Conv2D(64, 3), (32, 32, 3), (32, 32, 64)),
        (Conv2D(32, 5, padding="valid"), (28, 28, 192), (24, 24, 32)),
        (Conv2D(96, 3, stride=2), (7, 7, 8), (4, 4, 96)),
        (MaxPooling2D(2, 2), (7, 9, 5), (3, 4, 5)),
        (MaxPooling2D(3, 2, "same"), (28, 28, 80), (14, 14, 80)),
        (GlobalAveragePooling2D(), (7, 7, 336), (336,)),
        (Flatten(), (7, 7, 512), (25_088,)),
        (Dense(10), (512,), (10,)),
        (BatchNormalization(), (8, 8, 64), (8, 8, 64)),
        (Activation("relu"), (8, 8, 64), (8, 8, 64)),
        (Dropout(0.5), (512,), (512,)),
    ],
)
def test_a_layer_knows_the_shape_it_gives(layer: Layer, shape: Shape, output: Shape) -> None:
    assert layer.output_shape(*([shape] if shape else [])) == output


def test_concatenation_adds_up_the_channels() -> None:
    assert Concatenate().output_shape((28, 28, 64), (28, 28, 128), (28, 28, 32)) == (28, 28, 224)


@pytest.mark.parametrize("size", [5, 8, 28, 31, 32])
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_window_stops_as_often_as_it_fits(size: int, kernel: int, stride: int, padding: Padding) -> None:
    """Counted by sliding it: over the map for "valid", from each stride-th pixel for "same"."""
    last = size - 1 if padding == "same" else size - kernel
    stops = len([start for start in range(0, size, stride) if start <= last])
    assert Conv2D(4, kernel, stride, padding).output_shape((size, size, 3)) == (stops, stops, 4)


def test_the_lectures_1x1_convolution_saves_nine_tenths_of_the_weights() -> None:
    """153,632 weights for a 5x5 convolution on 192 maps; 3,088 + 12,832 = 15,920 through a 1x1 bottleneck of 16."""
    assert parameters(Conv2D(32, 5, padding="valid"), (28, 28, 192)) == 153_632
    assert parameters(Conv2D(16, 1), (28, 28, 192)) == 3_088
    assert parameters(Conv2D(32, 5, padding="valid"), (28, 28, 16)) == 12_832


def test_batch_normalization_learns_half_of_its_weights() -> None:
    weights = BatchNormalization().weights((8, 8, 64))
    assert [(weight.name, weight.shape, weight.trainable) for weight in weights] == [
        ("gamma", (64,), True),
        ("beta", (64,), True),
        ("moving_mean", (64,), False),
        ("moving_variance", (64,), False),
    ]


def test_only_convolutions_and_dense_layers_cost_multiply_adds() -> None:
    assert Conv2D(32, 5, padding="valid").multiply_adds((28, 28, 192)) == 24 * 24 * 32 * 5 * 5 * 192
    assert Dense(512).multiply_adds((4096,)) == 4096 * 512
    for layer in (BatchNormalization(), Activation("relu"), MaxPooling2D(2, 2), Dropout(0.5), Flatten()):
        assert layer.multiply_adds((8, 8, 64)) == 0


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (Conv2D(8, 3), [(512,)]),
        (MaxPooling2D(2, 2), [(512,)]),
        (MaxPooling2D(2, 2), [(1, 1, 64)]),
        (GlobalAveragePooling2D(), [(512,)]),
        (Dense(10), [(7, 7, 512)]),
        (Concatenate(), [(28, 28, 64), (14, 14, 64)]),
    ],
)
def test_shapes_that_do_not_fit_are_refused_with_the_shape_received(layer: Layer, inputs: list[Shape]) -> None:
    with pytest.raises(UserError) as refused:
        layer.output_shape(*inputs)
    assert all(shape_text(shape[:2]) in str(refused.value) for shape in inputs)


def test_layers_are_values() -> None:
    assert Conv2D(64, 3) == Conv2D(filters=64, kernel=3, stride=1, padding="same")
    assert Conv2D(64, 3) != Conv2D(64, 3, stride=2)
    assert len({Dropout(0.5), Dropout(0.5), Dropout(0.25)}) == 2
