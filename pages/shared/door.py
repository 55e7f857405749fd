"""The way in from the network: who is answered, what the browser is told, and where the app is found."""

from __future__ import annotations

import ctypes
import gc
import json
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route
from streamlit import config

from cnnlab import datasets, runs
from cnnlab.errors import UserError
from cnnlab.guard import EVERY_ADDRESS, LOOPBACK, Guard, names_of, own_addresses, page_headers, plain_name
from cnnlab.storage.leftovers import sweep
from pages.shared.scripts import SCRIPTS

WRITTEN = (
    "decoded",
    "own",
    "shipped",
    "pretrained",
    "models",
    "designs",
    "course",
    "machine",
    "mnist",
    "fashion_mnist",
    "cifar-100-python",
)
COLLECTED_SECONDS = 60.0
M_MMAP_THRESHOLD, M_ARENA_MAX = -3, -8  # as in glibc's malloc.h
ARENAS, LARGE_BLOCK = 2, 128 * 1024
DEPTH = 3  # a run, its evaluations, one of them
SHELL = Path(st.__file__).parent / "static" / "index.html"
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
ONE_STEP = """
{
  const { pushState, replaceState } = history;
  const SOON = 100, LEAVING = 5000;
  let pushed = -Infinity, left = -Infinity, between = false;
  addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (link && link.pathname !== location.pathname && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      left = performance.now();
      between = false;
    }
  }, true);
  history.pushState = function (state, unused, address) {
    const now = performance.now(), leaving = now - left < LEAVING;
    const elsewhere = new URL(address ?? location.href, location.href).pathname !== location.pathname;
    const follows = now - pushed < SOON || (elsewhere && leaving && between);
    between = leaving && !elsewhere;
    if (elsewhere) left = -Infinity;
    pushed = now;
    return (follows ? replaceState : pushState).call(this, state, unused, address);
  };
}
"""
ANOTHER_NAME = "To have it asked by another name, add --server.allowedHosts NAME."
APP_ADVICE = "Whoever runs it can add the name: streamlit run app.py --server.allowedHosts NAME."


def guard() -> list[Middleware]:
    """Only the names of the address that the app is bound to are answered, and those in server.allowedHosts."""
    try:
        names = names_of(address(), config.get_option("server.allowedHosts"))
    except UserError as error:
        sys.exit(f"server.allowedHosts: {error}")
    config.set_option("server.allowedHosts", sorted(names))  # Streamlit asks it of WebSockets: the same answer
    origins = frozenset(origin.strip().rstrip("/") for origin in config.get_option("server.corsAllowedOrigins"))
    scripts = (*INLINE_SCRIPT.findall(shell()), *SCRIPTS)
    return [Middleware(Guard, names=names, advice=APP_ADVICE, origins=origins, headers=page_headers(scripts))]


def address() -> str:
    return str(config.get_option("server.address") or "")


def base_path() -> str:
    return "/" + str(config.get_option("server.baseUrlPath") or "").strip("/")


@cache
def shell() -> str:
    """Streamlit's page with a script before its own: where the server is, and one step of the history for one choice.

    Without the first, Streamlit's script looks for the server below the page's own address, at `/run/_stcore/health`,
    and the browser logs that nothing is there. Without the second, a link from page to page leaves two entries, the
    former page with the latter's query between them, through which "back" would lead.
    """
    server = f"window.__streamlit = {{ BACKEND_BASE_URL: new URL({json.dumps(base_path())}, location.origin).href }}"
    known = f"{server}\n{ONE_STEP}"
    return SHELL.read_text(encoding="utf-8").replace("<head>", f"<head>\n    <script>{known}</script>", 1)


def shells(pages: Path) -> list[BaseRoute]:
    """The addresses of our pages, where the shell is found that Streamlit's script fills."""

    async def answer(_: Request) -> Response:
        return HTMLResponse(shell(), headers={"Cache-Control": "no-cache"})

    base = base_path().rstrip("/")
    return [Route(f"{base}/{name}", answer) for name in ("", *(page.stem for page in sorted(pages.glob("*.py"))))]


@asynccontextmanager
async def opened(_: st.App) -> AsyncIterator[dict[str, Any]]:
    Thread(target=clean_up, daemon=True).start()
    allocator = ctypes.CDLL(None) if sys.platform == "linux" else None
    keep_memory_together(allocator)
    Thread(target=give_memory_back, args=(allocator,), daemon=True).start()
    print(f"\n  {where_it_is()}\n", flush=True)
    yield {}


def clean_up() -> None:
    """Remove what killed processes left where cnnlab writes: with the runs, and with all that it has made of data."""
    root = datasets.data_root()
    sweep(runs.runs_folder(), depth=DEPTH)
    for name in WRITTEN:
        sweep(root / name, depth=DEPTH)


def keep_memory_together(allocator: ctypes.CDLL | None) -> None:
    """Have glibc serve all threads from few arenas, and large blocks from pages of their own.

    Streamlit runs each script in a new thread. With an arena for nearly each of them, what one script leaves free lies
    scattered, is of no use to the next, and holds the pages.
    """
    if mallopt := getattr(allocator, "mallopt", None):
        mallopt(M_ARENA_MAX, ARENAS)
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def give_memory_back(allocator: ctypes.CDLL | None) -> None:
    """Collect now and then what visitors leave in cycles, as Streamlit would after every script, and let the system
    have the pages that are free then; glibc keeps them otherwise."""
    trim = getattr(allocator, "malloc_trim", None)
    while True:
        time.sleep(COLLECTED_SECONDS)
        gc.collect()
        if trim:
            trim(0)


def where_it_is() -> str:
    """Where a browser finds the app, and what one does to have it found elsewhere."""
    everywhere = address() in EVERY_ADDRESS
    own = own_addresses() | LOOPBACK | {plain_name(address())}
    configured = [name for name in config.get_option("server.allowedHosts") if name not in own and "*" not in name]
    here = ["localhost", *sorted(map(str, reachable()))] if everywhere else [address()]
    secure = "https" if config.get_option("server.sslCertFile") else "http"
    end = f":{config.get_option('server.port')}{base_path().rstrip('/')}"
    found = [f"{secure}://{f'[{host}]' if ':' in host else host}{end}" for host in (*here, *configured)]
    return f"cnnlab is at {' and '.join(found)}" + (f". {ANOTHER_NAME}" if everywhere else "")


def reachable() -> list[IPv4Address]:
    """The addresses that others may find this machine at."""
    found = map(ip_address, own_addresses())
    return [one for one in found if isinstance(one, IPv4Address) and not one.is_loopback and not one.is_link_local]
