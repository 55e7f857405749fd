"""The types of an architecture's options: what each means and which values it takes.

An architecture function annotates its keyword arguments with these; the command line, the pages and the validation
all read them from there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from cnnlab.complaints import complaint
from cnnlab.errors import UserError
from cnnlab.network import Network

InputSize = Annotated[
    int,
    Field(ge=1, le=1024, title="Input size", description="Height and width of the input image, in pixels."),
]
Classes = Annotated[
    int, Field(ge=2, le=22_000, title="Classes", description="Number of classes, the width of the last layer.")
]
BatchNorm = Annotated[
    bool,
    Field(
        title="Batch normalization",
        description="Normalize each channel over the batch, after the activation or the convolution, as drawn.",
    ),
]
DropoutRate = Annotated[
    float,
    Field(
        ge=0, le=0.95, title="Dropout", description="Share of the values set to zero while training; 0 leaves it out."
    ),
]

ClassifierDropoutRate = Annotated[
    float,
    Field(ge=0, le=0.95, title="Classifier dropout", description="Dropout before the last layer; 0 leaves it out."),
]

ActivationFunction = Annotated[
    Literal["relu", "elu"],
    Field(title="Activation", description="ReLU as published, or ELU (Clevert et al., 2016)."),
]
NormalizationOrder = Annotated[
    Literal["conv-bn-act", "conv-act-bn"],
    Field(title="Order", description="Batch normalization before the activation, or after it."),
]
WidthMultiplier = Annotated[
    float,
    Field(ge=0.05, le=4, title="Width", description="Multiplies the filters of every convolution (MobileNet's alpha)."),
]
Heads = Annotated[
    bool,
    Field(title="Auxiliary heads", description="Classifiers in the middle, which only training uses."),
]
LocalResponseNorm = Annotated[
    bool, Field(title="LRN", description="Local response normalization (Krizhevsky et al., 2012) in the stem.")
]

Value = int | float | bool | str


@dataclass(frozen=True)
class Option:
    """One keyword argument of an architecture function."""

    name: str
    title: str
    description: str
    type: type
    default: Value
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...] = ()


@lru_cache(maxsize=64)
def options(function: Callable[..., Network]) -> tuple[Option, ...]:
    """The options of an architecture function, in the order of its signature."""
    hints = annotated(function)
    found = []
    for name, parameter in inspect.signature(function).parameters.items():
        info = FieldInfo.from_annotation(hints[name])
        choices = get_args(info.annotation) if get_origin(info.annotation) is Literal else ()
        bounds = {type(item).__name__: item for item in info.metadata}
        found.append(
            Option(
                name=name,
                title=info.title or name,
                description=info.description or "",
                type=str if choices else plain(info.annotation),
                default=parameter.default,
                minimum=bounds["Ge"].ge if "Ge" in bounds else None,
                maximum=bounds["Le"].le if "Le" in bounds else None,
                choices=choices,
            )
        )
    return tuple(found)


def annotated(function: Callable[..., Network]) -> dict[str, Any]:
    """The annotations of an architecture function, or of the function that a partial completes."""
    return get_type_hints(getattr(function, "func", function), include_extras=True)


def plain(annotation: Any) -> type:
    if not isinstance(annotation, type):
        raise TypeError(f"an option has one plain type, not {annotation}")
    return annotation


@lru_cache(maxsize=64)
def option_model(function: Callable[..., Network]) -> type[BaseModel]:
    """The pydantic model that reads and checks a function's options."""
    hints = annotated(function)
    fields: dict[str, Any] = {option.name: (hints[option.name], option.default) for option in options(function)}
    return create_model("Options", __config__=ConfigDict(extra="forbid"), **fields)


def validate(name: str, function: Callable[..., Network], values: Mapping[str, Any]) -> dict[str, Value]:
    """Every option with its value, defaults filled in; texts as the command line gives them are read.

    Raises UserError with one line that names the option, what was received and what is accepted.
    """
    known = options(function)
    unknown = sorted(set(values) - {option.name for option in known})
    if unknown:
        accepted = ", ".join(option.name for option in known)
        raise UserError(f"{name} has no option {unknown[0]!r}; it has {accepted}.")
    try:
        return dict(option_model(function).model_validate(dict(values)).model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        info = FieldInfo.from_annotation(annotated(function)[str(first["loc"][0])])
        raise UserError(f"{name}: {first['loc'][0]} = {first['input']!r}: {complaint(first, info)}.") from error
