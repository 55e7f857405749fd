"""`python -m cnnlab.datasets prepare NAME` or `import NAME TITLE PATH SIZE FITTING`: for whoever looks at the job."""

import sys

from cnnlab.datasets.job import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
