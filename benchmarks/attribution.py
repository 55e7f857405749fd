"""What explaining an answer costs, and what the checks find: `python benchmarks/attribution.py`.

The shipped networks, each about the first pictures of its classes that come with cnnlab, for the most probable class.
Prints a Markdown table.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cnnlab import hardware
from cnnlab.datasets.images import read_image
from cnnlab.inference.attribution_checks import randomization_of, removal_curves
from cnnlab.inference.classifier import load_classifier
from cnnlab.inference.probe import Probe
from cnnlab.inference.saliency import METHOD_TITLES, METHODS, attribute, refusal_of
from cnnlab.zoo.samples import samples_of
from cnnlab.zoo.shipped import shipped

IMAGES = 3
HEADS = (
    "network",
    "method",
    "first, s",
    "again, s",
    "deletion and insertion, s",
    "randomization, s",
    "deletion area",
    "insertion area",
    "left",
)
ROW = (
    "| {network} | {method} | {first:.1f} | {again:.2f} | {removal:.1f} | {test:.1f} | {deletion:.2f} ({random:.2f}) | "
    "{insertion:.2f} ({inserted:.2f}) | {left:.2f}, {verdict} |"
)


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


def main() -> None:
    rows, complete = [], []
    for run in shipped().values():
        classifier = load_classifier(run)
        name = (run.labels().name or run.id).partition(",")[0]
        pictures = [read_image(one.read(), one.file) for one, _ in samples_of(classifier.data.classes)[:IMAGES]]
        inputs = [classifier.data.preprocessing.fit(one) for one in pictures]
        labels = classifier.function(np.stack(inputs)).numpy().argmax(axis=1)
        asked = [(one, int(label)) for one, label in zip(inputs, labels, strict=True)]
        for method in METHODS:
            probe = Probe(classifier)  # so that the first call compiles
            if refusal_of(probe, method):
                continue
            first = timed(lambda probe=probe, method=method, asked=asked: attribute(probe, *asked[0], method))[0]
            found = [timed(lambda one=one, p=probe, m=method: attribute(p, *one, m)) for one in asked]
            curves = [
                timed(lambda one=one, values=values, p=probe: removal_curves(p, *one, values.values))
                for one, (_, values) in zip(asked, found, strict=True)
            ]
            test = timed(lambda c=classifier, one=asked[0], m=method: randomization_of(c, *one, m))
            rows.append(
                ROW.format(
                    network=name,
                    method=METHOD_TITLES[method],
                    first=first,
                    again=mean(spent for spent, _ in found),
                    removal=mean(spent for spent, _ in curves[1:]),
                    test=test[0],
                    deletion=mean(pair[0].area for _, pair in curves),
                    random=mean(pair[0].random_area for _, pair in curves),
                    insertion=mean(pair[1].area for _, pair in curves),
                    inserted=mean(pair[1].random_area for _, pair in curves),
                    left=test[1].left,
                    verdict=test[1].verdict,
                )
            )
            for _, one in found:
                if one.completeness is not None:
                    whole = one.completeness
                    complete.append(
                        f"| {name} | {whole.difference:.4f} | {whole.steps} | {whole.error:.2%} | "
                        f"{'yes' if whole.holds else 'no'} |"
                    )
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)
    print(f"""# Attribution

`python benchmarks/attribution.py` on {hardware.describe()["processor"]}, {hardware.cores()} cores, \
Python {platform.python_version()}. Load average {os.getloadavg()[2]:.0f} meanwhile:
other work ran beside it, so the seconds are an upper bound. The shipped networks, the first {IMAGES} pictures of their
classes that come with cnnlab, most probable class.

Seconds: of the first call, which compiles; of a later one; of deletion and insertion; and of the randomization test,
with its compiling, of the first picture. Areas under deletion and insertion: means, those of random orders in brackets.
Left: the rank correlation of the first picture with its original when all weights are random. Peak memory of the
process, with TensorFlow and the three networks: {memory:.1f} GB.
""")
    print(f"| {' | '.join(HEADS)} |\n| --- | --- |{' ---: |' * (len(HEADS) - 2)}")
    print("\n".join(rows))
    print("""
Integrated gradients, picture by picture: the probability's difference to the black image, the steps taken (16, doubled
up to 512 until the sum is within 1 %), and how far the sum is from it.

| network | difference | steps | apart | within 1 % |
| --- | ---: | ---: | ---: | --- |""")
    print("\n".join(complete))


if __name__ == "__main__":
    main()
