"""`python -m cnnlab.evaluation RUN_FOLDER SPLIT STEP VIEW`: one evaluation, for whoever looks at the run's folder."""

import sys

from cnnlab.evaluation.job import work

if __name__ == "__main__":
    sys.exit(work(*sys.argv[1:5]))
