"""What a layer computed, channel by channel: its figures, their order, and small pictures of its maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cnnlab.inference.activations import Values
from cnnlab.network.branches import JoinedBranch

MapSort = Literal["number", "mean", "zeros"]
MAP_SORTS: tuple[MapSort, ...] = get_args(MapSort)
MOST_SIDE = 128
"""Pixels; a larger map is made smaller by means of squares before it is drawn in a grid."""
NOT_FINITE = 255
"""What stands in a small picture for NaN and infinite values; the others go from 0 to 254."""


@dataclass(frozen=True, eq=False)
class ChannelFigures:
    """Figures of a layer's channels, each (channels,): the mean (NaN where a value is), the share of values that are
    zero, the lowest and the highest finite value (NaN where there is none), and how many are not finite."""

    mean: NDArray[np.float64]
    zeros: NDArray[np.float64]
    low: Values
    high: Values
    not_finite: NDArray[np.int64]

    @property
    def dead(self) -> int:
        """How many channels give zero everywhere."""
        return int(np.count_nonzero(self.zeros == 1))


def as_maps(values: Values) -> Values:
    """A layer's values as (height, width, channels): a vector as maps of one value."""
    return values if values.ndim == 3 else values.reshape(1, 1, -1)


def channel_figures(values: Values) -> ChannelFigures:
    """The figures of values (height, width, channels) or (features,)."""
    flat = as_maps(values).reshape(-1, values.shape[-1])
    with np.errstate(invalid="ignore", over="ignore"):
        mean = flat.mean(axis=0, dtype=np.float64)
    zeros = 1 - np.count_nonzero(flat, axis=0) / len(flat)
    if np.isfinite(mean).all():
        return ChannelFigures(mean, zeros, flat.min(axis=0), flat.max(axis=0), np.zeros(len(mean), np.int64))
    finite = np.isfinite(flat)
    low = np.where(finite, flat, np.inf).min(axis=0)
    high = np.where(finite, flat, -np.inf).max(axis=0)
    some = finite.any(axis=0)
    nothing = np.float32(np.nan)
    return ChannelFigures(
        mean, zeros, np.where(some, low, nothing), np.where(some, high, nothing), np.count_nonzero(~finite, axis=0)
    )


def channel_order(figures: ChannelFigures, sort: MapSort, branches: Sequence[JoinedBranch] = ()) -> list[int]:
    """The channels by number, highest mean first (NaN last), or most zeros first; within each branch where there are
    any."""
    if sort == "number":
        return list(range(len(figures.mean)))
    rank = figures.mean if sort == "mean" else figures.zeros
    parts = [(branch.first, branch.count) for branch in branches] or [(0, len(rank))]
    return [first + int(place) for first, count in parts for place in np.argsort(-rank[first:][:count], kind="stable")]


def branch_shares(values: Values, branches: Sequence[JoinedBranch]) -> list[float | None]:
    """What part of a concatenation's total activation, the sum of the values without their signs, is each branch's;
    None where it is all zero or not finite."""
    flat = as_maps(values).reshape(-1, values.shape[-1])
    sums = np.abs(flat).sum(axis=0, dtype=np.float64)
    total = float(sums.sum())
    if not np.isfinite(total) or total == 0:
        return [None] * len(branches)
    return [float(sums[branch.first :][: branch.count].sum()) / total for branch in branches]


def small_size(height: int, width: int) -> tuple[int, int, int]:
    """How large a map is drawn in a grid: height, width, and how many values a side go into one."""
    step = -(-max(height, width) // MOST_SIDE)
    return -(-height // step), -(-width // step), step


def small_maps(values: Values, channels: Sequence[int], figures: ChannelFigures) -> NDArray[np.uint8]:
    """Pictures of some channels (channels, height, width), each from its lowest value, 0, to its highest, 254.

    A large map is made smaller by the means of squares; a square with a value that is not finite is NOT_FINITE.
    """
    maps = as_maps(values)[:, :, list(channels)].transpose(2, 0, 1)
    count, height, width = maps.shape
    down, across, step = small_size(height, width)
    if step > 1:
        padding = ((0, 0), (0, down * step - height), (0, across * step - width))
        padded = np.pad(maps, padding, mode="edge") if padding[1][1] or padding[2][1] else maps
        with np.errstate(invalid="ignore"):
            maps = padded.reshape(count, down, step, across, step).mean(axis=(2, 4))
    low, high = (one[list(channels), None, None] for one in (figures.low, figures.high))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        shares = np.where(high > low, (maps - low) / (high - low), 0)
        coloured = np.where(np.isfinite(maps), np.clip(np.rint(shares * 254), 0, 254), NOT_FINITE)
    return coloured.astype(np.uint8)
