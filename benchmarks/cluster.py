"""What a run costs more on a Ray cluster: `CNNLAB_RAY=... python benchmarks/cluster.py > benchmarks/cluster.md`.

The same run in turn as a process of this computer and as a job of the cluster, one at a time: from the moment when it
is queued to its process, to its first step, to its end; and its speed. `docs/try-cluster.sh` gives a cluster to
measure.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import hardware, runs, units  # noqa: E402
from cnnlab.cluster.client import Client  # noqa: E402
from cnnlab.experiments.experiment import plan  # noqa: E402
from cnnlab.experiments.recipe import make_recipe  # noqa: E402
from cnnlab.runs import queue  # noqa: E402
from cnnlab.runs.place import LOCAL, RAY, place_of  # noqa: E402
from cnnlab.runs.run import Run  # noqa: E402
from cnnlab.runs.status import ACTIVE  # noqa: E402

EPOCHS = 4
POLL_SECONDS = 0.02
PLACES = {LOCAL: "here", RAY: "on the cluster"}


@dataclass
class Timing:
    """Seconds from the queue to the process, the first step and the end; images per second, without the first epoch."""

    process: float
    step: float
    end: float
    speed: float


def timed(place: str, folder: Path) -> tuple[Timing, Run]:
    recipe = make_recipe(epochs=EPOCHS, deterministic=True, film=False)
    run = runs.create(plan("minivggnet", "digits", {"input_size": 32}, recipe), folder)
    began = time.time()
    queue.enqueue(run, place=place_of(place, 1))
    first = 0.0
    while (status := run.status()).state in (*ACTIVE, "queued"):
        if not first and run.steps():
            first = time.time() - began
        time.sleep(POLL_SECONDS)
    if status.state != "completed":
        sys.exit(f"{run.id} is {status.state}: {status.message}")
    process = next(event["time"] for event in run.events() if event["event"] == "started") - began
    speed = statistics.median(epoch["images_per_second"] for epoch in run.history()[1:])
    return Timing(process, first, time.time() - began, speed), run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how often each (default 5)")
    options = parser.parse_args()
    address = place_of(RAY, 1).address
    client = Client(address)
    timings: dict[str, list[Timing]] = {place: [] for place in PLACES}
    ended: list[Run] = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for turn in range(options.times + 1):
            for place in PLACES:
                timing, run = timed(place, Path(folder) / "runs")
                if turn:  # the first of each warms the disk's cache
                    timings[place].append(timing)
                ended.append(run)
        figures = [[(epoch["loss"], epoch["validation_loss"]) for epoch in run.history()] for run in ended]
    same = all(one == figures[0] for one in figures)
    nodes = len([node for node in client.nodes() if node.alive])
    print("# A run on a cluster\n")
    print(
        f"MiniVGGNet on the digits, {EPOCHS} epochs, on one thread, as a process of this computer and as a job of a "
        f"Ray cluster of {nodes} nodes on the same computer; {options.times} times each, in turn. Made again by "
        "`CNNLAB_RAY=ADDRESS python benchmarks/cluster.py > benchmarks/cluster.md`.\n"
    )
    print(f"Python {platform.python_version()}, {hardware.cores()} processors, Ray {client.version()}.\n")
    print("| median (longest) | here | on the cluster | more |")
    print("| --- | ---: | ---: | ---: |")
    for title, name in (
        ("from the queue until TensorFlow is loaded", "process"),
        ("to the first step", "step"),
        ("to the end", "end"),
    ):
        here, there = ([getattr(one, name) for one in timings[place]] for place in PLACES)
        more = statistics.median(there) - statistics.median(here)
        cells = [f"{statistics.median(some):.1f} s ({max(some):.1f} s)" for some in (here, there)]
        print(f"| {title} | {cells[0]} | {cells[1]} | {more:+.1f} s |")
    here, there = ([one.speed for one in timings[place]] for place in PLACES)
    share = statistics.median(there) / statistics.median(here)
    print(
        f"| images per second | {units.count(round(statistics.median(here)))} | "
        f"{units.count(round(statistics.median(there)))} | × {share:.2f} |"
    )
    print(
        "\nThe nodes and whatever else runs on the computer share its processors, which shows in the times; what must "
        "agree are the losses."
    )
    print(f"\nAll {len(ended)} runs have {'the same losses to every digit' if same else 'LOSSES THAT DIFFER'}.")


if __name__ == "__main__":
    main()
