"""Shapes, and the windows that slide over feature maps: TensorFlow's conventions for "same" and "valid"."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from cnnlab.errors import UserError

MOST_UNITS = 1_000_000
Positive = Annotated[int, Field(gt=0, le=MOST_UNITS)]
Border = Annotated[int, Field(ge=0, le=MOST_UNITS)]
Shape = tuple[Positive, ...]
Padding = Literal["same", "valid"]


def shape_text(shape: Shape) -> str:
    """A shape as the field writes it: 28×28×192, or 512 for a vector."""
    return "×".join(str(n) for n in shape)


class Window(NamedTuple):
    """What one output value reads of its input along an axis: `kernel` values, `stride` apart from its neighbour's."""

    kernel: int
    stride: int

    @property
    def text(self) -> str:
        """3×3 / 2 (size / stride)."""
        return f"{self.kernel}×{self.kernel} / {self.stride}"


POINT = Window(1, 1)
"""The window of a layer that computes each value from the one at its place."""


def feature_maps(*inputs: Shape) -> tuple[int, int, int]:
    """The single input as (height, width, channels); UserError for anything else."""
    if len(inputs) != 1 or len(inputs[0]) != 3:
        raise UserError("takes feature maps (height × width × channels), got " + ", ".join(map(shape_text, inputs)))
    height, width, channels = inputs[0]
    return height, width, channels


def whole_map(*inputs: Shape) -> Window:
    """A window as large as the map that is read."""
    return Window(inputs[0][0], 1)


def slide(height: int, width: int, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Output height and width of a sliding window (TensorFlow's conventions for "same" and "valid")."""
    if padding == "same":
        return -(-height // stride), -(-width // stride)
    if min(height, width) < kernel:
        raise UserError(
            f"its {kernel}×{kernel} window does not fit into the {height}×{width} map that reaches it; "
            "the network needs a larger input"
        )
    return (height - kernel) // stride + 1, (width - kernel) // stride + 1


def border(*inputs: Shape, kernel: int, stride: int, padding: Padding) -> tuple[int, int]:
    """Rows and columns that padding puts before the map: the smaller half of what it adds (TensorFlow's convention)."""
    height, width, _ = feature_maps(*inputs)
    rows, columns = slide(height, width, kernel, stride, padding)
    if padding == "valid":
        return (0, 0)
    return max((rows - 1) * stride + kernel - height, 0) // 2, max((columns - 1) * stride + kernel - width, 0) // 2
