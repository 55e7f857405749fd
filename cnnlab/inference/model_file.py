"""A model file from elsewhere (.keras), loaded in Keras's safe mode, which runs no code that comes in a file."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from cnnlab.errors import UserError
from cnnlab.network import Network

MAX_MODEL_BYTES = 2_000_000_000


MAX_UNPACKED = 4_000_000_000


def load(path: Path, name: str) -> Any:
    """The keras.Model in a file, in safe mode; UserError with the reason where it cannot be used."""
    check(path, name)
    from cnnlab.keras.backend import keras

    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever a file leads it to
        reason = " ".join(str(error).split())
        if "safe_mode" in reason or "lambda" in reason.lower() or "unsafe" in reason.lower():
            raise UserError(
                f"{name} needs code of its own to run (a Lambda layer or the like), which is not run "
                "here. Rebuild it with Keras's own layers, or export it to another format and use it there."
            ) from error
        if "Could not locate" in reason or "custom" in reason.lower():
            raise UserError(
                f"{name} has a layer that Keras does not know without code of its own: {reason[:200]}"
            ) from error
        raise UserError(f"{name} cannot be loaded by Keras: {reason[:200]}") from error


def check(path: Path, name: str) -> None:
    """UserError where the file is no .keras archive, or claims too much."""
    size = path.stat().st_size
    if size > MAX_MODEL_BYTES:
        raise UserError(
            f"{name} has {size / 1e9:.1f} GB; model files of up to {MAX_MODEL_BYTES / 1e9:g} GB are accepted."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UserError(f"{name} is not a .keras file, which model.save('name.keras') writes: {error}.") from error
    if unpacked > MAX_UNPACKED:
        raise UserError(f"{name} unpacks to {unpacked / 1e9:.1f} GB; {MAX_UNPACKED / 1e9:g} GB are accepted.")
    if not {"config.json", "metadata.json"} <= names:
        raise UserError(f"{name} is a zip archive but no .keras file: it has no config.json and metadata.json.")


def network_in_model(path: Path, name: str, size: int = 224) -> Network:
    """The layers of a model file as a network; UserError, naming the layer, where one is not of our kinds.

    A model that takes images of any size is given `size`.
    """
    model = load(path, name)
    from cnnlab.keras.reading import network_of

    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{name} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; one of each is accepted."
        )
    shape = tuple(model.inputs[0].shape)
    if len(shape) != 4:
        raise UserError(f"{name} takes input of shape {shape}; images (count, height, width, channels) are accepted.")
    return network_of(model, (int(shape[1] or size), int(shape[2] or size)))
