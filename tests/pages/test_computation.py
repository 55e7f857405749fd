"""How one value of a layer came about, as a page shows it: every kind, with TensorFlow's numbers."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from cnnlab import units
from cnnlab.inference.activations import ActivationModel, untrained
from cnnlab.inference.arithmetic import arithmetic
from cnnlab.inference.computation import Computed
from cnnlab.network import Builder
from cnnlab.network.layers import ActivationName, Layer
from cnnlab.plots.formulas import number
from pages.shared.computation import show_value
from pages.shared.view import View
from tests.network.test_kinds import CASES, drawn

pytestmark = pytest.mark.slow
CHANNEL, AT = 2, (3, 2)


def shown(view: View, layer: str, channel: int, at: tuple[int, int], **query: str) -> AppTest:
    """A page that shows one computation and nothing else."""

    def page(view: object, layer: str, channel: int, at: tuple[int, int]) -> None:
        from pages.shared.address import arrive
        from pages.shared.computation import show_computation

        arrive("microscope")
        show_computation(view, layer, channel, at)

    given = {"view": view, "layer": layer, "channel": channel, "at": at}
    app = AppTest.from_function(page, default_timeout=60, kwargs=given)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def rows(app: AppTest) -> dict[str, list[str]]:
    """What stands in the tables, by the name of the row."""
    found: dict[str, list[str]] = {}
    for one in app.get("html"):
        for row in re.findall(r"<tr[^>]*>(.*?)</tr>", one.proto.body):
            name, *cells = (unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row))
            found[name] = cells
    return found


def looked(network: Any, silenced: dict[str, Any] | None = None, classes: tuple[str, ...] = ()) -> View:
    """A network with weights that leave nothing at 0 or 1, at an image."""
    made = untrained(network)
    model = ActivationModel(network, made.model, made.preprocessing, classes or made.classes)
    random = np.random.default_rng(1)
    for weights in model.model.weights:
        low = 0.1 if "variance" in weights.path else -1.0
        weights.assign(random.uniform(low, 1, weights.shape))
    image = random.integers(0, 256, (*made.preprocessing.input_size, 3), dtype=np.uint8)
    return View("a", "Made up", model, model.activations(image, silenced), "version")


def stored(view: View, layer: str, channel: int, at: tuple[int, int]) -> float:
    values = view.seen.values[layer]
    return float(values[(*at, channel)] if values.ndim == 3 else values[channel])


@pytest.mark.parametrize(("kind", "layer"), CASES)
def test_every_kind_shows_a_picture_and_tensorflows_value(kind: type[Layer], layer: Layer) -> None:
    network, name = drawn(layer)
    view = looked(network)
    app = shown(view, name, CHANNEL, AT)
    if layer.has_window:
        assert app.get("bidi_component"), "the kernel slides; its own tests read its numbers"
        return
    assert app.get("plotly_chart"), f"{kind.__name__} is drawn"
    value = stored(view, name, CHANNEL, AT)
    assert units.digits(value) in {cell for cells in rows(app).values() for cell in cells}
    steps = [one.value for one in app.latex if "aligned" in one.value]
    assert not steps or f"= {number(value)} " in steps[-1], "the formula comes to the same"


def test_a_grey_network_takes_the_mean_of_the_three_colours() -> None:
    net = Builder("grey")
    x = net.flatten(net.conv(net.input((6, 6, 1)), 2, 3, name="conv"))
    view = looked(net.build(net.dense(x, 3, activation="softmax", name="fc")))
    table = rows(app := shown(view, "input", 0, AT))
    pixel = view.seen.inputs[AT]
    assert [table[name][0] for name in ("red", "green", "blue")] == [str(one) for one in pixel]
    assert table["their mean"][-1] == units.digits(stored(view, "input", 0, AT))
    assert number(stored(view, "input", 0, AT)) in app.latex[0].value


@pytest.mark.parametrize("activation", ["linear", "elu", "softmax"])
def test_activations_of_a_layer_of_their_own(activation: ActivationName) -> None:
    net = Builder("activations")
    x = net.activation(net.conv(net.input((6, 6, 3)), 4, 3, name="conv"), activation, name="act")
    network = net.build(net.dense(net.flatten(x, name="flat"), 3, activation="softmax", name="fc"))
    view = looked(network)
    for channel in range(4):
        app = shown(view, "act", channel, AT)
        value = stored(view, "act", channel, AT)
        assert units.digits(value) in {cell for cells in rows(app).values() for cell in cells}
        assert f"= {number(value)} " in app.latex[0].value
        if activation == "softmax":
            assert rows(app)["all"][-1] == "1", "the shares of the channels at one place"


def test_a_padded_border_is_a_zero_from_nowhere() -> None:
    net = Builder("border")
    x = net.zero_pad(net.conv(net.input((6, 6, 3)), 4, 3, name="conv"), 1, 2, 2, 1, name="pad")
    network = net.build(net.dense(net.flatten(x, name="flat"), 3, activation="softmax", name="fc"))
    view = looked(network)
    border, inside = shown(view, "pad", 1, (0, 4)), shown(view, "pad", 1, (3, 4))
    assert rows(border)["comes from"] == ["the border: a zero"]
    assert rows(border)["Value"] == ["0"]
    assert not border.button
    assert (rows(inside)["its row"], rows(inside)["its column"]) == (["2"], ["2"])
    assert rows(inside)["Value"] == [units.digits(stored(view, "conv", 1, (2, 2)))]


def test_a_way_of_computing_that_no_picture_shows_is_no_blank() -> None:
    network, name = drawn(CASES[0].values[1])
    view = looked(network)
    known = arithmetic(view.model, view.seen, name, 0, AT)
    with pytest.raises(AssertionError):
        show_value(view, Computed(known.node, 0, AT, object(), 0.0, False))  # type: ignore[arg-type]


def test_every_number_that_leads_to_a_value_is_the_networks() -> None:
    net = Builder("every_number")
    x = net.batch_norm(net.conv(net.input((7, 7, 3)), 6, 3, name="conv"), name="bn")
    lrn = net.local_response_norm(x, name="lrn")
    both = net.sum([x, lrn], name="sum")
    joined = net.concat([both, net.conv(lrn, 5, 1, name="beside")], name="join")
    x = net.global_average_pool(joined, name="gap")
    view = looked(net.build(net.dense(x, 3, activation="softmax", name="fc")))
    row, column = at = (4, 5)
    values = {name: np.asarray(kept, np.float64) for name, kept in view.seen.values.items()}

    def told(layer: str, channel: int, *names: str) -> list[str]:
        table = rows(shown(view, layer, channel, at))
        return [table[name][0] for name in names]

    def digits(*numbers: float) -> list[str]:
        return [units.digits(float(number)) for number in numbers]

    weights = [np.asarray(kept)[3] for kept in view.model.model.get_layer("bn").weights]
    names = ("Scale γ (gamma)", "Shift β (beta)", "Moving mean μ", "Moving variance σ²", "Epsilon ε", "Input x")
    assert told("bn", 3, *names) == digits(*weights, 0.001, values["conv"][row, column, 3])
    squares = float((values["bn"][row, column, 2:6] ** 2).sum())
    divisor = float(values["bn"][row, column, 4] / values["lrn"][row, column, 4])
    names = ("Channels a", "Sum of their squares Σa²", "Input x")
    assert told("lrn", 4, *names) == ["2 to 5", *digits(squares, values["bn"][row, column, 4])]
    (shown_divisor,) = told("lrn", 4, "Divisor")
    assert float(shown_divisor) == pytest.approx(divisor, rel=1e-3)
    terms = digits(*(values[name][row, column, 1] for name in ("bn", "lrn", "sum")))
    assert told("sum", 1, "bn", "lrn", "Sum y") == terms
    names = ("comes from", "its channel", "Channels before that input", "Value")
    assert told("join", 8, *names) == ["beside, input 2 of 2", "2", "6", *digits(values["beside"][row, column, 2])]
    part = values["join"][..., 8]
    names = ("Values n", "Their sum", "Smallest", "Largest")
    assert told("gap", 8, *names) == ["49", *digits(part.sum(), part.min(), part.max())]


def vector_network() -> Any:
    net = Builder("dense")
    x = net.flatten(net.conv(net.input((6, 6, 3)), 4, 3, name="conv"), name="flat")
    x = net.dropout(net.dense(x, 40, name="fc1", activation="relu"), 0.5, name="drop")
    return net.build(net.dense(x, 12, name="fc", activation="softmax"))


def test_the_contributions_and_the_score_of_a_class_are_tensorflows() -> None:
    from cnnlab.keras.backend import tf

    view = looked(vector_network(), classes=tuple(f"*class* {number}" for number in range(12)))
    kernel, bias = (np.asarray(one) for one in view.model.model.get_layer("fc").weights)
    given = view.seen.values["drop"]
    scores = tf.matmul(given[None], kernel).numpy()[0] + bias
    shares = tf.nn.softmax(scores).numpy()
    chosen = int(np.argsort(-shares)[1])
    app = shown(view, "fc", chosen, (0, 0))
    table = rows(app)
    products = given * kernel[:, chosen]
    assert table["Positive products"] == [units.digits(float(products[products > 0].sum(dtype=np.float64)))]
    assert table["Bias"] == [units.digits(float(bias[chosen]))]
    assert table["Score"] == [units.digits(float(scores[chosen]))]
    for place in np.argsort(-shares)[:9]:
        power = float(np.exp(np.float64(scores[place]) - scores.max()))
        name, score, raised, share = f"*class* {place}", *table[f"*class* {place}"]
        assert score == units.digits(float(scores[place])), name
        assert float(raised) == pytest.approx(power, rel=1e-3) if "·" not in raised else power < 1e-4
        assert share == units.digits(float(shares[place])), name
    named = app.get("plotly_chart")[0].proto.spec
    unit = int(np.argmax(products))
    assert f"fc1, unit {unit}" in named, "an input comes from the layer before dropout"
    assert units.digits(float(products[unit])) in named


def test_dropout_is_off_in_use_and_draws_as_in_training() -> None:
    view = looked(vector_network())
    unit = int(np.argmax(view.seen.values["fc1"]))
    value = stored(view, "fc1", unit, AT)
    off = shown(view, "drop", unit, (0, 0))
    assert rows(off)["Output y"] == [units.digits(value)]
    assert "off" in off.caption[0].value
    seen = set()
    for draw in range(1, 9):
        table = rows(shown(view, "drop", unit, (0, 0), dropout="training", draw=str(draw)))
        seen.add(table["Output y"][0])
        kept = table["This value"] == ["kept"]
        assert table["Output y"] == [units.digits(2 * value) if kept else "0"]
        again = rows(shown(view, "drop", unit, (0, 0), dropout="training", draw=str(draw)))
        assert again == table, "a draw is found again by its number"
    assert seen == {"0", units.digits(2 * value)}


def test_an_entry_of_a_flattened_vector_names_its_place() -> None:
    view = looked(vector_network())
    entry = (4 * 6 + 1) * 4 + 3
    table = rows(app := shown(view, "flat", entry, (0, 0)))
    assert [table[name] for name in ("Row", "Column", "Channel")] == [["4"], ["1"], ["3"]]
    assert table["Value"] == [units.digits(float(view.seen.values["conv"][4, 1, 3]))]
    assert app.button[0].label == "Look at conv, channel 3, row 4, column 1"
    app.button[0].click().run()
    assert {name: app.query_params[name] for name in ("layer", "channel", "at")} == {
        "layer": "conv",
        "channel": "3",
        "at": "4,1",
    }


def test_a_silenced_channel_says_so_and_what_it_would_give() -> None:
    net = Builder("silent")
    x = net.batch_norm(net.conv(net.input((6, 6, 3)), 4, 3, name="conv"), name="bn")
    network = net.build(net.dense(net.global_average_pool(x, name="gap"), 3, activation="softmax", name="fc"))
    whole = looked(network)
    value = stored(whole, "bn", 1, (2, 2))
    seen = whole.model.activations(whole.seen.inputs, {"bn": [1]})
    app = shown(View("a", "Silenced", whole.model, seen, "other", ("bn:1",)), "bn", 1, (2, 2))
    assert "silenced" in app.info[0].value
    assert rows(app)["Output y"] == [units.digits(value)]


def test_weights_that_are_no_numbers_are_shown_as_such() -> None:
    net = Builder("broken")
    x = net.activation(
        net.batch_norm(net.conv(net.input((6, 6, 3)), 4, 3, name="conv"), name="bn"), "relu", name="relu"
    )
    network = net.build(net.dense(net.global_average_pool(x, name="gap"), 3, activation="softmax", name="fc"))
    view = looked(network)
    view.model.model.get_layer("conv").weights[0].assign(np.full((3, 3, 3, 4), np.nan))
    view = View("a", "NaN", view.model, view.model.activations(view.seen.inputs), "broken")
    view.model.model.get_layer("bn").weights[3].assign(np.full(4, -1.0))
    for name in ("bn", "relu", "gap", "fc"):
        app = shown(view, name, 1, (2, 2))
        assert "NaN" in {cell for cells in rows(app).values() for cell in cells}, name
        assert app.get("plotly_chart")


def test_a_place_that_is_not_there_is_one_line() -> None:
    view = looked(vector_network())
    app = shown(view, "fc", 99, (0, 0))
    assert "99" in app.error[0].value
    assert not app.get("plotly_chart")
