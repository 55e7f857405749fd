"""`python -m cnnlab.training RUN_FOLDER`: what a started run executes."""

import sys
from pathlib import Path

from cnnlab.runs.run import Run
from cnnlab.training.process import main

if __name__ == "__main__":
    sys.exit(main(Run(Path(sys.argv[1]))))
