from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cnnlab import architectures
from cnnlab.architectures.googlenet import INCEPTIONS
from cnnlab.errors import UserError
from cnnlab.lecture import reduction
from cnnlab.lecture.reduction import COST_MEASURES, Bottleneck, Cost, CostMeasure, Inception
from cnnlab.lecture.reduction_plots import branch_bars, formula, path_text, width_curve
from cnnlab.network import Builder, Network
from cnnlab.network.layers import Conv2D, Padding
from tests.conftest import assert_one_line

LECTURE = Bottleneck(28, 28, 192, kernel=5, filters=32, bottleneck=16, padding="valid")
NUMBERS = {"height": 28, "width": 28, "channels": 192, "kernel": 5, "filters": 32, "bottleneck": 16}

channels = st.integers(1, 300)


@st.composite
def cases(draw: st.DrawFn) -> Bottleneck:
    kernel = draw(st.integers(1, 7))
    padding: Padding = draw(st.sampled_from(["same", "valid"]))
    sides = st.integers(kernel if padding == "valid" else 1, 40)
    return Bottleneck(
        draw(sides), draw(sides), draw(channels), kernel, draw(channels), draw(st.integers(1, 400)), padding
    )


modules = st.builds(Inception, st.integers(1, 40), st.integers(1, 40), *[channels] * 7)


def cost(network: Network) -> Cost:
    return Cost(network.parameters, network.multiply_adds)


def test_the_lectures_case() -> None:
    """28x28x192, 5x5, 32 filters, valid: 153,632 parameters, or 3,088 + 12,832 = 15,920 through a bottleneck of 16."""
    assert LECTURE.direct.cost.parameters == 153_632
    assert [cost.parameters for cost in LECTURE.reduced.costs] == [3_088, 12_832]
    assert LECTURE.reduced.cost.parameters == 15_920
    assert LECTURE.direct.shapes == ((28, 28, 192), (24, 24, 32))
    assert LECTURE.reduced.shapes == ((28, 28, 192), (28, 28, 16), (24, 24, 32))
    assert LECTURE.direct.cost.multiply_adds == 24 * 24 * 32 * 5 * 5 * 192
    assert LECTURE.reduced.cost.multiply_adds == 28 * 28 * 16 * 192 + 24 * 24 * 32 * 5 * 5 * 16
    assert LECTURE.direct.cost.factor(LECTURE.reduced.cost, "parameters") == pytest.approx(9.650, abs=5e-4)


@given(cases())
def test_both_paths_cost_what_networks_of_the_same_layers_cost(case: Bottleneck) -> None:
    direct, reduced = Builder("direct"), Builder("reduced")
    x = direct.input(case.input_shape)
    straight = direct.build(direct.conv(x, case.filters, case.kernel, padding=case.padding, name="conv"))
    x = reduced.conv(reduced.input(case.input_shape), case.bottleneck, 1, name="reduce")
    detour = reduced.build(reduced.conv(x, case.filters, case.kernel, padding=case.padding, name="conv"))
    assert (case.direct.cost, case.reduced.cost) == (cost(straight), cost(detour))
    assert case.direct.output_shape == case.reduced.output_shape == straight.layers[-1].output_shape


@pytest.mark.parametrize("measure", COST_MEASURES)
@given(case=cases())
def test_break_even_separates_the_cheaper_widths_from_the_others(measure: CostMeasure, case: Bottleneck) -> None:
    widest, direct = case.break_even(measure).widest, case.direct.cost.of(measure)
    assert 0 <= widest < case.channels
    assert case.at(widest + 1).reduced.cost.of(measure) >= direct
    if widest:
        assert case.at(widest).reduced.cost.of(measure) < direct


