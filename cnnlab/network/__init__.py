"""A network as a value: layer kinds, the graph, modules, analysis and diagram. It knows nothing of TensorFlow."""

from cnnlab.network.graph import Builder, Network, Node, Tensor

__all__ = ["Builder", "Network", "Node", "Tensor"]
