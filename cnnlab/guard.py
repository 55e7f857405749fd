"""Who is answered over HTTP: only those who ask by a name that the server is meant to have, from its own pages.

A page from elsewhere may point a name of its own at 127.0.0.1 (DNS rebinding) and so speak to a server on its visitor's
machine as if it were its own. The browser then sends that name as Host, and its page's address as Origin.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import psutil
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cnnlab.errors import UserError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_NAME = "*"
EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104
HOST_HEADER = re.compile(r"(?P<name>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(?P<port>\d{1,5}))?")
NAME_PATTERN = re.compile(r"(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?")
DEFAULT_PORTS = {"http": "80", "https": "443"}
SHOWN = 100

PLAIN_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
Added = Mapping[str, str]


def refused(reason: str) -> Response:
    return PlainTextResponse(f"{reason}\n", 403)


@dataclass(frozen=True)
class Guard:
    """ASGI middleware: refuses a request by another name or from another origin, and adds headers to the answers.

    `names` may hold `*.example.org` for all below a name, and `*` for any. `advice` says how another name is added.
    `origins` are those of other sites whose pages may ask. `headers` gives those of an answer, of the request's Host.
    """

    app: ASGIApp
    names: frozenset[str]
    advice: str
    headers: Callable[[str], Added]
    origins: frozenset[str] = frozenset()
    refuse: Callable[[str], Response] = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        hosts, origins = asked.getlist("host"), asked.getlist("origin")
        host = hosts[0] if len(hosts) == 1 else ""
        added = self.headers(host)
        reason = self._refusal(host, origins, scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(added)
            await send(message)

        if not reason:
            await self.app(scope, receive, send_with_headers)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "refused"})
        else:
            await self.refuse(reason)(scope, receive, send_with_headers)

    def _refusal(self, host: str, origins: list[str], scope: Scope) -> str:
        """Why the request is not answered, in a sentence; nothing where it is."""
        if not is_named(host, self.names):
            return f"This server is not asked by the name {host[:SHOWN]!r}. {self.advice}"
        secure = scope["scheme"] in ("https", "wss")
        if all(is_same_origin(origin, host, secure) or origin in self.origins for origin in origins):
            return ""
        return f"This server answers its own pages only, not those of {origins[0][:SHOWN]!r}."


def split_host(host: str) -> tuple[str, str] | None:
    """The name, as it is compared, and the port of a Host header; None where it is none."""
    found = HOST_HEADER.fullmatch(host)
    return (plain_name(found["name"]), found["port"] or "") if found else None


def plain_name(name: str) -> str:
    """A host's name as it is compared: lower case, without the brackets of an address or the dot at the end."""
    bare = name.strip().lower().removeprefix("[").removesuffix("]").rstrip(".")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return bare


def is_named(host: str, names: Iterable[str]) -> bool:
    parts = split_host(host)
    if not parts:
        return False
    return any(
        name in (ANY_NAME, parts[0]) or (name.startswith("*.") and parts[0].endswith(name.removeprefix(ANY_NAME)))
        for name in names
    )


def is_same_origin(origin: str, host: str, secure: bool) -> bool:
    """Whether a page of this origin came from this host: name and port are the same.

    The scheme may differ, as where a proxy in front speaks HTTPS.
    """
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    page, here = split_host(parts.netloc), split_host(host)
    if parts.scheme not in DEFAULT_PORTS or not page or not here:
        return False
    usual = DEFAULT_PORTS[parts.scheme]
    ports = {"", usual, DEFAULT_PORTS["https" if secure else "http"]}
    return page[0] == here[0] and (page[1] == here[1] or {page[1], here[1]} <= ports)


def names_of(address: str, more: Iterable[str] = ()) -> frozenset[str]:
    """What a server that is bound to `address` may be called: this machine, that address, and what is configured."""
    bound = own_addresses() if address in EVERY_ADDRESS else {plain_name(address)}
    return LOOPBACK | bound | {checked_name(name) for name in more}


def own_addresses() -> frozenset[str]:
    """The addresses of this machine's network interfaces."""
    found = (one.address.partition("%")[0] for all_of in psutil.net_if_addrs().values() for one in all_of)
    return frozenset(plain_name(address) for address in found if is_address(address))


def is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def checked_name(text: str) -> str:
    """A name that somebody has configured; a port, a scheme or a path in it would never match."""
    name = plain_name(text)
    if name == ANY_NAME or is_address(name) or NAME_PATTERN.fullmatch(name):
        return name
    raise UserError(
        f"{text!r} is no name of a host; a name is accepted, as lab.example.org, *.example.org or 10.0.0.5."
    )


def page_policy(host: str, scripts: Iterable[str]) -> str:
    """The content security policy of the app: everything from this server, and these inline scripts.

    Styles are inline because Streamlit writes them so; components' modules come as `blob:`.
    """
    sockets = f" ws://{host} wss://{host}" if split_host(host) else ""
    hashes = "".join(f" '{fingerprint(script)}'" for script in scripts)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' blob:{hashes}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self' data: blob:",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def fingerprint(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def page_headers(scripts: Iterable[str]) -> Callable[[str], Added]:
    """What every answer of the app says to the browser; the camera is for Predict and the microscope."""
    scripts = tuple(scripts)
    allowed = ("camera", "clipboard-read", "clipboard-write", "fullscreen")
    denied = ("display-capture", "geolocation", "microphone", "midi", "payment", "usb")
    permissions = ", ".join([*(f"{one}=(self)" for one in allowed), *(f"{one}=()" for one in denied)])
    fixed = {**PLAIN_HEADERS, "Referrer-Policy": "same-origin", "Permissions-Policy": permissions}
    return lambda host: {**fixed, "Content-Security-Policy": page_policy(host, scripts)}


def answer_headers(_host: str) -> Added:
    """What every answer that is no page says to a browser that meets it: show, embed and load nothing."""
    policy = "default-src 'none'; frame-ancestors 'none'"
    return {**PLAIN_HEADERS, "Referrer-Policy": "no-referrer", "Content-Security-Policy": policy}