@given(cases())
def test_break_even_is_the_closed_form(case: Bottleneck) -> None:
    """K²CF / (C + 1 + K²F) for parameters, H'W'K²CF / (HWC + H'W'K²F) for multiply-adds."""
    weights = case.kernel**2 * case.filters
    height, width, _ = case.direct.output_shape
    pixels, given_pixels = height * width, case.height * case.width
    assert case.break_even("parameters").width == Fraction(weights * case.channels, case.channels + 1 + weights)
    assert case.break_even("multiply_adds").width == Fraction(
        pixels * weights * case.channels, given_pixels * case.channels + pixels * weights
    )


def test_the_lectures_bottleneck_may_be_154_wide() -> None:
    assert LECTURE.break_even("parameters").width == Fraction(153_600, 993)
    assert LECTURE.break_even("parameters").widest == 154
    assert LECTURE.break_even("multiply_adds").widest == 144


def test_a_break_even_on_a_whole_number_saves_nothing_there() -> None:
    case = Bottleneck(8, 8, 2, kernel=1, filters=2, bottleneck=1, padding="same")  # 2 * 2 against B * (2 + 2)
    assert case.break_even("multiply_adds").width == 1
    assert case.break_even("multiply_adds").widest == 0
    assert case.direct.cost.multiply_adds == case.reduced.cost.multiply_adds


@given(cases())
def test_the_curve_rises_from_width_1_past_the_break_even_and_holds_the_case(case: Bottleneck) -> None:
    curve = case.curve()
    widths = [width for width, _ in curve]
    assert widths == sorted(set(widths))
    assert (widths[0], widths[-1]) == (1, max(case.channels, case.bottleneck))
    assert (case.bottleneck, case.reduced.cost) in curve
    for measure in COST_MEASURES:
        counts = [cost.of(measure) for _, cost in curve]
        assert counts == sorted(set(counts))
        assert case.break_even(measure).width < case.channels


@pytest.mark.parametrize("most", [1, 160, 400, 8192])
def test_a_curve_has_every_width_that_a_screen_can_show(most: int) -> None:
    curve = replace(LECTURE, channels=most, bottleneck=1).curve()
    assert len(curve) == most if most <= 400 else len(curve) <= reduction.MOST_POINTS + 2


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"height": 0}, ("height", "0", "1 to 4,096")),
        ({"width": -28}, ("width", "-28", "1 to 4,096")),
        ({"channels": 8193}, ("channels", "8,193", "1 to 8,192")),
        ({"kernel": 0}, ("kernel", "0", "1 to 31")),
        ({"filters": 10**30}, ("filters", "1 to 8,192")),
        ({"bottleneck": 0}, ("bottleneck", "0", "1 to 8,192")),
        ({"bottleneck": 1.5}, ("bottleneck", "1.5", "whole number")),
        ({"bottleneck": True}, ("bottleneck", "True", "whole number")),
        ({"height": 3}, ("5×5", "3×28", "kernel up to 3", "padding same")),
        ({"padding": "full"}, ("padding", "'full'", "same, valid")),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, object], said: tuple[str, ...]) -> None:
    values: dict[str, object] = {**NUMBERS, "padding": "valid", **changes}
    with pytest.raises(UserError) as refused:
        Bottleneck(**values)  # type: ignore[arg-type]
    assert_one_line(str(refused.value), *said)


def test_a_window_larger_than_its_input_fits_with_padding() -> None:
    assert Bottleneck(3, 3, 8, 5, 4, 2, "same").direct.output_shape == (3, 3, 4)


@pytest.mark.parametrize("text", ["28x28x192", "28×28×192", " 28 X 28 x 192 "])
def test_a_shape_is_read_as_people_write_it(text: str) -> None:
    assert reduction.read_shape(text) == (28, 28, 192)


@pytest.mark.parametrize(
    "text", ["", "28x28", "28x28x192x3", "axbxc", "-1x2x3", "28,28,192", "٢x٢x٢", "9" * 5000 + "x1x1"]
)
def test_a_shape_that_is_none_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(UserError) as refused:
        reduction.read_shape(text)
    assert_one_line(str(refused.value), "28x28x192")
    assert len(str(refused.value)) < 200


