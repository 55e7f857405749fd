"""A network as a picture: Graphviz's DOT, module by module or layer by layer."""

from __future__ import annotations

from cnnlab import units
from cnnlab.kinds import kind
from cnnlab.layers import Activation, Dropout, shape_text
from cnnlab.modules import contents, modules, summary
from cnnlab.network import Network, Node

INK = "#7A8794"
FONT = "Source Sans, Source Sans Pro, Helvetica, sans-serif"


def layer_diagram(network: Network) -> str:
    """DOT with a box for each layer, framed by module, and the shapes on the edges."""
    lines = []
    for module, nodes in modules(network):
        boxes = [f"  {box(node.name, caption(node), kind(node.layer).colour, kind(node.layer).text)}" for node in nodes]
        if len(nodes) > 1:
            frame = f'  label={quote(module)} labeljust=l fontcolor="{INK}" color="{INK}" style="rounded,dashed"'
            boxes = [f"subgraph {quote('cluster ' + module)} {{", frame, *boxes, "}"]
        lines += boxes
    edges = [(source, node.name, network[source]) for node in network.layers for source in node.inputs]
    return graph([*lines, *(edge(source, target, node) for source, target, node in edges)])


def module_diagram(network: Network) -> str:
    """DOT with a box for each module, what is in it, and the shapes between them."""
    lines, edges = [], []
    for module, nodes in modules(network):
        main = max(nodes, key=lambda node: node.multiply_adds)
        colours = kind(main.layer)
        parameters = sum(node.parameters for node in nodes)
        held = f"{units.short(parameters)} parameters" if parameters else ""
        text = "\n".join(filter(None, [module, *contents(nodes), held]))
        lines.append(box(module, text, colours.colour, colours.text))
        inside = {node.name for node in nodes}
        sources = {source for node in nodes for source in node.inputs if source not in inside}
        edges += [edge(network[source].module, module, network[source]) for source in sorted(sources)]
    return graph([*lines, *edges])


def caption(node: Node) -> str:
    match node.layer:
        case Activation(activation):
            return f"{node.name}\n{activation}"
        case Dropout(rate):
            return f"{node.name}\ndropout {rate:g}"
        case layer:
            return f"{node.name}\n{summary(node) or layer.type}"


def box(name: str, text: str, colour: str, text_colour: str) -> str:
    return f'{quote(name)} [label={quote(text)} fillcolor="{colour}" fontcolor="{text_colour}"]'


def edge(source: str, target: str, node: Node) -> str:
    return f"{quote(source)} -> {quote(target)} [label={quote(' ' + shape_text(node.output_shape))}]"


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def graph(lines: list[str]) -> str:
    settings = [
        'bgcolor="transparent" rankdir=TB nodesep=0.3 ranksep=0.35',
        f'graph [fontname="{FONT}" fontsize=12]',
        f'node [shape=box style="rounded,filled" penwidth=0 fontname="{FONT}" fontsize=12 margin="0.16,0.07"]',
        f'edge [color="{INK}" fontcolor="{INK}" fontname="{FONT}" fontsize=11 arrowsize=0.7]',
    ]
    return "digraph {\n" + "\n".join(settings + lines) + "\n}\n"
