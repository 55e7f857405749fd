"""Images as they are shown: every pixel a visible square."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from PIL import Image

from cnnlab.images import Pixels

GRID_PIXELS = 104


def enlarged(image: Pixels, side: int) -> Image.Image:
    """The pixels as they are, the longer side `side` pixels long."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
    return Image.fromarray(image).resize((max(1, round(width * scale)), max(1, round(height * scale))), method)


def picture_grid(images: Sequence[Pixels], captions: Sequence[str], side: int = GRID_PIXELS) -> None:
    """Small images in rows, `side` pixels wide, each with a line of Markdown under it."""
    with st.container(horizontal=True, gap="small"):
        for image, caption in zip(images, captions, strict=True):
            with st.container(width=side, gap=None):
                st.image(enlarged(image, 2 * side), width=side)
                st.caption(caption)
