"""A network's landscape as what a browser is given: the picture, and what can be pointed at in it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from xml.etree import ElementTree as ET

from cnnlab import units
from cnnlab.network import Network
from cnnlab.network.analysis import receptive_fields_along
from cnnlab.network.diagram import SCALE_WORDS, AtWork, arranged, picture
from cnnlab.network.landscape import Box, parts, volume_shape
from cnnlab.network.layers import shape_text
from cnnlab.network.modules import MOST_CONTENTS, contents
from cnnlab.text import plain

Data = dict[str, Any]


def scene(network: Network, opened: Collection[str] = (), at_work: AtWork | None = None) -> Data:
    """JSON: `drawing` is the picture as nested [tag, attributes, text or children]; `boxes` in the order of its groups
    of class `box`, each with the face on which its maps lie, what it costs, and its receptive field on the input."""
    known, shown = parts(network), arranged(network, opened, at_work)
    height, width, _ = volume_shape(network.input_shape)
    fields = [receptive_fields_along(network, axis) for axis in (0, 1)]
    reads: dict[str, list[str]] = {box.name: [] for box in shown.boxes}
    for source, target in shown.links:
        reads[source].append(target)

    def described(box: Box) -> Data:
        face, last = box.volume, box.nodes[-1].name
        along = [axis[last] for axis in fields]
        return {
            "name": box.name,
            "module": box.module,
            "title": plain(box.name),
            "opens": box.kind == "module" and len(box.nodes) > 1,
            "what": ", ".join(contents(box.nodes, MOST_CONTENTS)) or box.nodes[-1].layer.caption,
            "shape": shape_text(box.shape),
            "maps": list(volume_shape(box.shape)[:2]),
            "face": [face.left, face.top, face.width, face.height],
            "cell": [box.left, box.top, box.right, box.bottom],
            "leads": reads[box.name],
            "last": last,
            "layers": [[plain(node.name), f"{node.layer.type} {node.layer.caption}"] for node in box.nodes],
            "parameters": units.count(sum(node.parameters for node in box.nodes)),
            "multiply_adds": units.count(sum(node.multiply_adds for node in box.nodes)),
            "field": {
                "size": [one.size for one in along],
                "stride": [one.stride for one in along],
                "start": [one.start for one in along],
            },
        }

    return {
        "network": plain(network.name),
        "width": shown.width,
        "height": shown.height,
        "input": [height, width],
        "drawing": nested(picture(shown, at_work)),
        "boxes": [described(box) for box in shown.boxes],
        "frames": [
            {"module": frame.module, "at": [frame.left, frame.top, frame.right, frame.bottom]} for frame in shown.frames
        ],
        "opened": [name for name in opened if name in known],
        "families": [{"title": family.title, "colour": family.colour} for family in shown.families],
        "scale": SCALE_WORDS,
        "at_work": at_work is not None,
    }


def nested(element: ET.Element) -> list[Any]:
    """An element as [tag, attributes, text or children]."""
    return [element.tag, dict(element.attrib), element.text or [nested(child) for child in element]]
