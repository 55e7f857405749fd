"""Numbers as people read them: 1,656,250; 1.66 M; 6.6 MB; 2 min 05 s; 81.4%."""

from __future__ import annotations

from typing import Any


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
