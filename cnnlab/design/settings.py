"""The settings of layers and blocks as what a form is made of: title, explanation, type, bounds."""

from __future__ import annotations

from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from cnnlab.architectures.options import Option, Value
from cnnlab.complaints import complaint
from cnnlab.errors import UserError
from cnnlab.network.layers import AnyLayer
from cnnlab.network.record import settings_reader

STARTS: dict[str, Value] = {
    "filters": 64, "kernel": 3, "stride": 2, "units": 128, "activation": "relu", "rate": 0.4,
    "top": 1, "bottom": 1, "left": 1, "right": 1,
}  # fmt: skip
"""What a new layer begins with where its kind has no default."""
WORDS = {
    "filters": ("Filters", "How many kernels it has: the channels of its output."),
    "kernel": ("Kernel", "The side of its window, in values of its input."),
    "stride": ("Stride", "How far the window moves at a time; 2 halves height and width."),
    "padding": ("Padding", "same: zeros around the map, so that stride 1 keeps its size. valid: none."),
    "activation": ("Activation", "What is applied to each value it gives."),
    "use_bias": ("Bias", "A number for each filter that is added; none is needed before batch normalization."),
    "multiplier": ("Multiplier", "Kernels for each channel."),
    "before": ("Channels before", "Channels of zeros before those of the maps; then without a border."),
    "after": ("Channels after", "Channels of zeros after those of the maps; then without a border."),
    "units": ("Units", "How many values it gives."),
    "rate": ("Rate", "The share of values set to zero while training."),
    "momentum": ("Momentum", "How slowly the moving statistics follow the batches'."),
    "epsilon": ("Epsilon", "Added to the variance before its root is taken."),
    "radius": ("Radius", "How many channels on either side count."),
    "bias": ("Bias k", "k of Krizhevsky et al. (2012), section 3.3."),
    "alpha": ("Alpha", "Weighs the sum of squares (Krizhevsky et al., 2012)."),
    "beta": ("Beta", "The exponent (Krizhevsky et al., 2012)."),
}


@cache
def setting_options(kind: type) -> tuple[Option, ...]:
    """What can be set of a kind of layer or block, in its order. What only JSON can say, a shape, is left out."""
    hints = get_type_hints(kind, include_extras=True)
    found = []
    for field in fields(kind):
        info = FieldInfo.from_annotation(hints[field.name])
        plain: Any = info.annotation
        if get_origin(plain) is tuple:
            continue
        choices = tuple(str(one) for one in get_args(plain))
        bounds = {type(item).__name__: item for item in flat(info.metadata)}
        title, text = WORDS.get(field.name, (field.name.replace("_", " ").capitalize(), ""))
        least = bounds["Ge"].ge if "Ge" in bounds else None
        most = bounds["Le"].le if "Le" in bounds else None
        if "Gt" in bounds:
            least = 1 if plain is int else 1e-9
        if "Lt" in bounds:
            most = 0.9999
        found.append(
            Option(
                name=field.name,
                title=info.title or title,
                description=info.description or text,
                type=str if choices else plain,
                default=STARTS[field.name] if field.default is MISSING else field.default,
                minimum=least,
                maximum=most,
                choices=choices,
            )
        )
    return tuple(found)


def flat(metadata: list[Any]) -> list[Any]:
    """Bounds as single ones, also where an annotation within an annotation holds them."""
    return [one for item in metadata for one in (item.metadata if isinstance(item, FieldInfo) else [item])]


def made(kind: type, values: dict[str, Any]) -> Any:
    """A layer or block of a kind with these settings; UserError, in a sentence, where one is not accepted."""
    try:
        return settings_reader(kind).validate_python(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        hints = get_type_hints(kind, include_extras=True)
        if name not in hints:
            raise UserError(f"{kind.__name__} has no setting {name!r}; it has {', '.join(hints)}.") from error
        info = FieldInfo.from_annotation(hints[name])
        raise UserError(f"{kind.__name__}: {name} = {first['input']!r}: {complaint(first, info)}.") from error


KINDS: dict[str, type] = {
    kind.__name__: kind for kind in get_args(AnyLayer) if kind.__name__ not in ("InputLayer", "Concatenate", "Add")
}
"""The kinds that can be put in anywhere; joins come of branches, and there is one input."""
