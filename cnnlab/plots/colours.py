"""The colours of charts, chosen to be seen on the light page and on the dark one, and told apart by the colour-blind.

Marks keep WCAG's 3:1 against both backgrounds, so one colour serves both themes; no colour of text keeps 4.5:1 against
both, so text takes the theme's ink. The hues are Okabe and Ito's, the brightest of them darkened.
"""

from __future__ import annotations

from typing import Literal

Theme = Literal["light", "dark"]
BACKGROUND: dict[Theme, str] = {"light": "#FFFFFF", "dark": "#10161D"}  # the themes of .streamlit/config.toml
INK: dict[Theme, str] = {"light": "#17212B", "dark": "#E6EBF0"}
SOFT_INK: dict[Theme, str] = {"light": "#57626E", "dark": "#A3AEB9"}
"""For what stands back behind the rest, such as the text of axes."""

BLUE, ORANGE, GREEN, PINK, VERMILLION = "#2D8CCB", "#C27F00", "#009E73", "#CC79A7", "#D55E00"
DEEP_BLUE, PURPLE, GREY, OLIVE, TEAL = "#0072B2", "#8C6BB1", "#7F8790", "#6B8E23", "#1B9E9E"
NO_NUMBER = "#FF4FA3"
"""Of NaN and infinity in maps of values: on no scale."""
SERIES = (BLUE, ORANGE, GREEN, PINK, VERMILLION, PURPLE, OLIVE, DEEP_BLUE, GREY, TEAL)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "x", "star", "pentagon", "hexagram")
"""Shapes that go with SERIES, so that nothing hangs on colour alone."""

Ends = tuple[str, str]
FAINT_TO_STRONG: dict[Theme, Ends] = {"light": ("#D3E6F4", "#053B63"), "dark": ("#1F3D55", "#B5E2FF")}
"""A scale that begins near the background: for cells that have their number written on them."""
SEEN_TO_STRONG: dict[Theme, Ends] = {"light": ("#3F93CC", "#04243D"), "dark": ("#2C75AA", "#D5F0FF")}
"""A scale whose least is already seen: for cells that are too small for a number."""
STOPS = 9


def channels(colour: str) -> tuple[float, float, float]:
    """Red, green and blue of #RRGGBB from 0 to 1."""
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def linear(value: float) -> float:
    """A channel of sRGB as an amount of light."""
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    red, green, blue = map(linear, channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG's contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def text_on(colour: str) -> str:
    """Black or white, whichever is read better on this; one of them always keeps 4.5:1."""
    return max("#000000", "#FFFFFF", key=lambda text: contrast(text, colour))


def over(colour: str, share: float, background: str) -> str:
    """What is seen of a colour that covers only a share of what is behind it."""
    return mixed(background, colour, share)


def mixed(one: str, other: str, share: float) -> str:
    """`share` of the way from one colour to the other, in sRGB as browsers and Plotly mix them."""
    values = (a + (b - a) * share for a, b in zip(channels(one), channels(other), strict=True))
    return "#" + "".join(f"{round(255 * value):02X}" for value in values)


def scale(ends: Ends) -> list[str]:
    """Colours from one end to the other in steps that look equal: straight through OKLab (Ottosson, 2020)."""
    first, last = map(oklab, ends)
    return [
        from_oklab([a + (b - a) * place / (STOPS - 1) for a, b in zip(first, last, strict=True)])
        for place in range(STOPS)
    ]


def shade(colours: list[str], share: float) -> str:
    """The colour that a scale has at a share of its length."""
    at = min(max(share, 0.0), 1.0) * (len(colours) - 1)
    place = min(int(at), len(colours) - 2)
    return mixed(colours[place], colours[place + 1], at - place)


def oklab(colour: str) -> list[float]:
    red, green, blue = map(linear, channels(colour))
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return [
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    ]


def from_oklab(values: list[float]) -> str:
    lightness, a, b = values
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    light = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    encoded = (12.92 * one if one <= 0.0031308 else 1.055 * max(one, 0.0) ** (1 / 2.4) - 0.055 for one in light)
    return "#" + "".join(f"{round(255 * min(max(one, 0.0), 1.0)):02X}" for one in encoded)
