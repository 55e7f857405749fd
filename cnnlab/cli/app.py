"""The command that serves the app in the browser."""

from __future__ import annotations

import argparse
import os
import sys

from cnnlab import runs
from cnnlab.resources import APP


def serve_app(options: argparse.Namespace) -> int:
    """Become Streamlit's server. Its settings stand in `.streamlit/config.toml` beside the app, where it finds them."""
    runs_folder = runs.runs_folder(options.runs_dir)
    flags = ["--server.address", options.address, "--server.port", str(options.port)]
    sys.stdout.flush()
    os.execve(  # noqa: S606  our own interpreter
        sys.executable,
        [sys.executable, "-P", "-m", "streamlit", "run", str(APP), *flags, *options.flags],
        {**os.environ, "CNNLAB_RUNS": str(runs_folder)},
    )
