"""The page Learn, and the lecture's items, each at the address that shows it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest

from cnnlab.lecture.course.chapter import chapters
from cnnlab.lecture.course.progress import read_progress
from tests.pages.conftest import OpenPage

COVERAGE = tomllib.loads((Path(__file__).parent / "coverage.toml").read_text(encoding="utf-8"))["item"]


def said(app: AppTest) -> str:
    """All text of a page: prose, tables, code, formulas, labels of buttons and links."""
    found: list[str] = [str(one.value) for one in (*app.markdown, *app.caption, *app.code, *app.latex, *app.title)]
    found += [str(one.value) for one in (*app.header, *app.subheader, *app.info, *app.metric)]
    found += [frame.value.to_string() for frame in app.dataframe]
    found += [one.label for one in (*app.button, *app.expander)]
    found += [one.proto.body for one in app.get("html")]
    found += [one.proto.label for one in app.get("page_link")]
    found += [f"{one.proto.label} {one.proto.url}" for one in app.get("link_button")]
    return " ".join(" ".join(found).split())


def test_the_contents_lead_to_every_chapter(open_page: OpenPage) -> None:
    app = open_page("learn", language="en")
    links = [one.proto.label for one in app.get("page_link")]
    assert links == [f"**{one.number}. {one.title}**" for one in chapters("en").values()]


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_every_step_opens_in_every_language(open_page: OpenPage, language: str) -> None:
    app = open_page("learn", language=language)
    for chapter in chapters(language).values():
        for number, step in enumerate(chapter.steps, 1):
            app.query_params.update({"chapter": chapter.name, "step": str(number), "language": language})
            app.run()
            where = f"{chapter.name} {number}"
            assert not app.exception, where
            assert not [*app.error, *app.warning], where
            assert app.header[0].value == step.title, where
    assert sum(map(len, read_progress().seen.values())) == sum(len(one.steps) for one in chapters(language).values())


def test_one_commits_hears_why_and_reveals(open_page: OpenPage) -> None:
    app = open_page("learn", chapter="vgg", step="6", language="en")
    assert not [one for one in app.button if one.label == "Reveal"], "nothing is shown before one has committed"
    given = next(one for one in app.number_input if str(one.key).startswith("given vgg.one-layer"))
    given.set_value(36_864)
    next(one for one in app.button if one.label == "Commit").click().run()
    assert "forgot the bias" in app.warning[0].value
    next(one for one in app.button if one.label == "Reveal").click().run()
    assert "36,928" in said(app)
    given = next(one for one in app.number_input if str(one.key).startswith("given vgg.one-layer"))
    given.set_value(36_928)
    next(one for one in app.button if one.label == "Commit").click().run()
    assert app.success[0].value == "Right."
    assert read_progress().solved == {"vgg": {"one-layer"}}


def test_a_design_is_handed_in(open_page: OpenPage) -> None:
    app = open_page("design", **{"from": "minivggnet"})
    app.switch_page("pages/learn.py")
    app.query_params.update({"chapter": "minivggnet", "step": "5", "language": "en"})
    app.run()
    next(one for one in app.button if one.label == "Commit").click().run()
    assert "2,171,178" in app.warning[0].value


def test_other_numbers_and_the_notes(open_page: OpenPage) -> None:
    app = open_page("learn", chapter="vgg", step="6", language="en")
    before = said(app)
    next(one for one in app.button if one.label == "New numbers").click().run()
    assert app.query_params["seed"] in ("1", ["1"])
    assert "drawn with seed 1" in said(app)
    assert said(app) != before
    notes = open_page("learn", chapter="vgg", step="6", language="en", view="notes")
    assert "13,416" in said(notes)
    assert "36,928" in said(notes), "the speaker has the answers"


def test_a_presentation_shows_no_answer_before_it_is_revealed(open_page: OpenPage) -> None:
    app = open_page("learn", chapter="vgg", step="6", slide="2", present="true", language="en")
    assert not app.number_input
    assert "36,928" not in said(app)
    next(one for one in app.button if one.label == "Reveal").click().run()
    assert "36,928" in said(app)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"chapter": "lenet"}, "Contents"),
        ({"chapter": "vgg", "step": "99"}, "1"),
        ({"chapter": "vgg", "language": "tlh"}, "English"),
    ],
)
def test_what_an_address_asks_in_vain_is_said(open_page: OpenPage, query: dict[str, str], shown: str) -> None:
    app = open_page("learn", **query)
    assert shown in app.warning[0].value


def test_there_is_an_address_for_each_of_the_lectures_items() -> None:
    assert len(COVERAGE) >= 57
    assert len({item["what"] for item in COVERAGE}) == len(COVERAGE)


def test_each_item_of_the_lecture_is_where_the_table_says(open_page: OpenPage) -> None:
    by_address: dict[str, list[dict[str, Any]]] = {}
    for item in COVERAGE:
        by_address.setdefault(item["at"], []).append(item)
    missing = []
    course = open_page("learn", language="en")
    for address, items in by_address.items():
        page, _, query = address.partition("?")
        if page == "learn":
            course.query_params.update(dict(parse_qsl(query)))
            app = course.run()
        else:
            app = open_page(page, **dict(parse_qsl(query)))
        assert not app.exception, address
        shown = said(app)
        missing += [
            f"{item['what']}: {one!r} is not at {address}" for item in items for one in item["says"] if one not in shown
        ]
    assert not missing, "\n".join(missing)
