"""What a training does once its last epoch is over: keep what the out-of-distribution score needs."""

from __future__ import annotations

import time
import traceback

from cnnlab.runs.run import Run
from cnnlab.training.reporter import Reporter

LEAST_SECONDS_TO_CLOSE = 10.0
WORKED_SHARE = 0.02
LEAST_SHARE = 0.1


def keep_reference(run: Run, reporter: Reporter, seconds_per_image: float) -> None:
    """Keep the reference of the best checkpoint with the run (`cnnlab.inference.reference`).

    It may take ten seconds, or a fiftieth of the training; where that does not reach for a tenth of the usual number of
    images, it is left to whoever asks for it. Whatever fails here, the training has ended well.
    """
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.inference.reference import MOST_IMAGES, MOST_JUDGED, kept_reference, prepare

    try:
        best = run.checkpoint("best")
        affordable = max(LEAST_SECONDS_TO_CLOSE, WORKED_SHARE * reporter.worked)
        if not seconds_per_image:  # it ends before it validated once: nothing says how long it would take
            return
        share = min(affordable / (seconds_per_image * (MOST_IMAGES + MOST_JUDGED)), 1.0)
        if best.info.validation_accuracy is None or kept_reference(run, best) or share < LEAST_SHARE:
            return
        began = time.monotonic()
        reporter.write_status(
            "running", "Looking at the training images for the out-of-distribution score", seconds_left=None
        )
        prepare(load_classifier(run, best), share=share)
        print(f"Kept the reference of the out-of-distribution score, in {time.monotonic() - began:.1f} s.", flush=True)
    except Exception as error:  # a full disk, no memory, our own defect: the run is whole without it
        traceback.print_exc()
        print(f"Without a reference for the out-of-distribution score: {type(error).__name__}: {error}", flush=True)
