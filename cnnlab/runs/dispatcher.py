"""`python -m cnnlab.runs.dispatcher RUNS_FOLDER`: starts waiting runs until none waits."""

import sys
from pathlib import Path

from cnnlab.leftovers import sweep
from cnnlab.runs.queue import dispatch

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sweep(folder)
    dispatch(folder)
