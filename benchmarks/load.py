"""How the app bears many visitors: 50 of them open pages by Streamlit's own protocol while a training runs.

    python benchmarks/load.py > benchmarks/load.md
    python benchmarks/load.py --visitors 10 --openings 60     a quicker look

A visitor fetches a page, its health and host-config over HTTP, opens the WebSocket, asks for the page, takes every
message of the answer until the script has finished, and reads for some seconds, in which the page's own refreshes go
on as a browser's would. Then the connection is closed, and another page opened. Everything is on this machine, so
visitors, server and training share its processors. All of it is done twice: the second time tells a server that keeps
what it once needed from one that leaks. Times are of the first. Memory is the resident set of the server's process.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import platform
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

PROJECT = Path(__file__).resolve().parents[1]
FIRST_MINUTE = 60.0
READING_SECONDS = 20.0  # on average
EXPIRED_SECONDS = 150.0  # Streamlit keeps the session of a closed page for two minutes
COLLECTED_SECONDS = 65.0
GIVEN_UP_SECONDS = 60.0
SAMPLE_SECONDS = 0.5
NETWORK = "minivggnet-cifar10"
TRAINING = ("--architecture", "minivggnet", "--dataset", "digits", "--epochs", "10000", "--detach")


@dataclass
class Laboratory:
    """The server under load, and what is in it."""

    port: int
    process: psutil.Process
    run: str

    @property
    def pages(self) -> list[tuple[str, str]]:
        """What is opened: a page's name and the query of its address."""
        names = sorted(page.stem for page in (PROJECT / "pages").glob("*.py"))
        query = {"run": f"run={self.run}", "predict": f"run={NETWORK}", "evaluate": f"run={NETWORK}"}
        return [("" if name == "home" else name, query.get(name, "")) for name in names]


@dataclass
class Opening:
    page: str
    began: float
    seconds: float
    outcome: str


@dataclass
class Record:
    """What was seen, in seconds since the visitors came."""

    began: float = field(default_factory=time.monotonic)
    openings: list[Opening] = field(default_factory=list)
    refreshes: list[float] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    seconds: float = 0.0
    processor: float = 0.0

    def now(self) -> float:
        return time.monotonic() - self.began


class Refused(Exception):
    """The server said no, or an exception stands on the page."""


async def load_page(client: httpx.AsyncClient, lab: Laboratory, page: str) -> None:
    for path in (page, "_stcore/health", "_stcore/host-config"):
        answer = await client.get(f"http://localhost:{lab.port}/{path}")
        if answer.status_code != 200:
            raise Refused(f"/{path}: {answer.status_code}")


def asked(page: str, query: str, port: int, fragment: str = "") -> bytes:
    """The message with which a browser asks for a page, or for one of its fragments again."""
    message = BackMsg()
    state = message.rerun_script
    state.query_string, state.page_name, state.fragment_id = query, page, fragment
    state.is_auto_rerun = bool(fragment)
    state.context_info.url = f"http://localhost:{port}/{page}"
    state.context_info.timezone, state.context_info.locale = "UTC", "en-US"
    return message.SerializeToString()


async def answers(connection: ClientConnection) -> AsyncIterator[ForwardMsg]:
    async for data in connection:
        message = ForwardMsg()
        message.ParseFromString(data)
        yield message


async def visit(client: httpx.AsyncClient, lab: Laboratory, record: Record, page: str, query: str, stay: float) -> None:
    """Open a page and read it, its own refreshes going on."""
    began, outcome, counted = record.now(), "given up", False
    timers: dict[str, asyncio.Task[None]] = {}

    def opened(outcome: str) -> None:
        record.openings.append(Opening(page, began, record.now() - began, outcome))

    try:
        async with asyncio.timeout(GIVEN_UP_SECONDS) as limit:
            await load_page(client, lab, page)
            address = f"ws://localhost:{lab.port}/_stcore/stream"
            async with connect(
                address, origin=f"http://localhost:{lab.port}", subprotocols=["streamlit"], max_size=None
            ) as connection:
                await connection.send(asked(page, query, lab.port))
                asked_at: dict[str, float] = {}
                troubled = False
                async for message in answers(connection):
                    kind = message.WhichOneof("type")
                    if kind == "page_not_found":
                        raise Refused(f"/{page}: no such page")
                    if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                        troubled = True
                    elif kind == "auto_rerun":
                        one = message.auto_rerun
                        if one.fragment_id not in timers:
                            again = refresh(connection, page, query, lab.port, one.fragment_id, one.interval, asked_at)
                            timers[one.fragment_id] = asyncio.create_task(again)
                    elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                        if not counted:
                            counted = True
                            opened("exception" if troubled else "drawn")
                            limit.reschedule(asyncio.get_running_loop().time() + stay)
                    elif kind == "script_finished" and asked_at:
                        first = min(asked_at, key=asked_at.__getitem__)
                        record.refreshes.append(record.now() - (asked_at.pop(first) - record.began))
    except TimeoutError:
        pass  # has read, or waited long enough
    except (Refused, WebSocketException, httpx.HTTPError, OSError) as error:
        outcome = f"refused: {error}" if isinstance(error, Refused) else f"refused: {type(error).__name__}"
    finally:
        for timer in timers.values():
            timer.cancel()
    if not counted:
        opened(outcome)


