"""A Ray cluster as seen from here: its address, what a run asks of it, its jobs and its nodes."""

from __future__ import annotations

import os
import re

from pydantic import BaseModel, ConfigDict, Field

from cnnlab.errors import UserError

ADDRESS_VARIABLE = "CNNLAB_RAY"
ADDRESS = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")
HOW = f"set {ADDRESS_VARIABLE} to the address of a Ray cluster's head, such as http://head:8265 (docs/cluster.md)"
NO_CLUSTER = f"No cluster is configured: to train on one, {HOW}."
GB = 1_000_000_000


class ClusterError(UserError):
    """The cluster cannot be asked now: wrong address, no answer, refused token. It says nothing about a run."""


class Resources(BaseModel):
    """What a run asks of the place where it is trained.

    `cpus` is how many processors it may use, 0 where that is left to the place; `memory` is in bytes.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    cpus: int = Field(0, ge=0, le=1024)
    gpus: int = Field(0, ge=0, le=64)
    memory: int = Field(0, ge=0)

    def __str__(self) -> str:
        words = [f"{count} {name}{'' if count == 1 else 's'}" for count, name in self._counted() if count]
        if self.memory:
            words.append(f"{self.memory / GB:g} GB of memory")
        return ", ".join(words)

    def _counted(self) -> tuple[tuple[int, str], ...]:
        return (self.cpus, "processor"), (self.gpus, "GPU")


WHATEVER = Resources()
"""Whatever the place gives."""


def configured() -> str | None:
    """The address of the cluster's head; None where there is none. UserError where it is no address."""
    text = os.environ.get(ADDRESS_VARIABLE, "").strip().rstrip("/")
    if not text:
        return None
    if not ADDRESS.fullmatch(text):
        raise UserError(
            f"{ADDRESS_VARIABLE} is {text[:100]!r}: give the address of Ray's dashboard, such as http://head:8265."
        )
    return text
