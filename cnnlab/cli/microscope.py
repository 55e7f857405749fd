"""The command that looks into a network at work: what each layer makes of an image, down to one value's arithmetic."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cnnlab import runs, units
from cnnlab.architectures.comparison import Candidate
from cnnlab.cli.arithmetic import arithmetic_record, print_arithmetic
from cnnlab.cli.output import checkpoint_of, echo, print_json, print_table
from cnnlab.datasets.images import read_image
from cnnlab.datasets.unpacking import file_bytes
from cnnlab.errors import UserError
from cnnlab.network.layers import shape_text
from cnnlab.zoo import catalogue as networks

if TYPE_CHECKING:
    from cnnlab.inference.activations import ActivationModel, Activations, Values
    from cnnlab.inference.computation import Place

TOP = 5


def look_inside(options: argparse.Namespace) -> int:
    if options.maps and Path(options.maps).suffix.lower() != ".png":
        raise UserError(f"--maps takes the name of a PNG file, as maps.png, not {options.maps!r}.")
    for given, name, needed in (
        (options.channel, "--channel", "layer"),
        (options.at, "--at", "channel"),
        (options.maps, "--maps", "layer"),
    ):
        if given is not None and getattr(options, needed) is None:
            raise UserError(f"{name} needs --{needed}.")
    at = None if options.at is None else place_of(options.at)
    image = read_image(file_bytes(Path(options.image)), options.image)

    from cnnlab.inference.silencing import silenced_of

    silenced = silenced_of(options.silence)
    model = model_of(options)
    (way,) = model.preprocessing.framed(options.fit)
    inputs = way.fit(image)
    plain = model.activations(inputs)
    seen = model.activations(inputs, silenced) if silenced else plain
    about: dict[str, Any] = {"network": options.network, "image": options.image, "silence": silenced}
    if options.maps:
        write_maps(values_of(seen, options.layer), options.layer, options.maps)
    if options.layer is None:
        layers = [layer_record(model, seen, node.name) for node in model.network.layers]
        classes = class_records(model, plain, seen)
        if options.json:
            print_json({**about, "layers": layers, "classes": classes})
        else:
            account = way.account(image.shape[0], image.shape[1])
            echo(f"{options.network}, {options.image}: {account}", "")
            print_layers(layers)
            print_classes(classes, bool(silenced))
    elif options.channel is None:
        channels = channel_records(values_of(seen, options.layer))
        if options.json:
            print_json({**about, **layer_record(model, seen, options.layer), "channels": channels})
        else:
            print_channels(channels)
    else:
        from cnnlab.inference.arithmetic import arithmetic, checked

        checked(model.network, options.layer, options.channel, at or (0, 0))
        place = at or largest_place(seen.values[options.layer][..., options.channel])
        found = arithmetic(model, seen, options.layer, options.channel, place)
        if options.json:
            print_json({**about, **arithmetic_record(found)})
        else:
            print_arithmetic(found)
    if options.maps and not options.json:
        echo(f"Written: {options.maps}")
    if model.broken:
        echo(f"cnnlab: weights of {', '.join(model.broken)} are NaN or infinite.", error=True)
    return 0


def model_of(options: argparse.Namespace) -> ActivationModel:
    """The network that is named: a trained one, or an architecture as it is before training."""
    from cnnlab.inference.activations import of_classifier, untrained

    folder = runs.runs_folder(options.runs_dir)
    run = networks.run_named(options.network, folder)
    if run is None:
        if options.checkpoint != "best":
            raise UserError(f"{options.network} is an architecture, untrained: it has no --checkpoint.")
        return untrained(Candidate.parse(options.network).network())

    from cnnlab.inference.classifier import load_classifier

    return of_classifier(load_classifier(run, checkpoint_of(options.checkpoint)))


def place_of(text: str) -> Place:
    """ROW,COLUMN as two numbers; UserError where it is not."""
    if not re.fullmatch(r"\d{1,6},\d{1,6}", text):
        raise UserError(f"--at takes ROW,COLUMN, two numbers from 0, not {text!r}.")
    row, column = text.split(",")
    return int(row), int(column)


def largest_place(values: Values) -> Place | None:
    """Where a channel's map is largest, the first of equals; none for a single value."""
    if not values.ndim:
        return None
    row, column = np.unravel_index(np.argmax(np.where(np.isnan(values), -np.inf, values)), values.shape)
    return int(row), int(column)


def values_of(seen: Activations, layer: str) -> Values:
    from cnnlab.inference.arithmetic import layer_named

    return seen.values[layer_named(seen.network, layer).name]


def write_maps(values: Values, layer: str, name: str) -> None:
    """All maps of a layer as one picture; UserError where it has none, or the file cannot be written."""
    from cnnlab.plots.maps import maps_picture

    if values.ndim != 3:
        raise UserError(f"--maps: {layer} gives a vector of {len(values):,} values, which has no maps.")
    try:
        maps_picture(values).save(name, "PNG")
    except OSError as error:
        raise UserError(f"{name} cannot be written: {error.strerror or error}.") from error


def figures(values: Values) -> dict[str, float | None]:
    """What the tables say of values; nothing of what is no number."""
    with np.errstate(invalid="ignore"):  # of infinite values
        mean, zeros, largest = float(values.mean(dtype=np.float64)), float((values == 0).mean()), float(values.max())
    return {"mean": finite(mean), "zeros": zeros, "largest": finite(largest)}


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def layer_record(model: ActivationModel, seen: Activations, name: str) -> dict[str, Any]:
    node = model.network[name]
    return {
        "layer": name,
        "type": node.layer.type,
        "shape": list(node.output_shape),
        **figures(seen.values[name]),
    }


def channel_records(values: Values) -> list[dict[str, Any]]:
    return [{"channel": channel, **figures(values[..., channel])} for channel in range(values.shape[-1])]


def class_records(model: ActivationModel, plain: Activations, seen: Activations) -> list[dict[str, Any]]:
    """The most probable classes, and what is said of them once channels are silenced."""
    most = np.argsort(-seen.probabilities, kind="stable")[:TOP].tolist()
    shown = dict.fromkeys([*np.argsort(-plain.probabilities, kind="stable")[:TOP].tolist(), *most])
    records = []
    for number in shown:
        before, after = finite(float(plain.probabilities[number])), finite(float(seen.probabilities[number]))
        records.append({"class": model.classes[number], "probability": before, "after_silencing": after})
    return records


def number_text(value: float | None) -> str:
    return "NaN" if value is None else f"{value:.4g}"


def print_layers(layers: list[dict[str, Any]]) -> None:
    print_table(
        ("layer", "type", "shape", "mean", "zeros", "largest"),
        [(one["layer"], one["type"], shape_text(tuple(one["shape"])), *figure_texts(one)) for one in layers],
        right=(2, 3, 4, 5),
    )


def print_channels(channels: list[dict[str, Any]]) -> None:
    print_table(
        ("channel", "mean", "zeros", "largest"),
        [(str(one["channel"]), *figure_texts(one)) for one in channels],
        right=(0, 1, 2, 3),
    )


def figure_texts(record: dict[str, Any]) -> tuple[str, str, str]:
    return number_text(record["mean"]), units.percent(record["zeros"]), number_text(record["largest"])


def print_classes(classes: list[dict[str, Any]], silenced: bool) -> None:
    print()
    shown = ("probability", "after_silencing") if silenced else ("probability",)
    print_table(
        ("class", "probability", *(("after silencing",) if silenced else ())),
        [(one["class"], *(units.percent(one[name]) for name in shown)) for one in classes],
        right=(1, 2),
    )
