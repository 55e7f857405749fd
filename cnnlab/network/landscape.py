"""Where the modules and layers of a network stand when it is drawn as volumes, from its input to its output.

Lengths grow with the square root of what they stand for: linearly, VGG16's last maps would be specks beside its first
or its first too large for any screen. Height, width and channels of the maps have the same scale in all of a picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from math import prod, sqrt
from typing import Literal

from cnnlab import units
from cnnlab.network import Network, Node
from cnnlab.network.families import FAMILIES, Family
from cnnlab.network.lanes import Extent, LaneLayout, Point, arrange
from cnnlab.network.layers import Shape, shape_text
from cnnlab.network.modules import contents
from cnnlab.text import plain

MOST_FACE_UNIT, MOST_DEPTH_UNIT = 15.0, 1.5
SLANT = (0.8, -0.6)
"""The way in which channels are drawn: to the right and up."""
LINE_HEIGHT = 15.0
LETTER, WIDE_LETTER = 5.7, 6.4
"""About how wide a letter is at 12 px: in plain text, in bold."""
MOST_LETTERS = 26
MOST_TOLD = 5
"""Lines that say what a module holds."""
LANE_GAP = 20.0
MARGIN, FRAME_TITLE = 14.0, 24.0
LABEL_GAP = 6.0
WIDE = 1160.0
"""The width that a closed network fills where it can."""
LONG_NAME = re.compile(r"(.{6,}?)[_ -]?(\d\w{0,3})")
"""A name that takes two lines where there is little room: inception_3a."""


@dataclass(frozen=True)
class Volume:
    """Feature maps in front of one another: the left, top, width and height of the first, and how deep they go.

    `bands` are the families of the layers that it stands for with their shares of the depth, from front to back.
    """

    left: float
    top: float
    width: float
    height: float
    depth: float
    bands: tuple[tuple[Family, float], ...]

    @property
    def slant(self) -> Point:
        return self.depth * SLANT[0], self.depth * SLANT[1]


@dataclass(frozen=True)
class Box:
    """A module or a layer in the picture: its volume, its label (the first `titles` lines are its name), and the
    rectangle that both take."""

    name: str
    kind: Literal["module", "layer"]
    module: str
    nodes: tuple[Node, ...]
    shape: Shape
    volume: Volume
    label: tuple[str, ...]
    titles: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class OpenedModule:
    """An opened module: what is drawn around its layers."""

    module: str
    title: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Line:
    """What flows from box to box, or between a box and the edge of an opened module."""

    source: str
    target: str
    points: tuple[Point, ...]


@dataclass(frozen=True)
class Landscape:
    """A network's picture as places; `families` are those that it shows."""

    boxes: tuple[Box, ...]
    frames: tuple[OpenedModule, ...]
    lines: tuple[Line, ...]
    links: tuple[tuple[str, str], ...]
    width: float
    height: float

    @property
    def families(self) -> list[Family]:
        shown = {family for box in self.boxes for family, _ in box.volume.bands}
        return [family for family in FAMILIES if family in shown]


@dataclass(frozen=True)
class Style:
    """How much room there is: the largest face and depth, the gaps between columns, and whether the label of a module
    says what it holds."""

    face: float
    depth: float
    gap: float
    worded: bool


ROOMY = Style(face=112, depth=150, gap=22, worded=True)
COMPACT = Style(face=84, depth=110, gap=9, worded=False)
MOST_GAP = 64.0


@dataclass(frozen=True)
class Scale:
    """Pixels for the square root of a map's side and of its channels."""

    face: float
    depth: float

    @classmethod
    def of(cls, network: Network, style: Style) -> Scale:
        """The same whatever is opened, so that nothing changes its size then."""
        shapes = [volume_shape(node.output_shape) for node in network.layers]
        side = max(max(height, width) for height, width, _ in shapes)
        channels = max(channels for _, _, channels in shapes)
        return cls(min(style.face / sqrt(side), MOST_FACE_UNIT), min(style.depth / sqrt(channels), MOST_DEPTH_UNIT))

    def volume(self, shape: Shape, bands: tuple[tuple[Family, float], ...]) -> Volume:
        height, width, channels = volume_shape(shape)
        return Volume(0, 0, self.face * sqrt(width), self.face * sqrt(height), self.depth * sqrt(channels), bands)


