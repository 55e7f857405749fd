"""Where an entry of a vector comes from."""

from __future__ import annotations

import pytest

from cnnlab.network import Builder
from cnnlab.network.layers import Layer, Pointwise
from cnnlab.network.origin import origin
from tests.network.test_kinds import EXAMPLES


def test_an_entry_is_followed_to_the_unit_that_computed_it() -> None:
    net = Builder("origins")
    maps = net.conv(net.input((5, 4, 3)), 6, 3, name="conv")
    flat = net.flatten(maps, name="flat")
    dense = net.dense(flat, 7, name="fc1")
    after = net.dropout(net.activation(net.batch_norm(dense, name="bn"), "relu", name="relu"), 0.5, name="drop")
    joined = net.concat([net.global_average_pool(maps, name="gap"), after, flat], name="join")
    network = net.build(net.dense(joined, 2, name="fc", activation="softmax"))
    entry = (3 * 4 + 2) * 6 + 5
    assert origin(network, "flat", entry).text == "conv [3, 2], channel 5"
    assert origin(network, "drop", 4).text == "fc1, unit 4"
    assert origin(network, "join", 4).text == "conv, mean of channel 4"
    assert origin(network, "join", 6 + 3).text == "fc1, unit 3"
    assert origin(network, "join", 6 + 7 + entry).text == "conv [3, 2], channel 5"
    with pytest.raises(IndexError):
        origin(network, "join", 6 + 7 + 120)


@pytest.mark.parametrize(
    "layer", [layer for kind, layers in EXAMPLES.items() if issubclass(kind, Pointwise) for layer in layers], ids=str
)
def test_every_kind_that_keeps_places_is_looked_through(layer: Layer) -> None:
    net = Builder("through")
    dense = net.dense(net.flatten(net.input((3, 3, 3))), 5, name="fc1")
    through = net.add(layer, [dense], "through")  # type: ignore[arg-type]
    network = net.build(net.dense(through, 2, name="fc", activation="softmax"))
    assert origin(network, "through", 3).text == "fc1, unit 3"
