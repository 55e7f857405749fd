"""`python -m cnnlab.evaluation RUN_FOLDER SPLIT STEP VIEW`: one evaluation, for whoever looks at the run's folder.

`python -m cnnlab.evaluation JOB_FOLDER many RUN_FOLDER...`: the test images for each of these runs.
"""

import sys

from cnnlab.evaluation.job import MANY, work, work_all

if __name__ == "__main__":
    folder, what, *others = sys.argv[1:]
    sys.exit(work_all(folder, *others) if what == MANY else work(folder, what, *others))
