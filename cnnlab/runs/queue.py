"""The queue: at most so many trainings at a time under one runs folder, the others wait their turn.

queue.json holds the order; every change is made under a lock, so that servers, terminals and tabs do not disturb each
other. Where runs wait, a small process of its own starts the next one as soon as there is room. It needs neither the
server nor the terminal that queued them, ends with the queue, and is started again by whoever looks at the runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab import hardware, runs
from cnnlab.errors import UserError
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, RESUMABLE
from cnnlab.runs.sweeps.record import unfinished
from cnnlab.storage import process
from cnnlab.storage.files import reason, write_text

QUEUE_FILE = "queue.json"
LOCK_FILE = ".queue.lock"
DISPATCHER_LOCK_FILE = ".dispatcher.lock"
POLL_SECONDS, TEND_SECONDS = 0.5, 2.0


class Queue(BaseModel):
    """`waiting` are run ids, the next one first; `working` those that were started and may still be at work."""

    model_config = ConfigDict(extra="ignore")

    parallel: int = Field(1, ge=1, le=64)
    waiting: list[str] = []
    working: list[str] = []


def read(folder: Path) -> Queue:
    """The queue of a runs folder; where its file is damaged, what the runs themselves say."""
    try:
        return Queue.model_validate_json((folder / QUEUE_FILE).read_bytes())
    except FileNotFoundError:
        return Queue()
    except (OSError, ValidationError):
        found = runs.listing(folder)[::-1]
        states = {run.id: run.status().state for run in found}
        return Queue(
            waiting=[name for name, state in states.items() if state == "queued"],
            working=[name for name, state in states.items() if state in ACTIVE],
        )


@contextmanager
def changing(folder: Path) -> Iterator[Queue]:
    """The queue to change, under its lock; it is written at the end. UserError where the folder takes no files."""
    try:
        with process.locked(folder / LOCK_FILE):
            queue = read(folder)
            before = queue.model_copy(deep=True)
            yield queue
            if queue != before:
                write_text(folder / QUEUE_FILE, queue.model_dump_json(indent=1))
    except OSError as error:
        raise UserError(f"The queue in {folder} cannot be changed: {reason(error, folder)}.") from error


def enqueue(run: Run, *others: Run, front: bool = False) -> None:
    """Let a run, or several in this order, wait for their turn, which comes at once where there is room.

    Raises UserError where one waits or works already, or has completed.
    """
    folder = run.folder.parent
    with changing(folder) as queue:
        place = 0 if front else len(queue.waiting)
        for offset, one in enumerate((run, *others)):
            take_in(queue, one, place + offset)
    advance(folder)


def take_in(queue: Queue, run: Run, place: int) -> None:
    """Give a run a place among the waiting ones."""
    status = run.status()
    fresh = status.state == "starting" and not (run.folder / process.PROCESS_FILE).exists()
    if not fresh and status.state not in RESUMABLE:
        raise UserError(f"Run {run.id} is {status.state}{hint(status.state)}.")
    run.withdraw_request()
    run.write_status(
        status.model_copy(update={"state": "queued", "message": "", "ended": None, "updated": time.time()})
    )
    queue.waiting = [name for name in queue.waiting if name != run.id]
    queue.waiting.insert(place, run.id)
    if not fresh:
        run.log_event("queued")


def hint(state: str) -> str:
    return "; extend it to train on" if state == "completed" else ""


def advance(folder: Path) -> bool:
    """Start what there is room for; whether runs still wait, for which there is then a dispatcher."""
    with changing(folder) as queue:
        start_next(queue, folder)
        waiting = bool(queue.waiting)
    if waiting:
        ensure_dispatcher(folder)
    return waiting


def start_next(queue: Queue, folder: Path) -> None:
    """Start waiting runs while there is room; one that cannot be started says so itself and makes way."""
    queue.working = [name for name in queue.working if Run(folder / name).status().state in ACTIVE]
    while queue.waiting and len(queue.working) < queue.parallel:
        run = Run(folder / queue.waiting.pop(0))
        if run.status().state != "queued":
            continue
        share = max(hardware.cores() // queue.parallel, 1) if queue.parallel > 1 else 0
        try:
            runs.start(run, share)
        except UserError:
            continue  # its folder cannot be written; the others go on
        queue.working.append(run.id)


def ensure_dispatcher(folder: Path) -> None:
    """Make sure that a dispatcher starts the waiting runs when their turn comes."""
    process.spawn(["-m", "cnnlab.runs.dispatcher", str(folder)], folder / ".dispatcher.log")


def resume_queue(folder: Path) -> None:
    """Let a queue and its sweeps go on whose dispatcher is gone, as after a restart of the machine; cheap where nothing
    waits."""
    sweeping = any(not sweep.state().paused for sweep in unfinished(folder))
    if not sweeping and (not (folder / QUEUE_FILE).exists() or not read(folder).waiting):
        return
    try:
        with process.only_one(folder / DISPATCHER_LOCK_FILE) as missing:
            pass
    except OSError:
        return
    if missing and not advance(folder) and sweeping:
        ensure_dispatcher(folder)


def dispatch(folder: Path, tend: Callable[[Path], bool] = lambda folder: False) -> None:
    """Start waiting runs as others end, until none waits and `tend`, called now and then, has nothing left to do."""
    with process.only_one(folder / DISPATCHER_LOCK_FILE) as alone:
        if not alone:
            return
        tended, idle, busy = 0.0, False, False
        while True:
            now = time.monotonic()
            if fresh := idle or now - tended >= TEND_SECONDS:
                tended, busy = now, tend(folder)  # not under the queue's lock: it may queue runs
            with changing(folder) as queue:
                start_next(queue, folder)
                idle = not queue.waiting
                if idle and fresh and not busy:
                    return  # still under the queue's lock: who queues next starts another dispatcher
            time.sleep(POLL_SECONDS)


def withdraw(run: Run) -> None:
    """Take a waiting run out of the queue."""
    with changing(run.folder.parent) as queue:
        queue.waiting = [name for name in queue.waiting if name != run.id]


def move(run: Run, position: int) -> None:
    """Put a waiting run at a position from 1; UserError where it does not wait."""
    with changing(run.folder.parent) as queue:
        if run.id not in queue.waiting:
            raise UserError(f"Run {run.id} does not wait in the queue.")
        queue.waiting.remove(run.id)
        queue.waiting.insert(max(position - 1, 0), run.id)


def set_parallel(folder: Path, parallel: int) -> None:
    """How many trainings may work at a time; each gets its share of the processors."""
    if not 1 <= parallel <= 64:
        raise UserError(f"{parallel} trainings at a time: choose from 1 to 64.")
    with changing(folder) as queue:
        queue.parallel = parallel
    advance(folder)
