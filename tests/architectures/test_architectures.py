from __future__ import annotations

import math

import pytest

from cnnlab import architectures
from cnnlab.architectures import ARCHITECTURES
from cnnlab.errors import UserError
from tests.conftest import assert_one_line

MINIVGGNET = [
    # The lecture's table: type, output shape, parameters. It prints no row for the input.
    ("Conv2D", (32, 32, 32), 896),
    ("Activation", (32, 32, 32), 0),
    ("BatchNormalization", (32, 32, 32), 128),
    ("Conv2D", (32, 32, 32), 9_248),
    ("Activation", (32, 32, 32), 0),
    ("BatchNormalization", (32, 32, 32), 128),
    ("MaxPooling2D", (16, 16, 32), 0),
    ("Dropout", (16, 16, 32), 0),
    ("Conv2D", (16, 16, 64), 18_496),
    ("Activation", (16, 16, 64), 0),
    ("BatchNormalization", (16, 16, 64), 256),
    ("Conv2D", (16, 16, 64), 36_928),
    ("Activation", (16, 16, 64), 0),
    ("BatchNormalization", (16, 16, 64), 256),
    ("MaxPooling2D", (8, 8, 64), 0),
    ("Dropout", (8, 8, 64), 0),
    ("Flatten", (4_096,), 0),
    ("Dense", (512,), 2_097_664),
    ("Activation", (512,), 0),
    ("BatchNormalization", (512,), 2_048),
    ("Dropout", (512,), 0),
    ("Dense", (10,), 5_130),
    ("Activation", (10,), 0),
]

VGG16 = [
    ("block1_conv1", "Conv2D", (224, 224, 64), 1_792),
    ("block1_conv2", "Conv2D", (224, 224, 64), 36_928),
    ("block1_pool", "MaxPooling2D", (112, 112, 64), 0),
    ("block2_conv1", "Conv2D", (112, 112, 128), 73_856),
    ("block2_conv2", "Conv2D", (112, 112, 128), 147_584),
    ("block2_pool", "MaxPooling2D", (56, 56, 128), 0),
    ("block3_conv1", "Conv2D", (56, 56, 256), 295_168),
    ("block3_conv2", "Conv2D", (56, 56, 256), 590_080),
    ("block3_conv3", "Conv2D", (56, 56, 256), 590_080),
    ("block3_pool", "MaxPooling2D", (28, 28, 256), 0),
    ("block4_conv1", "Conv2D", (28, 28, 512), 1_180_160),
    ("block4_conv2", "Conv2D", (28, 28, 512), 2_359_808),
    ("block4_conv3", "Conv2D", (28, 28, 512), 2_359_808),
    ("block4_pool", "MaxPooling2D", (14, 14, 512), 0),
    ("block5_conv1", "Conv2D", (14, 14, 512), 2_359_808),
    ("block5_conv2", "Conv2D", (14, 14, 512), 2_359_808),
    ("block5_conv3", "Conv2D", (14, 14, 512), 2_359_808),
    ("block5_pool", "MaxPooling2D", (7, 7, 512), 0),
    ("flatten", "Flatten", (25_088,), 0),
    ("fc1", "Dense", (4_096,), 102_764_544),
    ("fc2", "Dense", (4_096,), 16_781_312),
    ("predictions", "Dense", (1_000,), 4_097_000),
]

MINIGOOGLENET_STAGES = [
    # Zhang et al., Figure 3: output size of each module at 28x28x3
    ("stem_act", (28, 28, 96)),
    ("inception1a_concat", (28, 28, 32 + 32)),
    ("inception1b_concat", (28, 28, 32 + 48)),
    ("downsample1_concat", (14, 14, 80 + 80)),
    ("inception2a_concat", (14, 14, 112 + 48)),
    ("inception2b_concat", (14, 14, 96 + 64)),
    ("inception2c_concat", (14, 14, 80 + 80)),
    ("inception2d_concat", (14, 14, 48 + 96)),
    ("downsample2_concat", (7, 7, 96 + 144)),
    ("inception3a_concat", (7, 7, 176 + 160)),
    ("inception3b_concat", (7, 7, 176 + 160)),
    ("mean_pool", (336,)),
    ("fc", (10,)),
]


def test_minivggnet_is_the_lectures_table_row_by_row() -> None:
    network = architectures.build("minivggnet")
    _, *layers = network.layers
    assert [(node.layer.type, node.output_shape, node.parameters) for node in layers] == MINIVGGNET
    assert (network.layers[0].layer.type, network.input_shape) == ("InputLayer", (32, 32, 3))


def test_minivggnet_has_the_lectures_totals() -> None:
    network = architectures.build("minivggnet")
    assert (network.parameters, network.trainable, network.non_trainable) == (2_171_178, 2_169_770, 1_408)


def test_vgg16_is_the_lectures_table_row_by_row() -> None:
    network = architectures.build("vgg16")
    _, *layers = network.layers
    assert [(node.name, node.layer.type, node.output_shape, node.parameters) for node in layers] == VGG16
    assert network.input_shape == (224, 224, 3)


def test_vgg16_has_the_lectures_totals() -> None:
    network = architectures.build("vgg16")
    assert (network.parameters, network.trainable, network.non_trainable) == (138_357_544, 138_357_544, 0)


