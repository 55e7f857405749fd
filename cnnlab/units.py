"""Numbers as people read them: 1,656,250; 1.66 M; 6.6 MB; 2 min 05 s; 81.4%."""

from __future__ import annotations

from math import isfinite, isnan
from typing import Any

SIGNIFICANT = 4
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def count(value: int) -> str:
    """1,656,250"""
    return f"{value:,}"


def short(value: float) -> str:
    """Three digits and a metric prefix: 1.66 M, 15.5 G, 320."""
    for limit, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit * 0.9995:
            return f"{value / limit:#.3g} {prefix}".replace(". ", " ")
    return f"{value:.0f}"


def size(count_of_bytes: float) -> str:
    """Bytes with decimal prefixes (1 MB = 10^6 bytes): 6.63 MB."""
    return f"{short(count_of_bytes)}B" if count_of_bytes >= 999.5 else f"{count_of_bytes:.0f} B"


def percent(share: float | None) -> str:
    """81.4%, or a dash for what is not known."""
    return "–" if share is None else f"{share:.1%}"


def digits(value: float) -> str:
    """Four significant digits: 0.4521, −12.34, 98,760, 1.234·10⁻⁵, NaN, ∞.

    0.5 is a half exactly; a value that is cut to it has its zeros: 0.5000.
    """
    if isnan(value):
        return "NaN"
    if not isfinite(value):
        return "∞" if value > 0 else "−∞"
    mantissa, exponent = f"{value + 0.0:.{SIGNIFICANT - 1}e}".split("e")
    cut, place = float(f"{mantissa}e{exponent}"), int(exponent)
    ordinary = -5 < place < 6
    shown = f"{cut:,.{max(SIGNIFICANT - 1 - place, 0)}f}" if ordinary else mantissa
    if cut == value and "." in shown:
        shown = shown.rstrip("0").rstrip(".")
    return (shown if ordinary else f"{shown}·10{str(place).translate(SUPERSCRIPTS)}").replace("-", "−")


def setting(value: Any) -> str:
    """A recipe's setting: 0.333333 for a third, yes or no, a dash for what is not set."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def duration(seconds: float | None) -> str:
    """45 s, 2 min 05 s, 3 h 07 min, or a dash for what is not known."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
