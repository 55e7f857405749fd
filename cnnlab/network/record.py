"""A network's JSON, read: what it must hold, and one line that says what is wrong with it."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from cnnlab.errors import UserError
from cnnlab.network.layers import AnyLayer

LAYER_NAME_LETTERS = 200
"""Letters of a name."""
KINDS = {kind.__name__: kind for kind in get_args(AnyLayer)}


@cache
def settings_reader(kind: Any) -> TypeAdapter[Any]:
    """What validates the settings of a kind of layer; it takes longer to make than to use."""
    return TypeAdapter(kind)


Name = Annotated[str, Field(min_length=1, max_length=LAYER_NAME_LETTERS)]


class LayerRecord(BaseModel):
    """A layer in a network's JSON; without a module of its own it is one by itself."""

    name: Name
    type: Name
    settings: dict[str, Any]
    inputs: tuple[Name, ...]
    module: Annotated[str, Field(max_length=LAYER_NAME_LETTERS)] = ""


class NetworkRecord(BaseModel):
    """A network's JSON."""

    name: Name
    layers: tuple[LayerRecord, ...]
    outputs: tuple[Name, ...]


def read_layer(item: LayerRecord) -> AnyLayer:
    """The layer that a record describes; UserError, naming it, where its kind or a setting is not known."""
    if item.type not in KINDS:
        raise UserError(f"Layer {item.name!r} is of the kind {item.type!r}; there are {', '.join(KINDS)}.")
    try:
        layer: AnyLayer = settings_reader(KINDS[item.type]).validate_python(item.settings)
    except ValidationError as error:
        raise UserError(f"Layer {item.name!r} ({item.type}): {first_of(error)}.") from error
    return layer


def first_of(error: ValidationError) -> str:
    """Where the first thing is wrong, and what: "layers.3.inputs: Field required"."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where}: {first['msg']}" if where else first["msg"]


def no_number(word: str) -> None:
    """JSON knows neither NaN nor Infinity, though Python reads them."""
    raise ValueError(f"{word} is no number")
