from __future__ import annotations

import pytest

from cnnlab import units


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (896, "896"), (1_656_250, "1,656,250")])
def test_counts_are_grouped_in_thousands(value: int, text: str) -> None:
    assert units.count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (320, "320"),
        (999, "999"),
        (1_000, "1.00 k"),
        (9_248, "9.25 k"),
        (999_499, "999 k"),
        (999_999, "1.00 M"),
        (1_656_250, "1.66 M"),
        (138_357_544, "138 M"),
        (15_470_264_320, "15.5 G"),
        (2.5e12, "2.50 T"),
    ],
)
def test_short_numbers_have_three_digits_and_a_prefix(value: float, text: str) -> None:
    assert units.short(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0 B"), (999, "999 B"), (1_000, "1.00 kB"), (12_345_678, "12.3 MB")])
def test_sizes_are_in_decimal_bytes(value: float, text: str) -> None:
    assert units.size(value) == text


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0%"), (0.8141, "81.4%"), (1.0, "100.0%"), (None, "–")])
def test_shares_are_percentages_or_a_dash(value: float | None, text: str) -> None:
    assert units.percent(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1 / 3, "0.333333"),
        (1e-05, "1e-05"),
        (0.0, "0"),
        (128, "128"),
        ("adam", "adam"),
        (True, "yes"),
        ("", "–"),
        (None, "–"),
    ],
)
def test_settings_are_short_and_a_dash_where_they_are_not_set(value: object, text: str) -> None:
    assert units.setting(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (59.6, "1 min 00 s"),
        (125, "2 min 05 s"),
        (3599.6, "1 h 00 min"),
        (3 * 3600 + 7 * 60, "3 h 07 min"),
        (None, "–"),
    ],
)
def test_durations_carry_over_to_the_next_unit(seconds: float | None, text: str) -> None:
    assert units.duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.45214, "0.4521"),
        (-12.3449, "−12.34"),
        (0.5, "0.5"),
        (0.500001, "0.5000"),
        (100.0, "100"),
        (98_764.0, "98,760"),
        (0.00012345678, "0.0001235"),
        (0.000012344, "1.234·10⁻⁵"),
        (-2.5e12, "−2.5·10¹²"),
        (float("nan"), "NaN"),
        (float("-inf"), "−∞"),
    ],
)
def test_values_have_four_significant_digits(value: float, text: str) -> None:
    assert units.digits(value) == text
