"""A network as a picture in SVG: its landscape drawn as slanted volumes with labels, lines and a legend."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from xml.etree import ElementTree as ET

from cnnlab import units
from cnnlab.network import Network
from cnnlab.network.families import Family
from cnnlab.network.landscape import LINE_HEIGHT, MARGIN, SLANT, Box, Landscape, Line, OpenedModule, Volume, landscape
from cnnlab.network.lanes import Point
from cnnlab.text import plain

DIAGRAM_INK = "#7A8794"
"""Of lines: seen on the light page and on the dark one."""
SCALE_WORDS = (
    "To scale: lengths grow with the square root of height, width (the face) and channels (the depth, to the back)."
)
STYLE = """
text { font: 12px "Source Sans", "Source Sans 3", "Source Sans Pro", Helvetica, Arial, sans-serif; fill: #57626E }
.name { font-weight: 600; fill: #17212B }
.edge { stroke: #FFFFFF; stroke-width: 0.75; stroke-linejoin: round }
.frame { fill: #F3F6F9; stroke: #DCE3EA }
@media (prefers-color-scheme: dark) {
  svg { background: #10161D }
  text { fill: #A3AEB9 }
  .name { fill: #E6EBF0 }
  .edge { stroke: #10161D }
  .frame { fill: #1A232D; stroke: #2C3946 }
}
"""
SWATCH, WORD, LEGEND_LINE = 12.0, 6.1, 20.0
ANSWER_WIDTH, ANSWERS_HEIGHT, MOST_ANSWER_LETTERS = 140.0, 58.0, 22
BAR_WIDTH = 80.0
BAR_COLOUR = "#0072B2"
Polygon = Sequence[Point]


@dataclass(frozen=True)
class Answer:
    """What an output says: its most probable classes with their probabilities. `head` is its layer's name where there
    are several outputs."""

    head: str
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class AtWork:
    """A network at one image. `faces` are pictures of feature maps as data addresses, by the name of the box whose face
    they cover; `answers` stand at the end."""

    faces: Mapping[str, str]
    answers: tuple[Answer, ...]


def arranged(network: Network, opened: Collection[str] = (), at_work: AtWork | None = None) -> Landscape:
    """The landscape, with room at its end for what the network says."""
    shown = landscape(network, opened)
    if at_work is None:
        return shown
    columns = len(answer_columns(at_work.answers))
    return replace(
        shown,
        width=max(shown.width, ANSWER_WIDTH * columns + 2 * MARGIN),
        height=shown.height + ANSWERS_HEIGHT,
    )


def svg(network: Network, opened: Collection[str] = (), at_work: AtWork | None = None) -> str:
    """The picture as a file that stands alone, with a title and a legend."""
    shown = arranged(network, opened, at_work)
    legend = legend_lines(shown)
    width = max(shown.width, 760.0)
    height = shown.height + LEGEND_LINE * (len(legend) + 1)
    root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "role": "img"})
    root.attrib |= {
        "viewBox": f"0 0 {number(width)} {number(height)}",
        "width": number(width),
        "height": number(height),
    }
    ET.SubElement(root, "title").text = f"{plain(network.name)} from its input to its output"
    ET.SubElement(root, "style").text = STYLE
    root.append(picture(shown, at_work))
    for place, line in enumerate(legend):
        x, y = MARGIN, shown.height + LEGEND_LINE * place + SWATCH
        for family in line:
            where = {"x": number(x), "y": number(y - SWATCH + 2), "width": number(SWATCH), "height": number(SWATCH)}
            ET.SubElement(root, "rect", {**where, "rx": "2", "fill": family.colour})
            words(root, family.title, x + SWATCH + 5, y, anchor="start")
            x += swatch_width(family)
    words(root, SCALE_WORDS, MARGIN, shown.height + LEGEND_LINE * len(legend) + SWATCH, anchor="start")
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def legend_lines(shown: Landscape) -> list[list[Family]]:
    """The families in as many lines as the width asks for."""
    lines: list[list[Family]] = [[]]
    x = MARGIN
    for family in shown.families:
        if lines[-1] and x + swatch_width(family) > max(shown.width, 760.0):
            lines.append([])
            x = MARGIN
        lines[-1].append(family)
        x += swatch_width(family)
    return lines


def swatch_width(family: Family) -> float:
    return SWATCH + 5 + WORD * len(family.title) + 18


def picture(shown: Landscape, at_work: AtWork | None = None) -> ET.Element:
    """Frames, lines and boxes as one group; each box is a group of its own, in the order of `shown.boxes`."""
    whole = ET.Element("g", {"class": "network"})
    for frame in shown.frames:
        draw_frame(whole, frame)
    wires = ET.SubElement(whole, "g", {"class": "wires", "fill": "none", "stroke": DIAGRAM_INK})
    ends = {box.name for box in shown.boxes}
    for line in shown.lines:
        draw_line(wires, line, line.target in ends)
    for box in shown.boxes:
        draw_box(whole, box, at_work.faces.get(box.name) if at_work else None)
    if at_work:
        draw_answers(whole, shown, at_work.answers)
    return whole


def answer_columns(answers: Sequence[Answer]) -> list[tuple[str, str, float]]:
    """Head, class and probability from left to right: what the main output says comes last, its most probable class
    first."""
    return [(answer.head, name, share) for answer in (*answers[1:], *answers[:1]) for name, share in answer.classes]


def draw_answers(whole: ET.Element, shown: Landscape, answers: Sequence[Answer]) -> None:
    """The most probable classes as bars side by side, under the network's end."""
    group = ET.SubElement(whole, "g", {"class": "answers"})
    columns = answer_columns(answers)
    left = max(shown.width - MARGIN - ANSWER_WIDTH * len(columns), MARGIN)
    top = shown.height - ANSWERS_HEIGHT
    for head, name, share in columns:
        words(group, plain(head, MOST_ANSWER_LETTERS), left, top + 10, anchor="start")
        words(group, plain(name, MOST_ANSWER_LETTERS), left, top + 26, anchor="start", name=True)
        at = {"x": number(left), "y": number(top + 33), "height": "11", "rx": "2"}
        ET.SubElement(group, "rect", {**at, "width": number(BAR_WIDTH), "fill": DIAGRAM_INK, "fill-opacity": "0.2"})
        known = isfinite(share)
        if known:
            ET.SubElement(group, "rect", {**at, "width": number(BAR_WIDTH * min(share, 1)), "fill": BAR_COLOUR})
        told = units.percent(share) if known else "NaN"
        words(group, told, left + BAR_WIDTH + 5, top + 43, anchor="start")
        left += ANSWER_WIDTH


def draw_frame(whole: ET.Element, frame: OpenedModule) -> None:
    size = {"width": number(frame.right - frame.left), "height": number(frame.bottom - frame.top)}
    at = {"x": number(frame.left), "y": number(frame.top)}
    ET.SubElement(whole, "rect", {"class": "frame", **at, **size, "rx": "8"})
    words(whole, frame.title, frame.left + 12, frame.top + 18, anchor="start", name=True)


def draw_line(wires: ET.Element, line: Line, arrow: bool) -> None:
    """Straight in the columns, curved between them; an arrow where it ends at a box."""
    (x, y), *rest = line.points
    path = f"M{number(x)} {number(y)}"
    for to_x, to_y in rest:
        if to_y == y:
            path += f"H{number(to_x)}"
        else:
            middle = number((x + to_x) / 2)
            path += f"C{middle} {number(y)} {middle} {number(to_y)} {number(to_x)} {number(to_y)}"
        x, y = to_x, to_y
    ET.SubElement(wires, "path", {"d": path, "stroke-width": "1.25"})
    if not arrow:
        return
    head = f"M{number(x - 5)} {number(y - 3)}L{number(x)} {number(y)}L{number(x - 5)} {number(y + 3)}"
    ET.SubElement(wires, "path", {"d": head, "stroke-width": "1.25", "stroke-linejoin": "round"})


def draw_box(whole: ET.Element, box: Box, face: str | None = None) -> None:
    """The volume, its bands from front to back, a picture on its face, and the label under its middle."""
    group = ET.SubElement(whole, "g", {"class": "box"})
    volume = box.volume
    left, top = volume.left, volume.top
    right, bottom = left + volume.width, top + volume.height
    lid_and_side = [*slab(volume, 0, volume.depth)]
    near = 0.0
    for family, share in volume.bands:
        far = near + share * volume.depth
        for corners, shade in zip(slab(volume, near, far), (("#FFFFFF", "0.3"), ("#000000", "0.22")), strict=True):
            draw_polygon(group, corners, family.colour)
            draw_polygon(group, corners, *shade)
        near = far
    main = max(box.nodes, key=lambda node: node.multiply_adds).layer.family
    draw_polygon(group, [(left, top), (right, top), (right, bottom), (left, bottom)], main.colour, edge=True)
    if face:
        at = {"x": number(left), "y": number(top), "width": number(volume.width), "height": number(volume.height)}
        as_it_is = {"preserveAspectRatio": "none", "image-rendering": "pixelated"}
        ET.SubElement(group, "image", {**at, **as_it_is, "href": face})
    for corners in lid_and_side:
        draw_polygon(group, corners, "none", edge=True)
    middle = (box.left + box.right) / 2
    base = box.bottom - LINE_HEIGHT * len(box.label) + 11
    for place, line in enumerate(box.label):
        words(group, line, middle, base + LINE_HEIGHT * place, name=place < box.titles)


def slab(volume: Volume, near: float, far: float) -> tuple[Polygon, Polygon]:
    """What is seen of a part of the depth: from above and from the right."""
    left, top = volume.left, volume.top
    right, bottom = left + volume.width, top + volume.height
    (a, b), (c, d) = [(depth * SLANT[0], depth * SLANT[1]) for depth in (near, far)]
    lid = [(left + a, top + b), (right + a, top + b), (right + c, top + d), (left + c, top + d)]
    side = [(right + a, top + b), (right + c, top + d), (right + c, bottom + d), (right + a, bottom + b)]
    return lid, side


def draw_polygon(group: ET.Element, corners: Polygon, colour: str, opacity: str = "1", edge: bool = False) -> None:
    attributes = {"points": " ".join(f"{number(x)},{number(y)}" for x, y in corners), "fill": colour}
    if edge:
        attributes["class"] = "edge"
    if opacity != "1":
        attributes["fill-opacity"] = opacity
    ET.SubElement(group, "polygon", attributes)


def words(parent: ET.Element, text: str, x: float, y: float, anchor: str = "middle", name: bool = False) -> None:
    kind = {"class": "name"} if name else {}
    ET.SubElement(parent, "text", {**kind, "x": number(x), "y": number(y), "text-anchor": anchor}).text = text


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
