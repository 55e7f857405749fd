"""A network in a JSON file, as `cnnlab network` writes it and a person may have changed it."""

from __future__ import annotations

from pathlib import Path

from cnnlab.errors import UserError
from cnnlab.network.graph import Network

MOST_BYTES = 2_000_000
"""Of a file; GoogLeNet's takes 40,000."""


def read_network(path: Path) -> Network:
    """The network in a file; UserError where there is no such file, or no network in it."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return network_in(content, str(path))


def network_in(content: bytes, name: str) -> Network:
    """The network that a file of this name holds; UserError, naming the file, where it is none."""
    if len(content) > MOST_BYTES:
        raise UserError(f"{name} is larger than {MOST_BYTES:,} bytes: a network's JSON is text of its layers alone.")
    try:
        return Network.from_json(content)
    except UserError as error:
        raise UserError(f"{name}: {error}") from error
