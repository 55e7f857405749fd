"""Images as they are shown: every pixel a visible square."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from PIL import Image

from cnnlab.datasets.images import Pixels

GRID_PIXELS = 104
GAP_PIXELS = 6


def enlarged(image: Pixels, side: int) -> Image.Image:
    """The pixels as they are, the longer side `side` pixels long."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
    return Image.fromarray(image).resize((max(1, round(width * scale)), max(1, round(height * scale))), method)


def stacked(images: Sequence[Pixels], side: int) -> Image.Image:
    """Images one below the other, `side` pixels wide, with a gap between them through which the page is seen."""
    pictures = [enlarged(image, 2 * side) for image in images]
    gap = 2 * GAP_PIXELS
    whole = Image.new("RGBA", (2 * side, sum(one.height + gap for one in pictures) - gap))
    top = 0
    for picture in pictures:
        whole.paste(picture, (0, top))
        top += picture.height + gap
    return whole


@dataclass(frozen=True)
class Link:
    """A way from a picture to a page, with what stands in its address."""

    page: str
    label: str
    query: Mapping[str, str]


def picture_grid(
    images: Sequence[Pixels], captions: Sequence[str], side: int = GRID_PIXELS, links: Sequence[Sequence[Link]] = ()
) -> None:
    """Small images in rows, `side` pixels wide, each with a line of Markdown under it and its links, if there
    are any."""
    with st.container(horizontal=True, gap="small"):
        for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
            with st.container(width=side, gap=None):
                st.image(enlarged(image, 2 * side), width=side)
                st.caption(caption)
                for link in links[place] if links else ():
                    st.page_link(link.page, label=link.label, query_params=dict(link.query))