async def refresh(
    connection: ClientConnection,
    page: str,
    query: str,
    port: int,
    fragment: str,
    interval: float,
    asked_at: dict[str, float],
) -> None:
    """Ask for a fragment again and again, as a browser does for `run_every`."""
    with suppress(WebSocketException):
        while True:
            await asyncio.sleep(interval)
            asked_at.setdefault(fragment, time.monotonic())
            await connection.send(asked(page, query, port, fragment))


async def visitor(lab: Laboratory, record: Record, openings: Iterator[tuple[str, str]], seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    await asyncio.sleep(chance.uniform(0, READING_SECONDS))
    async with httpx.AsyncClient(timeout=GIVEN_UP_SECONDS, trust_env=False) as client:
        for page, query in openings:
            await visit(client, lab, record, page, query, chance.uniform(0.5, 1.5) * READING_SECONDS)


async def watch_memory(lab: Laboratory, record: Record) -> None:
    while True:
        record.memory.append(lab.process.memory_info().rss)
        await asyncio.sleep(SAMPLE_SECONDS)


async def under_load(lab: Laboratory, visitors: int, openings: int) -> tuple[Record, dict[str, int]]:
    """All visits, and the memory at the moments that matter."""
    memory = {"started": lab.process.memory_info().rss}
    alone = Record()
    async with httpx.AsyncClient(timeout=GIVEN_UP_SECONDS, trust_env=False) as client:
        for page, query in lab.pages:  # each page once: libraries are imported, networks loaded
            await visit(client, lab, alone, page, query, 1.0)
    await asyncio.sleep(EXPIRED_SECONDS)
    await next_visit(lab)
    memory["each page opened once"] = lab.process.memory_info().rss
    record = await all_visits(lab, visitors, openings, memory, "")
    again = await all_visits(lab, visitors, openings, memory, " again")
    record.openings += [one for one in (*alone.openings, *again.openings) if one.outcome != "drawn"]
    return record, memory


async def all_visits(lab: Laboratory, visitors: int, openings: int, memory: dict[str, int], time: str) -> Record:
    todo = [lab.pages[number % len(lab.pages)] for number in range(openings)]
    random.Random(0).shuffle(todo)  # noqa: S311
    used = processor_seconds(lab)
    record, queue = Record(), iter(todo)
    watching = asyncio.create_task(watch_memory(lab, record))
    await asyncio.gather(*(visitor(lab, record, queue, seed) for seed in range(visitors)))
    watching.cancel()
    record.seconds, record.processor = record.now(), processor_seconds(lab) - used
    memory[f"peak{time}"] = max(record.memory)
    memory[f"at the end{time}"] = lab.process.memory_info().rss
    await asyncio.sleep(EXPIRED_SECONDS)
    await next_visit(lab)
    memory[f"sessions expired{time}"] = lab.process.memory_info().rss
    return record


async def next_visit(lab: Laboratory) -> None:
    """Streamlit forgets the sessions that have expired when the next one begins; the app collects once a minute."""
    async with httpx.AsyncClient(timeout=GIVEN_UP_SECONDS, trust_env=False) as client:
        await visit(client, lab, Record(), "", "", 1.0)
    await asyncio.sleep(COLLECTED_SECONDS)


def processor_seconds(lab: Laboratory) -> float:
    times = lab.process.cpu_times()
    return float(times.user + times.system)


@contextmanager
def laboratory() -> Iterator[Laboratory]:
    """A server with a training that does not end, in folders of its own."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = int(free.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="cnnlab-load-"))
    environment = {**os.environ, "CNNLAB_RUNS": str(folder / "runs"), "CNNLAB_DATA": str(folder / "data")}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    server = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL)
    ours = [sys.executable, "-m", "cnnlab"]
    run = ""
    try:
        deadline = time.monotonic() + GIVEN_UP_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://localhost:{port}/_stcore/health", trust_env=False).status_code == 200:
                    break
            time.sleep(0.1)
        said = subprocess.run(
            [*ours, "train", *TRAINING], cwd=PROJECT, env=environment, capture_output=True, check=True
        )
        run = said.stdout.decode().strip().splitlines()[-1]
        yield Laboratory(port, psutil.Process(server.pid), run)
    finally:
        if run:
            said_by([*ours, "stop", run], environment)
        server.terminate()
        server.wait(GIVEN_UP_SECONDS)
        deadline = time.monotonic() + GIVEN_UP_SECONDS
        while run and "running" in said_by([*ours, "show", run], environment) and time.monotonic() < deadline:
            time.sleep(1)
        shutil.rmtree(folder, ignore_errors=True)


def said_by(command: list[str], environment: dict[str, str]) -> str:
    return subprocess.run(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered), math.ceil(share * len(ordered))) - 1] if ordered else math.nan


def report(record: Record, memory: dict[str, int], visitors: int) -> None:
    drawn = [one for one in record.openings if one.outcome == "drawn"]
    steady = [one.seconds for one in drawn if one.began > FIRST_MINUTE]
    first = [one.seconds for one in drawn if one.began <= FIRST_MINUTE]
    wrong = Counter(one.outcome for one in record.openings if one.outcome != "drawn")
    before, after = memory["each page opened once"], memory["sessions expired"]
    again = memory["sessions expired again"]
    rows = [
        (f"pages opened by {visitors} visitors", f"{len(drawn):,} in {record.seconds:.0f} s", ""),
        ("to a drawn page, first minute: median", f"{percentile(first, 0.5):.2f} s", ""),
        ("to a drawn page, after the first minute: median", f"{percentile(steady, 0.5):.2f} s", ""),
        ("to a drawn page, after the first minute: 95th percentile", f"{percentile(steady, 0.95):.2f} s", "< 1 s"),
        ("to a drawn page, after the first minute: longest", f"{max(steady, default=math.nan):.2f} s", ""),
        ("refreshes of open pages", f"{len(record.refreshes):,}", ""),
        ("a refresh: 95th percentile", f"{percentile(record.refreshes, 0.95):.2f} s", ""),
        ("refused, given up, or an exception on the page", f"{sum(wrong.values())}", "0"),
        ("the server's processor time", f"{record.processor / record.seconds:.0%} of one processor", ""),
        ("memory, started", f"{memory['started'] / 1e6:,.0f} MB", ""),
        ("memory before: each page opened once, by one visitor", f"{before / 1e6:,.0f} MB", ""),
        ("memory, peak", f"{memory['peak'] / 1e6:,.0f} MB", ""),
        ("memory when the last visitor left", f"{memory['at the end'] / 1e6:,.0f} MB", ""),
        ("memory after: sessions expired", f"{after / 1e6:,.0f} MB ({after / before:.2f} of before)", "back"),
        ("memory after all of it again", f"{again / 1e6:,.0f} MB ({again / after:.2f} of after)", "1.00"),
    ]
    print("# Many visitors\n")
    print(f"{visitors} visitors open pages by Streamlit's protocol while a training on the digits runs. ", end="")
    print("Made again by `python benchmarks/load.py > benchmarks/load.md`.\n")
    print(f"Python {platform.python_version()}, {os.cpu_count()} processors, which the visitors use too.\n")
    print("| what | measured | goal |\n| --- | ---: | ---: |")
    for what, measured, goal in rows:
        print(f"| {what} | {measured} | {goal} |")
    print("\n| page | opened | median | 95th percentile |\n| --- | ---: | ---: | ---: |")
    for page in sorted({one.page for one in drawn}):
        times = [one.seconds for one in drawn if one.page == page and one.began > FIRST_MINUTE]
        print(f"| {page or 'home'} | {len(times)} | {percentile(times, 0.5):.2f} s | {percentile(times, 0.95):.2f} s |")
    for outcome, times in wrong.items():
        print(f"\n- {outcome}: {times}")


def main() -> int:
    parser = argparse.ArgumentParser(description="How the app bears many visitors.")
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--openings", type=int, default=500)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that server and training end too
    with laboratory() as lab:
        record, memory = asyncio.run(under_load(lab, options.visitors, options.openings))
        report(record, memory, options.visitors)
    return 0


if __name__ == "__main__":
    sys.exit(main())
