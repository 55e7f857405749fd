"""`python -m cnnlab.cluster.on_head COMMAND`: a job on the cluster's head that has each node run a shell command.

It prints one line of JSON: by node what the command printed, and its last error where it failed. This alone, of all of
cnnlab, imports Ray. The tasks ask for no processor, so that nodes which train are asked too.
"""

from __future__ import annotations

import json
import subprocess
import sys

MARK = "cnnlab: "
NODE_SECONDS = 60.0
PLACEHOLDER = "NODE"


def run_here(command: str, seconds: float) -> tuple[bool, str]:
    """Run a shell command; whether it succeeded, and the last line that it printed."""
    try:
        ended = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S602
    except subprocess.TimeoutExpired:
        return False, f"no answer within {seconds:g} s"
    lines = (ended.stdout if ended.returncode == 0 else ended.stderr or ended.stdout).strip().splitlines()
    return ended.returncode == 0, lines[-1] if lines else ""


def main(command: str) -> None:
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray.init(logging_level="ERROR", log_to_driver=False)
    task = ray.remote(num_cpus=0, max_retries=0)(run_here)
    asked = {
        node["NodeID"]: task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(command.replace(PLACEHOLDER, node["NodeID"]), NODE_SECONDS)
        for node in ray.nodes()
        if node["Alive"]
    }
    answers: dict[str, tuple[bool, str]] = {}
    for node, answer in asked.items():
        try:
            answers[node] = ray.get(answer, timeout=NODE_SECONDS)
        except Exception as error:  # of whatever kind: it is said of this node
            answers[node] = False, str(error).strip().splitlines()[-1]
    print(MARK + json.dumps(answers), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
