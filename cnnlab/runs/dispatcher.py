"""`python -m cnnlab.runs.dispatcher RUNS_FOLDER`: starts waiting runs and goes on with sweeps until nothing is left."""

import sys
from pathlib import Path

from cnnlab.runs.queue import dispatch
from cnnlab.runs.sweeps.going import tend
from cnnlab.storage.leftovers import sweep

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    sweep(folder)
    dispatch(folder, tend)
