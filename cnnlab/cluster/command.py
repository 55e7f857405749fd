"""How a node of a cluster is told to run something of cnnlab's."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from cnnlab.resources import CHECKOUT

PYTHON_VARIABLE = "CNNLAB_PYTHON"
PASSED_ON = ("CNNLAB_DATA", "CNNLAB_DECODED")
"""Where data sets stand; a node on which these are set keeps its own."""


def code_variables() -> dict[str, str]:
    """What a node's Python needs to find this cnnlab, where it is a checkout that all nodes see."""
    return {"PYTHONPATH": str(CHECKOUT)} if CHECKOUT else {}


def python_command(arguments: list[str], log: Path | None = None) -> str:
    """A shell's command for a node: the Python that CNNLAB_PYTHON names there, or of the same path as here, or python3.

    Ray itself would take the `python` of the shell in which the node was started, whichever that was.
    """
    kept = "".join(
        f": ${{{name}:={shlex.quote(value)}}}; export {name}; " for name in PASSED_ON if (value := os.environ.get(name))
    )
    output = f" >> {shlex.quote(str(log))} 2>&1" if log else ""
    return (
        f'{kept}for python in "${PYTHON_VARIABLE}" {shlex.quote(sys.executable)} python3; '
        f'do command -v "$python" > /dev/null && break; done; exec "$python" {shlex.join(arguments)}{output}'
    )
