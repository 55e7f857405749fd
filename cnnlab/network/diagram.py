"""A network as a picture in Graphviz's DOT, from left to right: modules, and the layers of those that are opened."""

from __future__ import annotations

from collections.abc import Collection

from cnnlab import units
from cnnlab.network import Network, Node
from cnnlab.network.families import Family
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import contents, modules
from cnnlab.text import plain

DIAGRAM_INK = "#7A8794"
FONT = "Source Sans, Source Sans Pro, Helvetica, sans-serif"


def diagram(network: Network, opened: Collection[str] = ()) -> str:
    """DOT with a box for each module, or for each layer of the modules that are `opened`, and the shapes between."""
    lines: list[str] = []
    place: dict[str, str] = {}  # of each layer: its own box, or its module's
    for module, nodes in modules(network):
        if module in opened and len(nodes) > 1:
            colours = f'fontcolor="{DIAGRAM_INK}" color="{DIAGRAM_INK}"'
            frame = f'  label={quote(module)} labeljust=l {colours} style="rounded,dashed"'
            lines += [f"subgraph {quote('cluster ' + module)} {{", frame, *map(layer_box, nodes), "}"]
        elif module in opened:
            lines.append(layer_box(nodes[0]))
        else:
            lines.append(module_box(module, nodes))
        place |= {node.name: node.name if module in opened else f"module {module}" for node in nodes}
    edges = {(place[source], place[node.name]): network[source] for node in network.layers for source in node.inputs}
    return graph([*lines, *(edge(*ends, node) for ends, node in edges.items() if ends[0] != ends[1])])


def layer_box(node: Node) -> str:
    return box(node.name, f"{node.name}\n{node.layer.caption}", node.layer.family)


def module_box(module: str, nodes: list[Node]) -> str:
    """A module in a box: what is in it, its parameters, and the colour of the layer that works most."""
    parameters = sum(node.parameters for node in nodes)
    held = f"{units.short(parameters)} parameters" if parameters else ""
    text = "\n".join(filter(None, [module, *contents(nodes), held]))
    return box(f"module {module}", text, max(nodes, key=lambda node: node.multiply_adds).layer.family)


def box(name: str, text: str, colours: Family) -> str:
    return f'{quote(name)} [label={quote(text)} fillcolor="{colours.colour}" fontcolor="{colours.text}"]'


def edge(source: str, target: str, node: Node) -> str:
    return f"{quote(source)} -> {quote(target)} [label={quote(' ' + shape_text(node.output_shape))}]"


def quote(text: str) -> str:
    """A string of DOT, which reads entities of HTML: names of layers may come from a file."""
    shown = "\n".join(plain(line) for line in text.split("\n"))
    escaped = shown.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def graph(lines: list[str]) -> str:
    settings = [
        'bgcolor="transparent" rankdir=LR nodesep=0.25 ranksep=0.3',
        f'graph [fontname="{FONT}" fontsize=12]',
        f'node [shape=box style="rounded,filled" penwidth=1 color="{DIAGRAM_INK}" fontname="{FONT}" fontsize=12 '
        f'margin="0.16,0.07"]',
        f'edge [color="{DIAGRAM_INK}" fontcolor="{DIAGRAM_INK}" fontname="{FONT}" fontsize=12 arrowsize=0.7]',
    ]
    return "digraph {\n" + "\n".join(settings + lines) + "\n}\n"
