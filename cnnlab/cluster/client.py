"""Ray's own REST interface, as far as it is needed: jobs and nodes.

It needs no Ray on this side, and every question has an end: a head that hangs holds up neither the queue nor a page.
The token is looked for where Ray looks for it: RAY_AUTH_TOKEN, the file RAY_AUTH_TOKEN_PATH, ~/.ray/auth_token.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from pydantic import BaseModel, ConfigDict, ValidationError

from cnnlab.cluster import ADDRESS_VARIABLE, ClusterError, Resources

PATIENCE_SECONDS = 3.0
LOOPBACK = ("127.0.0.1", "localhost", "::1")
GOING_ON = ("PENDING", "RUNNING")
START_TIMEOUT = "JOB_SUPERVISOR_ACTOR_START_TIMEOUT"
"""Ray gives up a job for which no resources were free within a quarter of an hour."""
MOST_WORDS = 200


class RayJob(BaseModel):
    """A job in Ray's words; `message` may end in its last lines of output."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    status: Literal["PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED"]
    submission_id: str | None = None
    message: str | None = None
    error_type: str | None = None
    driver_node_id: str | None = None

    @property
    def going_on(self) -> bool:
        return self.status in GOING_ON

    @property
    def last_words(self) -> str:
        """The last line of its message, which is the last that it printed where it failed."""
        lines = [line.strip() for line in (self.message or "").splitlines() if line.strip()]
        return lines[-1][:MOST_WORDS] if lines else ""


@dataclass(frozen=True)
class ClusterNode:
    """A node of the cluster: processors and GPUs as (taken, all), memory in bytes as (taken, all)."""

    id: str
    host: str
    address: str
    alive: bool
    head: bool
    cpus: tuple[float, float]
    gpus: tuple[float, float]
    memory: tuple[int, int]
    gpu_names: tuple[str, ...] = ()
    why_gone: str = ""


