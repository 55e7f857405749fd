"""Ways through a network: what leads to its output, and where its feature maps end."""

from __future__ import annotations

from cnnlab.errors import UserError
from cnnlab.network import Network, Node
from cnnlab.network.layers import Flatten, GlobalAveragePooling2D, Shape


def last_map_node(network: Network) -> Node:
    """The layer that flattens or averages the feature maps before the first output; UserError where there is none."""
    for node in network.layers:
        if isinstance(node.layer, Flatten | GlobalAveragePooling2D) and leads_to(network, node.name):
            return node
    raise UserError("This network has no layer that ends its feature maps.")


def last_map(network: Network) -> Shape:
    """The shape of what is flattened or averaged before the first output."""
    return last_map_node(network).input_shapes[0]


def leads_to(network: Network, name: str) -> bool:
    """Whether the layer lies on the way to the first output."""
    wanted, seen = [network.outputs[0]], set()
    while wanted:
        node = network[wanted.pop()]
        if node.name not in seen:
            seen.add(node.name)
            wanted += node.inputs
    return name in seen
