"""A real Ray on this computer: a head and nodes of one processor each, with a token, begun and killed as one likes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from cnnlab.cluster import ClusterError
from cnnlab.cluster.client import Client

TOKEN = "of-the-test-cluster"  # noqa: S105
STARTED_SECONDS = 90.0


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class RealRay:
    """Its processes are known by its folder, which stands in their command lines: no other cluster's are touched."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
        self.gcs, self.dashboard = free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.dashboard}"
        self.environment = {
            **os.environ,
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": TOKEN,
            "RAY_USAGE_STATS_ENABLED": "0",
        }

    def ray(self, *words: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", *words]
        command += ["--object-store-memory", "80000000", "--disable-usage-stats"]
        command += ["--dashboard-agent-listen-port", str(free_port())]  # else another cluster here may have it
        return subprocess.Popen(
            command,
            env={**self.environment, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def start_head(self) -> None:
        here = ("--dashboard-host", "127.0.0.1", "--dashboard-port", str(self.dashboard))
        ports = ("--port", str(self.gcs), "--ray-client-server-port", str(free_port()))
        words = ("--head", *ports, *here, "--num-cpus", "1", "--temp-dir", str(self.folder))
        started(self.ray(*words))
        deadline = time.monotonic() + STARTED_SECONDS
        while time.monotonic() < deadline:
            with suppress(ClusterError):
                Client(self.address).version()
                return
            time.sleep(0.2)
        raise AssertionError("the head does not answer")

    def start_nodes(self, *environments: dict[str, str]) -> None:
        """A node for each; one with an environment of its own offers no processor, so that nothing is trained there."""
        for env in environments:  # one after the other: begun at once on one computer, they get in each other's way
            started(self.ray("--address", f"127.0.0.1:{self.gcs}", "--num-cpus", "0" if env else "1", env=env))

    def processes(self) -> list[psutil.Process]:
        found = []
        for one in psutil.process_iter():
            with suppress(psutil.Error):
                if str(self.folder) in " ".join(one.cmdline()):
                    found.append(one)
        return found

    def kill_all(self) -> None:
        """All of it at once, as when the power goes."""
        own = self.processes()
        every = [*own, *(child for one in own for child in descendants(one))]
        for one in every:
            with suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(every, timeout=10)

    def remove(self) -> None:
        self.kill_all()
        shutil.rmtree(self.folder, ignore_errors=True)


def descendants(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children(recursive=True)
    return []


def started(one: subprocess.Popen[str]) -> None:
    said, _ = one.communicate(timeout=STARTED_SECONDS)
    assert one.returncode == 0, said