def test_the_report_is_json_with_both_paths_the_factor_and_the_break_even() -> None:
    report = json.loads(json.dumps(reduction.report(LECTURE)))
    assert report["input"] == [28, 28, 192]
    assert report["output"] == [24, 24, 32]
    assert report["direct"]["parameters"] == 153_632
    assert report["reduced"]["parameters"] == 15_920
    assert [layer["parameters"] for layer in report["reduced"]["layers"]] == [3_088, 12_832]
    assert report["factor"]["parameters"] == 153_632 / 15_920
    assert report["break_even"]["parameters"] == {"bottleneck": 153_600 / 993, "widest_cheaper": 154}


@pytest.mark.parametrize("name", INCEPTIONS)
def test_reduced_modules_are_those_of_the_built_googlenet_branch_by_branch(name: str) -> None:
    network, module = architectures.build("googlenet"), reduction.googlenet_modules()[name]
    parts = (("1x1",), ("3x3_reduce", "3x3"), ("5x5_reduce", "5x5"), ("pool_proj",))
    for branch, layers in zip(module.branches, parts, strict=True):
        nodes = [network[f"inception_{name}_{layer}"] for layer in layers]
        assert branch.reduced.layers == tuple(replace(node.layer, activation="linear") for node in nodes)
        assert branch.reduced.costs == tuple(Cost(node.parameters, node.multiply_adds) for node in nodes)
    nodes = [node for node in network.layers if node.module == f"inception_{name}"]
    assert module.reduced == reduction.together(Cost(node.parameters, node.multiply_adds) for node in nodes)
    assert (*module.input_shape[:2], module.reduced_channels) == network[f"inception_{name}_concat"].output_shape


def test_the_5x5_branch_of_inception_3a_is_the_lectures_example() -> None:
    five = reduction.googlenet_modules()["3a"].branches[2]
    assert five.naive.cost.parameters == 153_632
    assert five.reduced.cost.parameters == 15_920


@given(modules)
def test_a_naive_module_costs_what_the_network_of_figure_2a_costs(module: Inception) -> None:
    net = Builder("naive")
    x = net.input(module.input_shape)
    branches = [
        net.conv(x, filters, size, name=f"{size}x{size}")
        for size, filters in ((1, module.n1), (3, module.n3), (5, module.n5))
    ]
    pooled = net.max_pool(x, 3, stride=1, padding="same", name="pool")
    network = net.build(net.concat([*branches, pooled], name="concat"))
    assert module.naive == cost(network)
    assert network.layers[-1].output_shape == (module.height, module.width, module.naive_channels)
    assert module.naive_channels == module.n1 + module.n3 + module.n5 + module.channels
    assert module.reduced_channels == module.n1 + module.n3 + module.n5 + module.pool


def test_every_module_of_googlenet_saves_at_least_half() -> None:
    for module in reduction.googlenet_modules().values():
        assert all(module.naive.of(measure) > 2 * module.reduced.of(measure) for measure in COST_MEASURES)


def test_a_module_names_the_number_that_cannot_be() -> None:
    with pytest.raises(UserError) as refused:
        Inception(28, 28, 192, 64, 96, 128, 0, 32, 32)
    assert_one_line(str(refused.value), "#5×5 reduce", "0", "1 to 8,192")


def test_vgg_c_and_d_differ_in_three_layers_and_nothing_else() -> None:
    pairs = reduction.vgg_c_against_d()
    assert [pair.name for pair in pairs] == ["block3_conv3", "block4_conv3", "block5_conv3"]
    assert {pair.kernels for pair in pairs} == {(1, 3)}
    c, d = reduction.network_cost("vgg_c"), reduction.network_cost("vgg16")
    assert (c.parameters, d.parameters) == (133_638_952, 138_357_544)
    assert d - c == reduction.together(pair.costs[1] for pair in pairs) - reduction.together(
        pair.costs[0] for pair in pairs
    )
    assert (d - c).parameters == 8 * (256**2 + 512**2 + 512**2) == 4_718_592