@pytest.mark.parametrize("input_size", [28, 32])
def test_minigooglenet_has_the_papers_1_6_million_parameters(input_size: int) -> None:
    network = architectures.build("minigooglenet", {"input_size": input_size})
    assert (network.parameters, network.trainable) == (1_656_250, 1_652_826)


@pytest.mark.parametrize("input_size", [28, 32])
def test_minigooglenet_without_batch_normalization_has_the_papers_count(input_size: int) -> None:
    network = architectures.build("minigooglenet", {"input_size": input_size, "batch_normalization": False})
    assert (network.parameters, network.trainable) == (1_649_402, 1_649_402)


def test_minigooglenet_has_the_papers_modules() -> None:
    network = architectures.build("minigooglenet")
    assert [(name, network[name].output_shape) for name, _ in MINIGOOGLENET_STAGES] == MINIGOOGLENET_STAGES
    assert network.input_shape == (28, 28, 3)


def test_minigooglenet_orders_convolution_normalization_activation() -> None:
    """The figure's conv module, whatever the lecture's extension suggests."""
    network = architectures.build("minigooglenet")
    convs = [node for node in network.layers if node.layer.type == "Conv2D"]
    followers = {name: node for node in network.layers for name in node.inputs if node.layer.type != "Concatenate"}
    assert len(convs) == 1 + 8 * 2 + 2
    for conv in convs:
        norm = followers[conv.name]
        assert norm.layer.type == "BatchNormalization"
        assert followers[norm.name].layer.type == "Activation"


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_network_ends_in_probabilities_for_its_classes(name: str) -> None:
    network = architectures.build(name, {"classes": 17})
    assert network.classes == 17
    head = network[network.outputs[0]]
    assert getattr(head.layer, "activation", None) == "softmax"
    assert head.output_shape == (17,)


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_the_same_options_give_the_same_network(name: str) -> None:
    assert architectures.build(name) == architectures.build(name, ARCHITECTURES[name].defaults)
    assert ARCHITECTURES[name].function() == architectures.build(name)


def test_the_code_shown_is_the_function_that_draws() -> None:
    for architecture in ARCHITECTURES.values():
        function = getattr(architecture.function, "func", architecture.function)
        assert architecture.source.startswith(f"def {function.__name__}(")
        assert architecture.name in architecture.source
        assert "return net.build(x" in architecture.source


def test_every_architecture_says_where_it_was_published() -> None:
    for architecture in ARCHITECTURES.values():
        assert architecture.paper.url.startswith(("https://arxiv.org/abs/", "https://doi.org/"))
        assert 1998 <= architecture.year <= 2018
        assert architecture.title
        assert architecture.summary.endswith(".")


def test_options_turn_layers_off() -> None:
    network = architectures.build(
        "minivggnet", {"batch_normalization": False, "dropout": 0, "classifier_dropout": "0.0"}
    )
    assert {node.layer.type for node in network.layers}.isdisjoint({"BatchNormalization", "Dropout"})
    assert network.parameters == 2_171_178 - 2 * 1_408


def test_options_are_read_as_the_command_line_gives_them() -> None:
    as_text = architectures.build("minivggnet", {"classes": "200", "batch_normalization": "false", "dropout": "0.5"})
    assert as_text == architectures.build("minivggnet", {"classes": 200, "batch_normalization": False, "dropout": 0.5})


def test_an_unknown_architecture_is_answered_with_the_names() -> None:
    with pytest.raises(UserError) as refused:
        architectures.build("resnet")
    assert_one_line(str(refused.value), "'resnet'", "minivggnet", "minigooglenet", "vgg16")


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"depth": 3}, ["'depth'", "batch_normalization", "classes"]),
        ({"classes": 1}, ["classes", "1", "greater than or equal to 2"]),
        ({"classes": 10**6}, ["classes", "22000"]),
        ({"classes": "ten"}, ["classes", "'ten'", "integer"]),
        ({"classes": 10.5}, ["classes", "10.5", "integer"]),
        ({"input_size": 0}, ["input_size", "0"]),
        ({"input_size": 10**9}, ["input_size", "1024"]),
        ({"dropout": 1}, ["dropout", "0.95"]),
        ({"dropout": -0.1}, ["dropout", "-0.1"]),
        ({"dropout": math.nan}, ["dropout", "nan"]),
        ({"batch_normalization": "maybe"}, ["batch_normalization", "'maybe'", "boolean"]),
        ({"input_size": 3}, ["block2_pool", "larger input"]),
    ],
)
def test_an_option_that_is_not_accepted_is_refused_in_one_line(values: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        architectures.build("minivggnet", values)  # type: ignore[arg-type]
    assert_one_line(str(refused.value), "minivggnet", *parts)


@pytest.mark.parametrize(
    ("name", "image_size", "input_size"),
    [
        ("minivggnet", 32, 32),
        ("minivggnet", 8, 32),
        ("minigooglenet", 32, 28),
        ("vgg16", 32, 32),
        ("vgg16", 64, 64),
        ("vgg16", 500, 224),
    ],
)
def test_a_network_for_large_images_does_not_enlarge_small_ones(name: str, image_size: int, input_size: int) -> None:
    assert architectures.training_input_size(name, image_size) == input_size
