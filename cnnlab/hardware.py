"""The machine that trains, as far as it can be known without TensorFlow."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from cnnlab.limits import whole_number

THREADS_VARIABLE = "CNNLAB_THREADS"
HALF_PRECISION_FLAGS = {"amx_bf16", "avx512_bf16"}
HALF_PRECISION_CAPABILITY = 8.0


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def threads() -> int | None:
    """How many threads a training may use, where CNNLAB_THREADS says so; UserError where that is no number above 0."""
    text = os.environ.get(THREADS_VARIABLE)
    return whole_number(THREADS_VARIABLE, text) if text else None


@lru_cache(maxsize=1)
def describe() -> dict[str, Any]:
    """Processor, cores, memory in bytes, and graphics processors by name."""
    return {
        "processor": processor_fields().get("model name", platform.processor() or platform.machine()),
        "cores": cores(),
        "memory": psutil.virtual_memory().total,
        "gpus": [name for name, _ in gpus()],
        "system": f"{platform.system()} {platform.release()}",
    }


@lru_cache(maxsize=1)
def has_bfloat16() -> bool:
    """Whether bfloat16 arithmetic is faster here than float32: AVX-512 or AMX with bf16, or a GPU from Ampere on."""
    flags = set(processor_fields().get("flags", "").split())
    return bool(flags & HALF_PRECISION_FLAGS) or any(
        capability >= HALF_PRECISION_CAPABILITY for _, capability in gpus()
    )


def processor_fields() -> dict[str, str]:
    """The first processor's entry in /proc/cpuinfo; nothing where there is none."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    lines = [line.partition(":") for line in first.splitlines()]
    return {name.strip(): value.strip() for name, _, value in lines}


@lru_cache(maxsize=1)
def gpus() -> tuple[tuple[str, float], ...]:
    """NVIDIA GPUs as (name, compute capability)."""
    program = shutil.which("nvidia-smi")
    if not program:
        return ()
    query = [program, "--query-gpu=name,compute_cap", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        return tuple(
            (name.strip(), float(capability))
            for name, capability in (row.rsplit(",", 1) for row in answer.splitlines())
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return ()
