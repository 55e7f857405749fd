"""What makes a training step fast, one change at a time: `python benchmarks/ablations.py`.

Each ablation of `benchmarks/cnnlab_side.py` runs beside the trainer as it is, their rounds alternating; a ratio below 1
is what would be lost by it. Prints a Markdown table. `--network` and `--ablation` choose some of them.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path

from cnnlab_side import ABLATIONS, PLAIN
from sides import BATCH, ROUNDS, STEPS, Side, SideError, alternating

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cnnlab import architectures, hardware

PRECISIONS = ("bfloat16", "float32") if hardware.has_bfloat16() else ("float32",)


def measured(path: Path, precision: str, ablation: str, steps: int, rounds: int) -> str:
    """The ratio as the table says it."""
    try:
        sides = {name: Side("cnnlab_side.py", path, precision, name, BATCH, steps) for name in (PLAIN, ablation)}
    except SideError:
        return "fails"
    return f"{alternating(sides, rounds).ratio(ablation, PLAIN):.2f}"


def main(networks: list[str], ablations: list[str], rounds: int) -> None:
    machine = hardware.describe()
    print(f"On {machine['processor']}, {machine['cores']} cores, Python {platform.python_version()}; batch {BATCH},")
    print(f"medians over {rounds} alternating rounds of the rate as a share of that of the trainer as it is.\n")
    columns = [(name, precision) for name in networks for precision in PRECISIONS]
    print("| what is changed | " + " | ".join(f"{name}, {precision}" for name, precision in columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    with tempfile.TemporaryDirectory() as folder:
        for name in networks:
            (Path(folder) / f"{name}.json").write_text(architectures.build(name).to_json())
        for ablation in ablations:
            found = [
                measured(Path(folder) / f"{name}.json", precision, ablation, STEPS[name], rounds)
                for name, precision in columns
            ]
            print(f"| {ablation} | " + " | ".join(found) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", nargs="+", choices=STEPS, default=list(STEPS))
    changes = [name for name in ABLATIONS if name != PLAIN]
    parser.add_argument("--ablation", nargs="+", choices=changes, default=changes)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    main(chosen.network, chosen.ablation, chosen.rounds)
