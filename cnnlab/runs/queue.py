"""The queue: at most so many trainings at a time under one runs folder, the others wait their turn.

queue.json holds the order; every change is made under a lock, so that servers, terminals and tabs do not disturb each
other. Where runs wait, a small process of its own starts the next one as soon as there is room. It needs neither the
server nor the terminal that queued them, ends with the queue, and is started again by whoever looks at the runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnlab import hardware, runs
from cnnlab.cluster import ClusterError
from cnnlab.errors import UserError
from cnnlab.runs import launchers
from cnnlab.runs.launchers import LAUNCHERS
from cnnlab.runs.place import JOB_VARIABLE, LOCAL, RAY, Place, record_of, update_record
from cnnlab.runs.run import Run
from cnnlab.runs.status import ACTIVE, RESUMABLE, Status
from cnnlab.runs.sweeps.record import unfinished
from cnnlab.storage import process
from cnnlab.storage.files import reason, write_text

QUEUE_FILE = "queue.json"
LOCK_FILE = ".queue.lock"
DISPATCHER_LOCK_FILE = ".dispatcher.lock"
POLL_SECONDS, TEND_SECONDS = 0.5, 2.0
UNANSWERED_SECONDS = 10.0
MOST_PARALLEL, MOST_ON_CLUSTER = 64, 1000

_unanswered: dict[str, float] = {}
"""The places that did not answer, and when each is asked again."""


class Queue(BaseModel):
    """`waiting` are run ids, the next one first; `working` those that were started and may still be at work.

    `parallel` of them at a time on this computer, `on_cluster` on the cluster, which finds room for each itself.
    """

    model_config = ConfigDict(extra="ignore")

    parallel: int = Field(1, ge=1, le=MOST_PARALLEL)
    on_cluster: int = Field(8, ge=1, le=MOST_ON_CLUSTER)
    waiting: list[str] = []
    working: list[str] = []

    def limit(self, place: str) -> int:
        return self.on_cluster if place == RAY else self.parallel


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


def enqueue(run: Run, *others: Run, front: bool = False, place: Place | None = None) -> None:
    """Let a run, or several in this order, wait for their turn, which comes at once where there is room; at another
    place, where one is given.

    Raises UserError where one waits or works already, or has completed.
    """
    folder = run.folder.parent
    with changing(folder) as queue:
        first = 0 if front else len(queue.waiting)
        for offset, one in enumerate((run, *others)):
            take_in(queue, one, first + offset, place)
    advance(folder)


def take_in(queue: Queue, run: Run, position: int, place: Place | None) -> None:
    """Give a run a position among the waiting ones, to be trained at a place."""
    status = run.status()
    fresh = status.state == "starting" and not (run.folder / process.PROCESS_FILE).exists()
    if not fresh and status.state not in RESUMABLE:
        raise UserError(f"Run {run.id} is {status.state}{hint(status.state)}.")
    run.withdraw_request()
    if place is not None:
        launchers.move(run.folder, place)
    if record_of(run.folder).again:
        update_record(run.folder, {"again": 0})
    run.write_status(
        status.model_copy(update={"state": "queued", "message": "", "ended": None, "updated": time.time()})
    )
    queue.waiting = [name for name in queue.waiting if name != run.id]
    queue.waiting.insert(position, run.id)
    if not fresh:
        run.log_event("queued")


def hint(state: str) -> str:
    return "; extend it to train on" if state == "completed" else ""


def advance(folder: Path) -> bool:
    """Start what there is room for; whether runs still wait, for which there is then a dispatcher.

    A training on a cluster's node starts nothing there: the dispatcher does, where the runs were queued.
    """
    if JOB_VARIABLE in os.environ:
        return bool(read(folder).waiting)
    with changing(folder) as queue:
        start_next(queue, folder)
        waiting = bool(queue.waiting)
        busy = waiting or is_watched(queue, folder)
    if busy:
        ensure_dispatcher(folder)
    return waiting


def is_watched(queue: Queue, folder: Path) -> bool:
    """Whether runs are at work that are queued again when their node is lost."""
    return any(launchers.is_watched(folder / name) for name in queue.working)


def start_next(queue: Queue, folder: Path) -> None:
    """Start waiting runs while their places have room; one that cannot be started says so itself and makes way.

    Where a cluster does not answer, its runs go on waiting.
    """
    queue_lost_again(queue, folder)
    room = {place: queue.limit(place) for place in LAUNCHERS}
    room |= dict.fromkeys((place for place, then in _unanswered.items() if then > time.monotonic()), 0)
    for name in queue.working:
        place = launchers.chosen(folder / name)
        room[place] = room.get(place, 0) - 1
    for name in list(queue.waiting):
        if all(left < 1 for left in room.values()):
            return
        run = Run(folder / name)
        place = launchers.chosen(run.folder)
        if room.get(place, 1) < 1:
            continue
        if run.status().state == "queued":
            try:
                runs.start(run, share_of(run, queue))
            except ClusterError:
                room[place] = 0
                _unanswered[place] = time.monotonic() + UNANSWERED_SECONDS
                continue
            except UserError:
                pass  # its folder cannot be written; the others go on
            else:
                queue.working.append(name)
                room[place] = room.get(place, 1) - 1
        queue.waiting.remove(name)


def share_of(run: Run, queue: Queue) -> int:
    """How many processors a run may use; 0 for all of this computer's."""
    record = record_of(run.folder)
    if record.resources.cpus or record.launcher == RAY:
        return record.resources.cpus
    return max(hardware.cores() // queue.parallel, 1) if queue.parallel > 1 else 0


def is_lost(run: Run, status: Status) -> bool:
    """Whether a run was taken along by its node, so that it is queued again by itself."""
    return status.state == "interrupted" and run.request() is None and launchers.next_again(run.folder) is not None


def queue_lost_again(queue: Queue, folder: Path) -> None:
    """Forget the runs that have ended; one whose node was lost goes in front of those that wait, so many times."""
    for name in list(queue.working):
        run = Run(folder / name)
        status = run.status()
        if status.state in ACTIVE:
            continue
        queue.working.remove(name)
        if status.state == "queued" and name not in queue.waiting:  # whoever put it back was killed while doing so
            queue.waiting.insert(0, name)
        if not is_lost(run, status) or (times := launchers.next_again(run.folder)) is None:
            continue
        queued = {"state": "queued", "message": "", "ended": None, "updated": time.time()}
        words = f"Again by itself, {times} of at most {launchers.MOST_AGAIN} times. {status.message}"
        with suppress(OSError):  # it stays interrupted
            run.launcher.end(run.folder)
            update_record(run.folder, {"again": times})
            run.write_status(status.model_copy(update=queued))
            run.log_event("queued", words)
            queue.waiting.insert(0, name)


def ensure_dispatcher(folder: Path) -> None:
    """Make sure that a dispatcher starts the waiting runs when their turn comes."""
    process.spawn(["-m", "cnnlab.runs.dispatcher", str(folder)], folder / ".dispatcher.log")


def resume_queue(folder: Path) -> None:
    """Let a queue and its sweeps go on whose dispatcher is gone, as after a restart of the machine; cheap where nothing
    waits."""
    sweeping = any(not sweep.state().paused for sweep in unfinished(folder))
    if not sweeping:
        if not (folder / QUEUE_FILE).exists():
            return
        queue = read(folder)
        if not queue.waiting and not is_watched(queue, folder):
            return
    try:
        with process.only_one(folder / DISPATCHER_LOCK_FILE) as missing:
            pass
    except OSError:
        return
    if missing and not advance(folder) and sweeping:
        ensure_dispatcher(folder)


def dispatch(folder: Path, tend: Callable[[Path], bool] = lambda folder: False) -> None:
    """Start waiting runs as others end, until none waits, none is left whose node may be lost, and `tend`, called now
    and then, has nothing left to do."""
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
                idle = not queue.waiting and not is_watched(queue, folder)
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


def set_parallel(folder: Path, parallel: int, place: str = LOCAL) -> None:
    """How many trainings may work at a time; on this computer each gets its share of the processors."""
    most = MOST_ON_CLUSTER if place == RAY else MOST_PARALLEL
    if not 1 <= parallel <= most:
        raise UserError(f"{parallel} trainings at a time: choose from 1 to {most:,}.")
    with changing(folder) as queue:
        if place == RAY:
            queue.on_cluster = parallel
        else:
            queue.parallel = parallel
    advance(folder)
