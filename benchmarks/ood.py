"""How often the out-of-distribution score of each shipped network warns, rightly and wrongly.

    CNNLAB_DATA=... python benchmarks/ood.py

It needs CIFAR-10 and Tiny ImageNet, takes some minutes on two cores, and writes the table of `benchmarks/ood.md`. The
false alarms are those on the network's own test images, which neither the training nor the limits have seen. The
digits network is trained for it here, for five epochs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))

from cnnlab import datasets, runs  # noqa: E402
from cnnlab.datasets.dataset import Indices  # noqa: E402
from cnnlab.datasets.images import Pixels  # noqa: E402
from cnnlab.evaluation import split_of  # noqa: E402
from cnnlab.inference.classifier import load_classifier  # noqa: E402
from cnnlab.inference.reference import feature_function, kept_reference  # noqa: E402
from cnnlab.runs.run import Run  # noqa: E402
from cnnlab.zoo.shipped import SHIPPED_RUNS  # noqa: E402

MOST = 2_000
BATCH = 256
HEAD = "| network | images | how many | above 1 | by features | by pixels | AUROC |\n|" + " --- |" * 7
SHARED = {  # classes of Tiny ImageNet that are classes of CIFAR-10 too
    *("Egyptian cat", "tabby", "Persian cat", "German shepherd", "Labrador retriever", "golden retriever"),
    *("Yorkshire terrier", "Chihuahua", "standard poodle", "bullfrog", "tailed frog", "sports car", "convertible"),
    *("beach wagon", "limousine", "moving van", "albatross", "goose", "black stork", "king penguin"),
}


def drawn(count: int) -> Indices:
    return np.sort(np.random.default_rng(0).permutation(count)[:MOST])


def test_images(name: str) -> tuple[Pixels, np.ndarray]:
    dataset = datasets.load(name)
    split = dataset.test_split()
    images, labels = split.batch(drawn(len(split)))
    return images, np.array(dataset.classes)[labels]


def foreign_images(own: str) -> dict[str, Pixels]:
    """What the network of a data set has not been trained on, by what it is."""
    found = {"noise": np.random.default_rng(0).integers(0, 256, (1_000, 64, 64, 3), dtype=np.uint8)}
    if own != "digits":
        found["digits"] = test_images("digits")[0]
    if own == "tiny-imagenet":
        found["CIFAR-10"] = test_images("cifar10")[0]
        return found
    images, names = test_images("tiny-imagenet")
    if own == "digits":
        return {**found, "CIFAR-10": test_images("cifar10")[0], "Tiny ImageNet": images}
    shared = np.isin(names, list(SHARED))
    return {**found, "Tiny ImageNet, other classes": images[~shared], "Tiny ImageNet, its own classes": images[shared]}


def rows(run: Run, title: str) -> list[str]:
    classifier = load_classifier(run)
    found, function = kept_reference(run, classifier.checkpoint), feature_function(classifier)
    if found is None:
        sys.exit(f"{run.id} has no reference.")

    def parts(images: Pixels) -> tuple[np.ndarray, np.ndarray]:
        scored = []
        for start in range(0, len(images), BATCH):
            inputs = classifier.data.preprocessing.fit_all(images[start : start + BATCH])
            scored.append(found.parts(function(inputs).numpy(), inputs))
        return np.concatenate([one for one, _ in scored]), np.concatenate([one for _, one in scored])

    test = split_of(run, "test")
    own = parts(test.batch(drawn(len(test)))[0])
    lines = [line(title, "its own test images", own, None)]
    for name, images in foreign_images(run.config.experiment.dataset).items():
        lines.append(line(title, name, parts(images), own))
    return lines


def line(
    network: str, images: str, parts: tuple[np.ndarray, np.ndarray], own: tuple[np.ndarray, np.ndarray] | None
) -> str:
    scores = np.maximum(*parts)
    area = "–"
    if own is not None:
        both = np.concatenate([np.maximum(*own), scores])
        area = f"{roc_auc_score(np.arange(len(both)) >= len(own[0]), both):.3f}"
    shares = " | ".join(f"{(one > 1).mean():.1%}" for one in (scores, *parts))
    return f"| {network} | {images} | {len(scores):,} | {shares} | {area} |"


def digits_run(folder: Path) -> Run:
    command = [sys.executable, "-m", "cnnlab", "train", "--architecture", "minivggnet", "--dataset", "digits"]
    options = ["--epochs", "5", "--seed", "0", "--runs-dir", str(folder)]
    done = subprocess.run([*command, *options], capture_output=True, text=True, cwd=PROJECT, check=True)
    return runs.find(done.stdout.strip().splitlines()[-1], folder)


if __name__ == "__main__":
    print(HEAD)
    with tempfile.TemporaryDirectory() as kept:
        networks = {path.parent.name: Run(path.parent) for path in sorted(SHIPPED_RUNS.glob("*/config.json"))}
        networks["minivggnet on digits, five epochs"] = digits_run(Path(kept))
        for title, run in networks.items():
            print("\n".join(rows(run, title)), flush=True)