def volume_shape(shape: Shape) -> tuple[int, int, int]:
    """Height, width, channels; a vector is a map of one value in each channel."""
    return (1, 1, prod(shape)) if len(shape) != 3 else (shape[0], shape[1], shape[2])


def parts(network: Network) -> dict[str, list[Node]]:
    """The layers by module, those of modules that lead through each other together, under the name of the first."""
    part = {node.name: node.module for node in network.layers}
    order = list(dict.fromkeys(part.values()))
    while True:
        links = {(part[source], part[node.name]) for node in network.layers for source in node.inputs}
        graph: dict[str, list[str]] = {name: [] for name in order if name in part.values()}
        for source, target in sorted(links, key=lambda link: (order.index(link[0]), order.index(link[1]))):
            if source != target:
                graph[target].append(source)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circle = sorted(set(error.args[1]), key=order.index)
            part = {name: circle[0] if module in circle else module for name, module in part.items()}
        else:
            break
    found: dict[str, list[Node]] = {name: [] for name in graph}
    for node in network.layers:
        found[part[node.name]].append(node)
    return found


def landscape(network: Network, opened: Collection[str] = ()) -> Landscape:
    """Every module as a volume, or every layer of the modules that are `opened`."""
    found = parts(network)
    for style in (ROOMY, COMPACT):
        drawer = Drawer(network, found, Scale.of(network, style), style)
        closed = drawer.draw(())
        if closed.width <= WIDE:
            break
    columns = len({box.right for box in closed.boxes})
    gap = style.gap + max(WIDE - closed.width, 0) / max(columns - 1, 1)
    drawer = replace(drawer, style=replace(style, gap=min(gap, MOST_GAP)))
    return drawer.draw([name for name in opened if name in found])


