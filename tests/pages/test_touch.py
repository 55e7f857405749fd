"""The edited image as it comes from the browser: exactly the pixels that a network takes, or none of it."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from cnnlab.errors import UserError
from pages.components.touch import Edit, edited, pixels_of
from pages.shared.changes import difference, most_probable
from tests.conftest import assert_one_line

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)


def text_of(values: Any) -> str:
    return base64.b64encode(np.asarray(values, np.uint8).tobytes()).decode()


def test_the_pixels_sent_are_the_image() -> None:
    found = edited(Edit("v"), IMAGE, {"version": "v", "number": 3, "pixels": text_of(255 - IMAGE)})
    np.testing.assert_array_equal(found.pixels, 255 - IMAGE)
    assert (found.version, found.number, found.refused) == ("v", 3, "")
    back = edited(found, IMAGE, {"version": "v", "number": 4, "pixels": ""})
    assert (back.pixels, back.number) == (None, 4)


@pytest.mark.parametrize(
    "sent", ["not base64!", "AAA", None, 3, ["x"], text_of(IMAGE)[:-4], text_of([*IMAGE.ravel(), 1])]
)
def test_what_is_not_exactly_as_many_pixels_is_refused_and_the_edit_before_stays(sent: Any) -> None:
    before = Edit("v", 3, IMAGE)
    found = edited(before, IMAGE, {"version": "v", "number": 4, "pixels": sent})
    assert found.pixels is before.pixels
    assert found.number == 4
    assert_one_line(found.refused, "edit it once more")
    with pytest.raises(UserError):
        pixels_of(sent, IMAGE)


@pytest.mark.parametrize("sent", [None, [], {}, {"version": "other", "number": 4, "pixels": text_of(IMAGE)}])
def test_what_is_of_another_image_is_left_out(sent: Any) -> None:
    before = Edit("v", 3, IMAGE)
    assert edited(before, IMAGE, sent) is before


def test_changes_are_told_in_points_of_a_percent() -> None:
    told = [difference(was, now) for was, now in ((0.5, 0.532), (0.9, 0.49), (0.2, 0.2), (0.2, float("nan")))]
    assert told == ["+3.2", "−41.0", "0", "–"]


def test_the_classes_shown_are_those_before_and_those_that_come_in() -> None:
    before = np.array([0.9, 0.05, 0.03, 0.01, 0.005, 0.003, 0.002], np.float32)
    now = np.array([0.01, 0.05, 0.03, 0.01, 0.0, 0.0, 0.9], np.float32)
    shown = most_probable(before, now)
    assert shown[0] == 0
    assert 6 in shown
    assert len(shown) == len(set(shown)) <= 6
    assert most_probable(np.array([np.nan, 1.0]), np.array([0.5, 0.5])) == [1, 0]
