"""A network as an architecture function in cnnlab's own style, which draws the same network again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import MISSING, fields
from itertools import groupby
from keyword import iskeyword

from cnnlab.network import Network, Node
from cnnlab.network import layers as kinds
from cnnlab.network.layers import (
    Activation,
    Add,
    AnyLayer,
    AveragePooling2D,
    BatchNormalization,
    Concatenate,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    InputLayer,
    LocalResponseNormalization,
    MaxPooling2D,
    ZeroPadding2D,
)

RESERVED = {"net", "x", "Builder", "Network", *kinds.__all__}


def function_name(network: Network) -> str:
    """The network's name as Python writes one."""
    name = re.sub(r"\W+", "_", network.name.lower(), flags=re.ASCII).strip("_") or "network"
    name = name if name[0].isalpha() else f"network_{name}"
    return f"{name}_" if iskeyword(name) or name in RESERVED else name


def architecture_function(network: Network) -> str:
    """Python of a function that returns the network: `net` draws, a module at a time, and `x` goes on where the way
    does not branch. ASCII, whatever the layers are called."""
    name = function_name(network)
    body: list[str] = [f"net = Builder({literal(network.name)})"]
    names = variables(network)
    used: set[str] = set()
    for module, group in groupby(network.layers, key=lambda node: node.module):
        nodes = list(group)
        lines = [line(node, names, used) for node in nodes]
        if [node.name for node in nodes] == [module]:
            body += lines
        else:
            body += [f"with net.module({literal(module)}):", *(f"    {one}" for one in lines)]
        body[-1] += f"  # {'x'.join(map(str, nodes[-1].output_shape))}"
    body.append(f"return net.build({', '.join(names[output] for output in network.outputs)})")
    imports = "from cnnlab.network import Builder, Network\n"
    if used:
        imports += f"from cnnlab.network.layers import {', '.join(sorted(used))}\n"
    inner = "\n".join(f"    {one}" for one in body)
    height, width, channels = (*network.input_shape, 1, 1)[:3]
    text = (
        f"{height}x{width}x{channels} images, {network.classes:,} classes: {network.parameters:,} parameters, "
        f"{network.multiply_adds:,} multiply-adds."
    )
    return f'{imports}\n\ndef {name}() -> Network:\n    """{text}"""\n{inner}\n'


def literal(text: str) -> str:
    """A text as Python writes it, in ASCII."""
    shown = ascii(text)
    return shown if '"' in text or "\\" in shown else f'"{shown[1:-1]}"'


def variables(network: Network) -> dict[str, str]:
    """What each layer's output is called: `x` along a way, another name while what `x` is will still be read."""
    last_read = {name: number for number, node in enumerate(network.layers) for name in node.inputs}
    last_read |= dict.fromkeys(network.outputs, len(network.layers))
    holder: dict[str, str] = {}
    names: dict[str, str] = {}
    for number, node in enumerate(network.layers):
        free = {variable for variable, layer in holder.items() if last_read.get(layer, -1) <= number}
        read = [names[name] for name in node.inputs]
        if not read or ("x" in free and (read[0] == "x" or node.layer.joins)) or "x" not in holder:
            chosen = "x"
        elif read[0] in free and read[0] != "x":
            chosen = read[0]
        else:
            chosen = identifier(node, set(holder) - free)
        holder[chosen] = node.name
        names[node.name] = chosen
    return names


def identifier(node: Node, taken: set[str]) -> str:
    """A variable for what begins a branch: the layer's name without its module's."""
    short = re.sub(r"\W+", "_", node.name.removeprefix(node.module), flags=re.ASCII).strip("_").lower()
    short = short.removesuffix("_conv") or "branch"
    short = short if short[0].isalpha() else f"b{short}"
    wanted, number = short, 2
    while wanted in taken or wanted in RESERVED or iskeyword(wanted):
        wanted, number = f"{short}_{number}", number + 1
    return wanted


def line(node: Node, names: dict[str, str], used: set[str]) -> str:
    read = [names[name] for name in node.inputs]
    return f"{names[node.name]} = {call(node, read, used)}"


def call(node: Node, read: Sequence[str], used: set[str]) -> str:
    """The builder's method that adds a layer; `add`, with the layer itself, where a method does not say it."""
    name = f"name={literal(node.name)}"
    x = read[0] if read else ""
    several = f"[{', '.join(read)}]"
    layer = node.layer
    match layer:
        case InputLayer():
            return f"net.input({layer.shape}, {name})"
        case Conv2D():
            given = settings(layer, ("stride", "padding", "activation", "use_bias"))
            return f"net.conv({', '.join([x, str(layer.filters), str(layer.kernel), *given, name])})"
        case DepthwiseConv2D():
            given = settings(layer, ("stride", "padding", "multiplier", "activation", "use_bias"))
            return f"net.depthwise_conv({', '.join([x, str(layer.kernel), *given, name])})"
        case Dense():
            given = settings(layer, ("activation", "use_bias"))
            return f"net.dense({', '.join([x, str(layer.units), *given, name])})"
        case MaxPooling2D():
            stride = [] if layer.stride == layer.kernel else [f"stride={layer.stride}"]
            return f"net.max_pool({', '.join([x, str(layer.kernel), *stride, *settings(layer, ('padding',)), name])})"
        case AveragePooling2D():
            given = [f"stride={layer.stride}", *settings(layer, ("padding",))]
            return f"net.average_pool({', '.join([x, str(layer.kernel), *given, name])})"
        case GlobalAveragePooling2D():
            return f"net.global_average_pool({x}, {name})"
        case ZeroPadding2D() if layer.pads_channels:
            return f"net.zero_channels({x}, {layer.before}, {layer.after}, {name})"
        case ZeroPadding2D():
            return f"net.zero_pad({x}, {layer.top}, {layer.bottom}, {layer.left}, {layer.right}, {name})"
        case Activation():
            return f"net.activation({x}, {literal(layer.activation)}, {name})"
        case Dropout() if layer.rate:
            return f"net.dropout({x}, {layer.rate!r}, {name})"
        case Flatten():
            return f"net.flatten({x}, {name})"
        case Concatenate():
            return f"net.concat({several}, {name})"
        case Add():
            return f"net.sum({several}, {name})"
        case BatchNormalization() if layer == BatchNormalization():
            return f"net.batch_norm({x}, {name})"
        case LocalResponseNormalization() if layer == LocalResponseNormalization():
            return f"net.local_response_norm({x}, {name})"
        case _:
            used.add(layer.type)
            given = settings(layer, tuple(field.name for field in fields(layer)))
            return f"net.add({layer.type}({', '.join(given)}), {several}, {literal(node.name)})"


def settings(layer: AnyLayer, names: Sequence[str]) -> list[str]:
    """The settings that are not the kind's defaults, as arguments by name."""
    defaults = {field.name: field.default for field in fields(layer)}
    values = {name: getattr(layer, name) for name in names}
    return [
        f"{name}={literal(value) if isinstance(value, str) else repr(value)}"
        for name, value in values.items()
        if defaults[name] is MISSING or value != defaults[name]
    ]
