"""A network as a short text that an address can carry."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.file import MOST_BYTES

MOST_LETTERS = 6_000
"""Of a text: a browser, and what stands before a server, take addresses of about 8,000."""


def packed(network: Network) -> str | None:
    """The text; None where the network is too large for one."""
    data = json.dumps(network.to_data(), separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")
    return text if len(text) <= MOST_LETTERS else None


def unpacked(text: str) -> Network:
    """The network that a text carries; UserError where it carries none. Nothing larger than a file is unpacked."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        reader = zlib.decompressobj()
        data = reader.decompress(raw, MOST_BYTES)
        if not reader.eof:
            raise UserError("The design in the address is cut off, or too large.")
    except (ValueError, binascii.Error, zlib.error) as error:
        if isinstance(error, UserError):
            raise
        raise UserError("The design in the address is damaged: it was not copied as a whole.") from error
    return Network.from_json(data)
