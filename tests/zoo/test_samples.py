"""The pictures that come with cnnlab: free, small, credited, and of classes that the shipped networks know."""

from __future__ import annotations

import json

import pytest

from cnnlab.datasets.images import read_image
from cnnlab.inference.classifier import load_classifier
from cnnlab.zoo.samples import SAMPLES, all_samples, samples_of
from cnnlab.zoo.shipped import shipped

FREE = ("public domain", "CC0 1.0", "CC BY 2.5")
MOST_BYTES = 60_000


def test_each_picture_is_there_small_and_credited() -> None:
    assert len(all_samples()) >= 12
    assert {path.name for path in SAMPLES.glob("*.jpg")} == {sample.file for sample in all_samples()}
    for sample in all_samples():
        assert len(sample.read()) <= MOST_BYTES
        image = read_image(sample.read(), sample.file)
        assert 240 <= max(image.shape[:2]) <= 320
        assert sample.licence in FREE
        assert sample.author
        assert sample.source.startswith("https://")
    assert len(json.loads((SAMPLES / "samples.json").read_text(encoding="utf-8"))) == len(all_samples())


def test_a_picture_goes_by_the_name_that_the_data_set_has_for_it() -> None:
    assert {label for _, label in samples_of(["dog", "cat"])} == {"dog", "cat"}
    assert [label for _, label in samples_of(["German shepherd"])] == ["German shepherd"]
    assert samples_of(["0", "1"]) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minivggnet-cifar10", "minigooglenet-cifar10", "deepergooglenet-tiny-imagenet"])
def test_the_shipped_networks_know_most_of_them(name: str) -> None:
    classifier = load_classifier(shipped()[name])
    found = samples_of(classifier.data.classes)
    images = [read_image(sample.read(), sample.file) for sample, _ in found]
    answers = classifier.probabilities(images).argmax(axis=1)
    right = sum(classifier.data.classes[answer] == label for answer, (_, label) in zip(answers, found, strict=True))
    assert len(found) >= 8
    assert right / len(found) > 0.5
