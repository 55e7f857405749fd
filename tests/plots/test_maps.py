"""A layer's maps as one picture."""

from __future__ import annotations

import numpy as np

from cnnlab.plots.film import VIRIDIS, table
from cnnlab.plots.maps import in_colours, maps_picture


def test_one_scale_runs_from_the_lowest_value_to_the_highest() -> None:
    values = np.zeros((2, 3, 2), np.float32)
    values[0, 0] = (-4, 6)
    values[1, 2, 1] = 1
    pixels = in_colours(values)
    assert pixels[0, 0, 0].tolist() == table(VIRIDIS)[0].tolist()
    assert pixels[0, 0, 1].tolist() == table(VIRIDIS)[255].tolist()
    assert pixels[1, 2, 1].tolist() == table(VIRIDIS)[128].tolist()


def test_what_is_no_number_has_a_colour_of_its_own() -> None:
    values = np.array([[[0, np.nan]], [[1, np.inf]]], np.float32)
    pixels = in_colours(values)
    assert pixels[0, 0, 1].tolist() not in table(VIRIDIS).tolist()
    assert pixels[1, 0, 1].tolist() == pixels[0, 0, 1].tolist()
    assert len(np.unique(in_colours(np.full((2, 2, 1), np.nan, np.float32)).reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(in_colours(np.full((2, 2, 1), 7, np.float32)).reshape(-1, 3), axis=0)) == 1


def test_every_channel_has_its_tile() -> None:
    for shape in ((1, 1, 1), (1, 1, 1024), (224, 224, 3), (7, 14, 5)):
        picture = np.asarray(maps_picture(np.random.default_rng(0).normal(size=shape).astype(np.float32)))
        assert picture.shape[0] >= shape[0]
        assert max(picture.shape) < 2000
    values = np.zeros((1, 1, 4), np.float32)
    values[0, 0] = (0, 1, 2, 3)
    picture = np.asarray(maps_picture(values))
    corners = [picture[row, column].tolist() for row in (0, -1) for column in (0, -1)]
    assert corners == [table(VIRIDIS)[byte].tolist() for byte in (0, 85, 170, 255)]
