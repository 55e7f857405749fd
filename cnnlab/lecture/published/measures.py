"""What published tables print about layers, measured on ours: each takes a network and the layers of a row."""

from __future__ import annotations

from cnnlab.network import Network, Node, analysis
from cnnlab.network.layers import AveragePooling2D, Conv2D, Dropout, GlobalAveragePooling2D, MaxPooling2D, Shape

Nodes = tuple[Node, ...]


def parameters(network: Network, nodes: Nodes) -> int:
    return sum(node.parameters for node in nodes)


def trainable(network: Network, nodes: Nodes) -> int:
    return sum(node.trainable for node in nodes)


def non_trainable(network: Network, nodes: Nodes) -> int:
    return sum(node.non_trainable for node in nodes)


def kernel_weights(network: Network, nodes: Nodes) -> int:
    """Parameters without biases and normalization."""
    return sum(weight.size for node in nodes for weight in node.weights if weight.name == "kernel")


def multiply_adds(network: Network, nodes: Nodes) -> int:
    return sum(node.multiply_adds for node in nodes)


def weight_layers(network: Network, nodes: Nodes) -> int:
    """Depth of the whole network."""
    return analysis.weight_layers(network)


def depth(network: Network, nodes: Nodes) -> int:
    """Convolutions and dense layers on the longest way through these layers."""
    lengths: dict[str, int] = {}
    for node in nodes:
        before = max((lengths.get(name, 0) for name in node.inputs), default=0)
        lengths[node.name] = before + node.layer.weighted
    return max(lengths.values())


def depth_behind(network: Network, nodes: Nodes) -> int:
    """Convolutions and dense layers that follow these: a softmax that is its dense layer's activation adds none."""
    place = network.layers.index(nodes[-1])
    return sum(node.layer.weighted for node in network.layers[place + 1 :])


def output_shape(network: Network, nodes: Nodes) -> Shape:
    return nodes[-1].output_shape


def layer_type(network: Network, nodes: Nodes) -> str:
    return nodes[-1].layer.type


def filters(network: Network, nodes: Nodes) -> tuple[int, ...]:
    return tuple(node.layer.filters for node in nodes if isinstance(node.layer, Conv2D))


def window(network: Network, nodes: Nodes) -> tuple[int, int, int]:
    """Height and width of the last window that slides over these layers, and its stride."""
    windows: list[tuple[int, int, int]] = []
    for node in nodes:
        match node.layer:
            case (
                Conv2D(kernel=kernel, stride=stride)
                | MaxPooling2D(kernel=kernel, stride=stride)
                | AveragePooling2D(kernel=kernel, stride=stride)
            ):
                windows.append((kernel, kernel, stride))
            case GlobalAveragePooling2D():
                height, width, _ = node.input_shapes[0]
                windows.append((height, width, 1))
            case _:
                pass
    return windows[-1]


def kernel(network: Network, nodes: Nodes) -> tuple[int, int]:
    height, width, _ = window(network, nodes)
    return height, width


def stride(network: Network, nodes: Nodes) -> tuple[int, int]:
    _, _, step = window(network, nodes)
    return step, step


def kernel_and_filters(network: Network, nodes: Nodes) -> tuple[int, ...]:
    return (*kernel(network, nodes), *filters(network, nodes))


def filters_and_kernel(network: Network, nodes: Nodes) -> tuple[int, ...]:
    return (*filters(network, nodes), *kernel(network, nodes))


def dropout_percent(network: Network, nodes: Nodes) -> int:
    return sum(round(100 * node.layer.rate) for node in nodes if isinstance(node.layer, Dropout))
