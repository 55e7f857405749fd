"""A network of depth two that fits any labels: Zhang et al., ICLR 2017 (arXiv:1611.03530), Theorem 1 and its proof.

All hidden units look at one projection a·x and differ in where they begin: c(x) = sum_j w_j max(a·x - b_j, 0). With a
unit for each of n points, placed between them in the order of their projections, the weights solve a triangular system,
so that any n labels are met. That takes n weights, n biases and the d numbers of a: 2n + d parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from cnnlab.plots import LEGEND, MARGIN
from cnnlab.plots.colours import BLUE, VERMILLION

Numbers = NDArray[np.float64]


def least_parameters(points: int, numbers: int) -> int:
    """Of the theorem's network for so many points with so many numbers each."""
    return 2 * points + numbers


@dataclass(frozen=True, eq=False)
class Fitted:
    """Points by their projection with random labels, and the network with some units that comes nearest to them."""

    projections: Numbers
    labels: Numbers
    begins: Numbers
    weights: Numbers

    def __call__(self, x: Numbers) -> Numbers:
        made: Numbers = np.maximum(x[:, None] - self.begins, 0) @ self.weights
        return made

    @property
    def worst(self) -> float:
        """The largest distance of an answer from its label."""
        return float(np.abs(self(self.projections) - self.labels).max())


def fitted(points: int, units: int, seed: int) -> Fitted:
    """Random points with random labels from -1 to 1, and `units` hidden units, at most one a point."""
    random = np.random.default_rng(seed)
    projections = np.sort(random.permutation(4 * points)[:points].astype(np.float64)) / (4 * points)
    labels = random.choice((-1.0, 1.0), points)
    between = np.concatenate([[projections[0] - 1 / points], (projections[1:] + projections[:-1]) / 2])
    chosen = np.unique(np.linspace(0, points - 1, min(units, points)).round().astype(int))
    begins = between[chosen]
    weights = np.linalg.lstsq(np.maximum(projections[:, None] - begins, 0), labels, rcond=None)[0]
    return Fitted(projections, labels, begins, weights)


def fit_chart(found: Fitted) -> go.Figure:
    """The points and what the network says between them."""
    x = np.union1d(np.linspace(found.projections[0] - 0.02, found.projections[-1] + 0.02, 400), found.begins)
    x = np.union1d(x, found.projections)
    figure = go.Figure()
    figure.add_scatter(x=x, y=found(x), name="Network", mode="lines", line={"color": BLUE, "width": 2})
    figure.add_scatter(
        x=found.projections,
        y=found.labels,
        name="Random labels",
        mode="markers",
        marker={"size": 10, "color": VERMILLION},
    )
    figure.update_layout(
        height=300,
        margin=MARGIN,
        legend=LEGEND,
        xaxis={"title": "Projection a·x"},
        yaxis={"title": "Label", "range": [-3, 3]},
    )
    return figure