@dataclass(frozen=True)
class Drawer:
    """Draws the parts of a network in a scale and a style."""

    network: Network
    parts: dict[str, list[Node]]
    scale: Scale
    style: Style

    def draw(self, opened: Collection[str]) -> Landscape:
        of = {node.name: part for part, nodes in self.parts.items() for node in nodes}
        across = [(of[source], of[node.name]) for node in self.network.layers for source in node.inputs]
        links = list(dict.fromkeys(link for link in across if link[0] != link[1]))
        pieces = {
            part: self.opened(part, nodes) if part in opened else self.closed(part, nodes)
            for part, nodes in self.parts.items()
        }
        extents = {part: piece.extent for part, piece in pieces.items()}
        whole = arrange(extents, links, of[self.network.outputs[0]], self.style.gap, LANE_GAP)
        down = whole.above + MARGIN
        moved = [
            piece.at(whole.places[part][0] + MARGIN, whole.places[part][1] + down) for part, piece in pieces.items()
        ]
        drawn = {node.name: box.name for piece in moved for box in piece.boxes for node in box.nodes}
        ends = [(drawn[source], drawn[node.name]) for node in self.network.layers for source in node.inputs]
        return Landscape(
            tuple(box for piece in moved for box in piece.boxes),
            tuple(frame for piece in moved for frame in piece.frames),
            (
                *shifted(whole, MARGIN, down),
                *(line for piece in moved for line in piece.lines),
            ),
            tuple(dict.fromkeys(link for link in ends if link[0] != link[1])),
            whole.width + 2 * MARGIN,
            whole.above + whole.below + 2 * MARGIN,
        )

    def closed(self, part: str, nodes: list[Node]) -> Piece:
        name = ", ".join(dict.fromkeys(node.module for node in nodes))
        long = None if self.style.worded else LONG_NAME.fullmatch(name)
        title = long.groups() if long else (name,)
        told = contents(nodes, MOST_TOLD) if self.style.worded else []
        counted = Counter(node.layer.family for node in nodes)
        bands = tuple((family, count / len(nodes)) for family, count in counted.items())
        label = (*title, self.shape_of(nodes[-1]), *told)
        return self.piece(part, "module", part, nodes, bands, label, len(title))

    def layer(self, part: str, node: Node, name: str) -> Piece:
        short = node.name.removeprefix(part).strip("_ /-") or node.name
        told = node.layer.caption
        label = (short, self.shape_of(node), *([told] if told.lower() != short.lower() else []))
        return self.piece(name, "layer", part, [node], ((node.layer.family, 1.0),), label, 1)

    def shape_of(self, node: Node) -> str:
        if node.name in self.network.outputs:
            return f"{units.count(node.output_shape[-1])} classes"
        return shape_text(node.output_shape)

    def piece(
        self,
        name: str,
        kind: Literal["module", "layer"],
        part: str,
        nodes: Sequence[Node],
        bands: tuple[tuple[Family, float], ...],
        label: tuple[str, ...],
        titles: int,
    ) -> Piece:
        lines = tuple(plain(line, MOST_LETTERS) for line in label)
        volume = self.scale.volume(nodes[-1].output_shape, bands)
        across, up = volume.slant
        text = max(len(line) * (WIDE_LETTER if place < titles else LETTER) for place, line in enumerate(lines))
        width = max(volume.width + across, text)
        left = (width - volume.width - across) / 2
        above = volume.height / 2 - up
        below = volume.height / 2 + LABEL_GAP + LINE_HEIGHT * len(lines)
        # A line leaves where the axis meets the right side of the slanted volume.
        leave = left + volume.width + across * min(1.0, volume.height / 2 / -up if up else 1.0)
        volume = replace(volume, left=left, top=-volume.height / 2)
        box = Box(
            name, kind, part, tuple(nodes), nodes[-1].output_shape, volume, lines, titles, 0, -above, width, below
        )
        return Piece(Extent(width, above, below, left, leave), (box,), (), ())

    def opened(self, part: str, nodes: list[Node]) -> Piece:
        """The layers of a module in a frame, one layer without; lines reach them from its left edge and leave for its
        right one."""
        if len(nodes) == 1:
            return self.layer(part, nodes[0], part)
        inside = {node.name for node in nodes}
        read = {source for node in self.network.layers if node.name not in inside for source in node.inputs}
        begin, end = "\0begin", "\0end"
        links = []
        for node in nodes:
            own = [source for source in node.inputs if source in inside]
            links += [(source, node.name) for source in dict.fromkeys(own)]
            if len(own) < len(node.inputs) or not node.inputs:
                links.append((begin, node.name))
        leading = {source for source, _ in links}
        links += [(node.name, end) for node in nodes if node.name in read or node.name not in leading]
        pieces = {node.name: self.layer(part, node, node.name) for node in nodes}
        port = Extent(0, 0, 0, 0, 0)
        extents = {begin: port, **{name: piece.extent for name, piece in pieces.items()}, end: port}
        made = arrange(extents, links, end, ROOMY.gap, LANE_GAP)
        moved = [piece.at(*made.places[name]) for name, piece in pieces.items()]
        above, below = made.above + FRAME_TITLE + MARGIN / 2, made.below + MARGIN
        title = ", ".join(dict.fromkeys(node.module for node in nodes))
        frame = OpenedModule(part, plain(title, 2 * MOST_LETTERS), 0, -above, made.width, below)
        lines = tuple(line for line in shifted(made, 0, 0) if leads(line, self.network, begin, end))
        boxes = tuple(box for piece in moved for box in piece.boxes)
        return Piece(Extent(made.width, above, below, 0, made.width), boxes, (frame,), lines)


def leads(line: Line, network: Network, begin: str, end: str) -> bool:
    """Whether anything flows there: nothing comes before the input, nothing goes on after an output."""
    if line.source == begin:
        return bool(network[line.target].inputs)
    if line.target != end:
        return True
    return any(line.source in node.inputs for node in network.layers)


@dataclass(frozen=True)
class Piece:
    """Something that is placed as one: a closed module, a layer, or an opened module; its axis at 0."""

    extent: Extent
    boxes: tuple[Box, ...]
    frames: tuple[OpenedModule, ...]
    lines: tuple[Line, ...]

    def at(self, x: float, y: float) -> Piece:
        return Piece(
            self.extent,
            tuple(box_at(box, x, y) for box in self.boxes),
            tuple(
                OpenedModule(one.module, one.title, one.left + x, one.top + y, one.right + x, one.bottom + y)
                for one in self.frames
            ),
            tuple(replace(line, points=tuple((a + x, b + y) for a, b in line.points)) for line in self.lines),
        )


def box_at(box: Box, x: float, y: float) -> Box:
    volume = replace(box.volume, left=box.volume.left + x, top=box.volume.top + y)
    return replace(box, volume=volume, left=box.left + x, right=box.right + x, top=box.top + y, bottom=box.bottom + y)


def shifted(made: LaneLayout, x: float, y: float) -> list[Line]:
    return [
        Line(source, target, tuple((a + x, b + y) for a, b in points))
        for (source, target), points in made.lines.items()
    ]
