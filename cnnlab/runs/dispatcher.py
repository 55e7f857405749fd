"""`python -m cnnlab.runs.dispatcher RUNS_FOLDER`: starts waiting runs until none waits."""

import sys
from pathlib import Path

from cnnlab.runs.queue import dispatch
from cnnlab.storage.leftovers import sweep

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sweep(folder)
    dispatch(folder)
