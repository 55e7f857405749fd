"""What a person typed is shown as it was typed, and tells no browser, spreadsheet or terminal anything."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnlab import plots, text
from cnnlab.evaluation.export import csv_text
from cnnlab.inference.classifier import load_classifier
from cnnlab.network import Builder, diagram
from cnnlab.plots import evaluation as evaluation_plots
from cnnlab.plots import runs as run_plots
from cnnlab.runs.run import Run
from cnnlab.zoo.export import card
from tests.conftest import Output

BEACON = "http://beacon.example"
LINK = f'<a href="{BEACON}">log in</a>'
MARKUP = re.compile(r"<\s*/?\s*(a|img|script|b|br)\b", re.IGNORECASE)


def foreign(beacon: str) -> list[str]:
    """Texts that would be something else where they are taken for markup; `beacon` is the address they point to."""
    host = beacon.removeprefix("http://")
    return [
        f"![i]({beacon}/image.png)",
        f"[Your session expired, log in here]({beacon}/login)",
        f"[![both]({beacon}/both.png)]({beacon}/both)",
        f"![ref][r] [r]: {beacon}/reference.png",
        f"<{beacon}/angle> {beacon}/bare www.{host}/www a.b@beacon.example",
        f'<img src="{beacon}/html.png" onerror="fetch(\'{beacon}/script\')"><a href="{beacon}/a">x</a>',
        f"<script>fetch('{beacon}/script')</script><style>body{{background:url({beacon}/style.png)}}</style>",
        f"$\\href{{{beacon}/latex}}{{x}}$ $$\\includegraphics{{{beacon}/latex.png}}$$",
        "`code` ```fence``` ~~gone~~ **bold** _it_",
        ":red[red] :blue-background[b] :gray-badge[g] :small[s]",
        ":material/home: :streamlit: :smile: :+1: -> -- <= ~=",
        "# Title",
        "1. one",
        "> - + quoted",
        "| a | b | &amp; &lt;b&gt; &#33;",
        "%{y} %{customdata[0]} <extra>x</extra><br><b>bold</b>",
        "right\u202eot left\u202c \u2066iso\u2069 \u200fmark",
        "NUL \x00 bell \x07 escape \x1b[31mred \x1b]8;;http://beacon.example\x07link\x1b]8;;\x07",
        "[red]rich[/red] [link=http://beacon.example]here[/link]",
        '=HYPERLINK("http://beacon.example","x")',
        "+1+1",
        "-2+3",
        "@SUM(1)",
        "\\ \\\\ a\\",
        "تست\u200cها 👨\u200d👩\u200d👧",
        f"![long]({beacon}/long.png) " + "x" * 10_000,
    ]


FOREIGN = foreign(BEACON)


@pytest.mark.parametrize("given_text", FOREIGN)
def test_markdown_is_the_text_itself_with_every_mark_escaped(given_text: str) -> None:
    shown = text.markdown(given_text, None)
    assert re.sub(r"\\(.)", r"\1", shown).replace(text.JOINER, "") == text.plain(given_text).strip()
    unescaped = re.sub(r"\\.", "", shown)
    assert not re.search(r"[!-/:-@\[-`{-~]", unescaped)


@pytest.mark.parametrize(
    "plainly", ["Cats and dogs, v1.2 (50%)", "10 epochs: lr=0.1", "a - b", "café 猫 🐈", "run_7-b"]
)
def test_an_ordinary_name_is_copied_from_the_page_as_it_was_typed(plainly: str) -> None:
    assert text.JOINER not in text.markdown(plainly)


@given(st.text(max_size=60))
def test_control_characters_and_direction_marks_are_left_out_of_everything(typed: str) -> None:
    for make in (text.plain, text.markdown, text.chart, text.html, text.message, text.table):
        shown = make(typed)
        assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]", shown)
    assert not MARKUP.search(text.html(typed))
    assert unescape(text.html(typed, None)) == text.plain(typed)


def test_a_text_of_any_length_is_cut_where_it_would_break_the_page() -> None:
    assert len(text.plain("x" * 10_000, 50)) == 50
    for make in (text.markdown, text.chart, text.html, text.table):
        assert len(make("x" * 10_000)) <= text.MOST
    assert text.message("x" * 10_000).endswith("…")


def test_a_note_keeps_its_lines() -> None:
    assert text.lines("one\n# two\n\n- three") == "one  \n\\# two  \n  \n\\- three"


@pytest.mark.parametrize("given_text", ["=1+1", "+1+1", "-2+3", "@SUM(1)", "\t=1", " =1", '=HYPERLINK("http://x","y")'])
def test_no_field_of_a_csv_file_is_a_formula(given_text: str) -> None:
    row = next(csv.reader(io.StringIO(csv_text([[given_text, -1.5, "-1.5", "cat"]]))))
    assert row == [f"'{given_text}", "-1.5", "-1.5", "cat"]
    assert text.table(given_text)[0] not in "=+-@\t "


def texts_of(figure: Any) -> list[str]:
    """Every text in a figure that Plotly reads as HTML, and where it stands."""
    found: list[str] = []

    def walk(value: Any) -> None:
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
            if isinstance(item, str):
                found.append(item)
            else:
                walk(item)

    walk(json.loads(figure.to_json()))
    return found


def test_names_in_charts_are_no_html_and_no_template() -> None:
    title, other = f"%{{secret}}{LINK}", "<img src=x> $x$"
    history = [{"epoch": 1, "step": 1, "worked": 1.0, "loss": 1.0, "validation_loss": 1.0, "accuracy": 0.5}]
    figures = [
        plots.probability_bars([(title, 0.9), (other, 0.1)]),
        plots.class_balance([title, other], {"Training": [1, 2]}),
        plots.stacked([(title, [("1/1", 3)])], "parameters"),
        plots.bubbles(
            [
                {
                    "label": title,
                    "multiply_adds": 1,
                    "parameters": 1,
                    "accuracy": 0.5,
                    "source": title,
                    "whose": "Your best run",
                    "year": 2015,
                }
            ],
            title,
        ),
        evaluation_plots.confusion_matrix([[1, 2], [3, 4]], [title, other]),
        evaluation_plots.accuracy_by_class({title: 0.5, other: 0.5}),
        run_plots.run_curves([(title, history)], "loss"),
        run_plots.training_losses([(title, history)]),
        run_plots.fit_and_generalization(
            [{"Trained on": title, "Training accuracy": 1, "Validation accuracy": 1, "Test accuracy": None}]
        ),
        run_plots.reached_over(
            [{"title": title, "accuracy": 0.5, "minutes": 3}], "minutes", "Minutes", "Ours", {title: 0.4}
        ),
        run_plots.ingredients([title], [0.5], [0.4]),
        run_plots.setting_strips({title: [other, "two"]}, [0.5, 0.6], [title, "another"]),
    ]
    for figure in figures:
        texts = texts_of(figure)
        assert any("log in" in one for one in texts)
        for one in texts:
            if "log in" in one or "img" in one:
                assert not MARKUP.search(one.replace("<br>", " ")), one  # the break between two names is ours
                assert "%{secret}" not in one
                assert "$x$" not in one


def test_a_layer_with_a_strange_name_is_only_a_name_in_the_diagram() -> None:
    names = [*foreign(BEACON), 'x"/><script>alert(1)</script>', "two\nlines\x00"]
    draw = Builder(f"<b>{BEACON}</b>")
    x = draw.input((8, 8, 3), name=names[0])
    for name in names[1:]:
        x = draw.conv(x, 4, 3, name=name)
    network = draw.build(x)
    drawn = ElementTree.fromstring(diagram.svg(network))  # noqa: S314
    tags = {element.tag.partition("}")[2] for element in drawn.iter()}
    assert tags == {"svg", "title", "style", "g", "rect", "path", "polygon", "text"}
    attributes = {name for element in drawn.iter() for name in element.attrib}
    assert not attributes & {"href", "src", "onclick", "onload"}
    shown = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert "two lines " in shown


def test_the_card_of_an_export_holds_names_not_markup(trained_run: Run) -> None:
    classifier = load_classifier(trained_run)
    names = (f"![i]({BEACON}/i.png)", *classifier.data.classes[1:])
    strange = type(classifier)(
        **{
            **vars(classifier),
            "data": classifier.data.model_copy(
                update={"classes": names, "title": "[x](http://beacon.example)\n# Forged"}
            ),
        }
    )
    written = card(strange, None)
    assert "](" not in written
    assert "\n# Forged" not in written


def test_the_terminal_is_told_nothing_by_names_and_messages(
    call: Any, trained_run: Run, tmp_path: Path, folder: str
) -> None:
    copy = Run(Path(shutil.copytree(trained_run.folder, tmp_path / "runs" / trained_run.id)))
    runs_dir = str(copy.folder.parent)
    name = "[red]x[/red] [link=http://beacon.example]y[/link] \x1b[31mz\x1b]0;title\x07"
    output: Output = call("label", copy.id, "--name", name, "--note", "two\nlines\x1b[2J", "--runs-dir", runs_dir)
    assert "\x1b" not in output.out
    assert "\x07" not in output.out
    listed: Output = call("runs", "--runs-dir", runs_dir)
    assert "[red]x[/red] [link=http://beacon.example]y[/link]" in listed.out
    assert "\x1b" not in listed.out
    refused: Output = call("show", "\x1b[31mgone", "--runs-dir", runs_dir)
    assert refused.code == 2
    assert "\x1b" not in refused.err
    json_out: Output = call("show", copy.id, "--json", "--runs-dir", runs_dir)
    assert json_out.json()["labels"]["name"] == name  # what is stored stays as it was typed