def test_receptive_fields_of_vgg_c_and_d_by_hand() -> None:
    """Two 3x3 and a 2x2/2 pooling: 1 + 2 + 2 + 1 = 6, then 16; a third 3x3 at stride 4, 8 and 16 adds 8, 16 and 32."""
    fields = [pair.receptive_fields for pair in reduction.vgg_c_against_d()]
    assert fields == [(32, 40), (68, 92), (140, 196)]


def test_the_published_errors_rank_d_before_c_before_b() -> None:
    errors = [(error.top1, error.top5) for error in reduction.vgg_errors()]
    assert [error.configuration for error in reduction.vgg_errors()] == ["B", "C", "D"]
    assert errors == sorted(errors, reverse=True)


def test_formulas_hold_the_numbers() -> None:
    parameters, multiply_adds = (formula(LECTURE, measure) for measure in COST_MEASURES)
    assert r"5 \cdot 5 \cdot 192 \cdot 32 + 32 = 153{,}632" in parameters
    assert r"(1 \cdot 1 \cdot 192 \cdot 16 + 16) + (5 \cdot 5 \cdot 16 \cdot 32 + 32)" in parameters
    assert "3{,}088 + 12{,}832 = 15{,}920" in parameters
    assert r"\frac{153{,}600}{993} \approx 154.68" in parameters
    assert r"24 \cdot 24 \cdot 5 \cdot 5 \cdot 192 \cdot 32 = 88{,}473{,}600" in multiply_adds


@pytest.mark.parametrize("measure", COST_MEASURES)
@given(case=cases())
def test_formulas_are_true(measure: CostMeasure, case: Bottleneck) -> None:
    """Each line evaluated as arithmetic, the break-even's with its two roundings."""
    body = formula(case, measure).removeprefix(r"\begin{aligned}").removesuffix(r"\end{aligned}")
    plain = body.replace("{,}", "").replace(r"\cdot", "*").replace("&", "").replace(r"\quad", "")
    *lines, even = plain.split(r"\\")
    words = "".join(lines).replace(r"\text{direct}", "|").replace(r"\text{reduced}", "|").replace("|", "\n")
    for line in words.strip().splitlines():
        values = {eval(part) for part in line.split("=") if part.strip()}  # noqa: S307
        assert len(values) == 1, line
    assert ("=" in even.split("}")[-1]) == (case.break_even(measure).width.denominator == 1)


@pytest.mark.parametrize("measure", COST_MEASURES)
@given(case=cases())
def test_the_curve_is_drawn_with_the_direct_path_the_break_even_and_the_case(
    measure: CostMeasure, case: Bottleneck
) -> None:
    reduced, direct, even, chosen = width_curve(case, measure).data
    assert next(iter(reduced.x)) == 1
    assert set(direct.y) == set(even.y) == {case.direct.cost.of(measure)}
    assert even.x[0] == pytest.approx(float(case.break_even(measure).width))
    assert (chosen.x[0], chosen.y[0]) == (case.bottleneck, case.reduced.cost.of(measure))


def test_bars_show_naive_beside_reduced_for_each_branch() -> None:
    naive, reduced = branch_bars(reduction.googlenet_modules()["3a"], "parameters").data
    assert list(naive.x) == list(reduced.x) == ["1×1", "3×3", "5×5", "pooling"]
    assert list(naive.y) == [12_352, 221_312, 153_632, 0]
    assert list(reduced.y) == [12_352, 129_248, 15_920, 6_176]


def test_a_path_is_written_as_it_is_read() -> None:
    assert path_text(LECTURE.reduced) == "1×1, 16 → 5×5, 32"
    assert path_text(reduction.Path((7, 7, 832), (Conv2D(128, 1),)), pooled=True) == "3×3 max pool → 1×1, 128"


@given(cases())
def test_cases_are_values(case: Bottleneck) -> None:
    assume(case.bottleneck != 1)
    assert case == case.at(case.bottleneck)
    assert case != case.at(1)
    assert len({case, case.at(case.bottleneck), case.at(1)}) == 2