def token() -> str | None:
    """The token of clusters that ask for one; None where none is kept."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "disabled":
        return None
    if given := os.environ.get("RAY_AUTH_TOKEN", "").strip():
        return given
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    with suppress(OSError, RuntimeError):  # RuntimeError: there is no home
        return (Path(named) if named else Path.home() / ".ray" / "auth_token").read_text().strip() or None
    return None


@dataclass(frozen=True)
class Client:
    """The head of a cluster at `address`. Every question may raise ClusterError, in one sentence."""

    address: str

    def submit(
        self,
        job: str,
        entrypoint: str,
        variables: Mapping[str, str],
        resources: Resources,
        metadata: Mapping[str, str],
    ) -> None:
        """Give a job its name and have it executed on a node that has the resources free, at once or later.

        Where it asks for none, Ray executes it on the head, whatever else is there.
        """
        wanted: dict[str, Any] = {
            "submission_id": job,
            "entrypoint": entrypoint,
            "runtime_env": {"env_vars": dict(variables)},
            "metadata": dict(metadata),
        }
        if resources.cpus:
            wanted["entrypoint_num_cpus"] = resources.cpus
        if resources.gpus:
            wanted["entrypoint_num_gpus"] = resources.gpus
        if resources.memory:
            wanted["entrypoint_memory"] = resources.memory
        self._ask("POST", "/api/jobs/", wanted)

    def job(self, name: str) -> RayJob | None:
        """A job as Ray has it; None where the head does not know it, as after it was begun anew."""
        found = self._ask("GET", f"/api/jobs/{quote(name)}", missing_is_none=True)
        try:
            return None if found is None else RayJob.model_validate(found)
        except ValidationError as error:
            raise self._other(error) from error

    def jobs(self) -> dict[str, RayJob]:
        """All jobs that Ray remembers, by name."""
        try:
            found = [RayJob.model_validate(entry) for entry in self._ask("GET", "/api/jobs/")]
        except (ValidationError, TypeError) as error:
            raise self._other(error) from error
        return {job.submission_id: job for job in found if job.submission_id}

    def stop(self, name: str) -> None:
        """Have a job ended: SIGTERM, and SIGKILL after 3 s; one that is over or unknown is left as it is."""
        self._ask("POST", f"/api/jobs/{quote(name)}/stop", missing_is_none=True)

    def logs(self, name: str) -> str:
        """All that a job has printed."""
        found = self._ask("GET", f"/api/jobs/{quote(name)}/logs", missing_is_none=True)
        return str(found.get("logs", "")) if isinstance(found, dict) else ""

    def version(self) -> str:
        """The version of Ray on the head."""
        return str(self._ask("GET", "/api/version").get("ray_version", ""))

    def nodes(self) -> list[ClusterNode]:
        """The nodes, the head first; those that are gone at the end, for as long as Ray remembers them."""
        found = self._ask("GET", "/nodes?view=summary")
        try:
            taken = found["data"]["nodeLogicalResources"]
            known = [entry for entry in found["data"]["summary"] if entry.get("raylet", {}).get("nodeId")]
            nodes = [node_of(entry, taken) for entry in known]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._other(error) from error
        return sorted(nodes, key=lambda node: (not node.alive, not node.head, node.host, node.id))

    def _ask(self, method: str, path: str, content: Any = None, missing_is_none: bool = False) -> Any:
        headers = {"Content-Type": "application/json"}
        if key := token():
            headers["Authorization"] = f"Bearer {key}"
        body = None if content is None else json.dumps(content).encode()
        request = Request(self.address + path, body, headers, method=method)  # noqa: S310  (http or https, see ADDRESS)
        direct = [ProxyHandler({})] if urlsplit(self.address).hostname in LOOPBACK else []
        try:
            with build_opener(*direct).open(request, timeout=PATIENCE_SECONDS) as answer:
                return json.loads(answer.read() or "null")
        except HTTPError as error:
            return self._refused(error, missing_is_none)
        except (URLError, OSError, HTTPException) as error:
            if isinstance(error.reason if isinstance(error, URLError) else error, TimeoutError):
                raise ClusterError(
                    f"{self.address} did not answer within {PATIENCE_SECONDS:g} s: the cluster's head is busy, not "
                    "ready yet, or out of reach."
                ) from error
            raise ClusterError(
                f"Nothing answers at {self.address}: start the cluster's head, or correct {ADDRESS_VARIABLE} "
                f"({reason_of(error)})."
            ) from error
        except ValueError as error:
            raise self._other(error) from error

    def _refused(self, error: HTTPError, missing_is_none: bool) -> None:
        said = error.read().decode(errors="replace")
        if error.code in (401, 403):
            what = "The token was refused by" if token() else "A token is asked for by"
            raise ClusterError(
                f"{what} the cluster at {self.address}: put the cluster's own into RAY_AUTH_TOKEN or ~/.ray/auth_token."
            ) from error
        if error.code == 404 and missing_is_none:
            return
        if error.code == 404:
            raise self._other(error) from error
        last = "".join([line.strip() for line in said.splitlines() if line.strip()][-1:])[:MOST_WORDS]
        raise ClusterError(f"The cluster at {self.address} refuses: {error.code} {last}.") from error

    def _other(self, error: Exception) -> ClusterError:
        return ClusterError(
            f"{self.address} answers, but not as Ray does ({type(error).__name__}): {ADDRESS_VARIABLE} takes the "
            "address of Ray's dashboard, such as http://head:8265."
        )


def reason_of(error: Exception) -> str:
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, OSError) and inner.strerror:
        return inner.strerror.lower()
    return str(inner).strip().lower()[:MOST_WORDS] or type(inner).__name__


USED = re.compile(r"(?P<taken>[\d.]+)(?P<of_taken>[KMGT]?i?B)?/(?P<all>[\d.]+)(?P<of_all>[KMGT]?i?B)? (?P<name>\w+)")
SIZES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def node_of(entry: Mapping[str, Any], taken: Mapping[str, str]) -> ClusterNode:
    """A node from Ray's summary of it and the text in which Ray says what of it is taken: "0.0/1.0 CPU"."""
    raylet = entry["raylet"]
    used: dict[str, tuple[float, float]] = {}
    for found in USED.finditer(taken.get(raylet["nodeId"], "")):
        used[found["name"]] = (
            float(found["taken"]) * SIZES.get(found["of_taken"] or "B", 1),
            float(found["all"]) * SIZES.get(found["of_all"] or "B", 1),
        )
    whole = raylet.get("resourcesTotal") or {}
    memory = used.get("memory", (0.0, float(whole.get("memory", 0))))
    return ClusterNode(
        id=raylet["nodeId"],
        host=raylet.get("nodeManagerHostname") or entry.get("hostname") or "",
        address=raylet.get("nodeManagerAddress") or entry.get("ip") or "",
        alive=raylet.get("state") == "ALIVE",
        head=bool(raylet.get("isHeadNode")),
        cpus=used.get("CPU", (0.0, float(whole.get("CPU", 0)))),
        gpus=used.get("GPU", (0.0, float(whole.get("GPU", 0)))),
        memory=(int(memory[0]), int(memory[1])),
        gpu_names=tuple(str(gpu.get("name", "")) for gpu in entry.get("gpus") or ()),
        why_gone=str(raylet.get("stateMessage") or ""),
    )
