"""Boxes in columns and lanes: nothing overlaps, and lines pass beside the boxes."""

from __future__ import annotations

from itertools import pairwise

from cnnlab.network.lanes import Extent, arrange

BOX = Extent(width=40, above=20, below=30, enter=5, leave=35)


def arranged(*links: tuple[str, str], end: str):  # type: ignore[no-untyped-def]
    names = dict.fromkeys(name for link in links for name in link)
    return arrange(dict.fromkeys(names, BOX), links, end, 20, 10)


def test_the_longest_way_runs_straight() -> None:
    made = arranged(("in", "a"), ("a", "b"), ("b", "out"), ("in", "short"), ("short", "out"), end="out")
    assert {made.places[name][1] for name in ("in", "a", "b", "out")} == {0}
    assert made.places["short"][1] != 0
    assert all(y == 0 for _, y in made.lines["a", "b"])


def test_a_line_that_skips_boxes_passes_beside_them() -> None:
    made = arranged(("in", "a"), ("a", "b"), ("b", "sum"), ("in", "sum"), end="sum")
    skipping = made.lines["in", "sum"]
    beside = [y for (x, y), (_, to_y) in pairwise(skipping) if y == to_y and made.places["a"][0] <= x]
    assert beside
    assert all(not -BOX.above < y < BOX.below for y in beside[:1])


def test_branches_keep_the_order_in_which_they_are_drawn() -> None:
    made = arranged(
        ("in", "one"),
        ("in", "two"),
        ("two", "two and"),
        ("in", "three"),
        ("in", "four"),
        *((name, "concat") for name in ("one", "two and", "three", "four")),
        end="concat",
    )
    heights = [made.places[name][1] for name in ("one", "two", "three", "four")]
    assert heights == sorted(set(heights))


def test_what_leads_nowhere_stands_above() -> None:
    made = arranged(("in", "a"), ("a", "out"), ("in", "head"), end="out")
    assert made.places["head"][1] < 0
