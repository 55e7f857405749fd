"""A chapter on paper: one HTML page with its figures and exercises, the answers at its end."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Sequence

import plotly.io
from markdown_it import MarkdownIt
from PIL import Image

from cnnlab.lecture.course.chapter import Chapter, Prose
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.live import Live
from cnnlab.lecture.course.markup import table_html, translated
from cnnlab.lecture.course.parts import (
    ChartPart,
    CodePart,
    FormulaPart,
    LandscapePart,
    Part,
    PicturesPart,
    PredictionsPart,
    TablePart,
    TextPart,
)
from cnnlab.lecture.exercises import Exercise
from cnnlab.network import diagram
from cnnlab.runs.run import Run
from cnnlab.text import html
from cnnlab.zoo.samples import samples_of
from cnnlab.zoo.shipped import SHIPPED_RUNS

STYLE = """
body {font: 11pt/1.45 system-ui, sans-serif; max-width: 47rem; margin: 2rem auto; padding: 0 1rem; color: #17212b}
h1 {font-size: 1.7rem} h2 {font-size: 1.25rem; margin-top: 2rem; break-after: avoid}
table {border-collapse: collapse; font-size: .8rem}
th, td {padding: .15rem .5rem; border-bottom: 1px solid #ccd; text-align: left}
td.number {text-align: right; font-variant-numeric: tabular-nums} tr.marked {font-weight: 700}
pre {background: #f4f6f8; padding: .6rem; font-size: .75rem; white-space: pre-wrap}
figure {display: inline-block; margin: .3rem .6rem .3rem 0; text-align: center; font-size: .8rem}
.exercise {border: 1px solid #99a; border-radius: 6px; padding: .3rem .9rem; margin: .8rem 0; break-inside: avoid}
.line {border-bottom: 1px solid #99a; height: 1.6rem; width: 60%}
svg, .chart, figure {break-inside: avoid} svg {max-width: 100%; height: auto}
@media print {body {margin: 0; max-width: none} @page {margin: 16mm}}
"""
NEW_LINE = r"\\"
PLAIN = (
    (r"\\(begin|end)\{\w+\}", ""),
    (r"\\text\{([^{}]*)\}", r"\1"),
    (r"B\^\{\*\}", "B*"),
    (r"\^2", "²"),
    (r"\\tfrac\{1\}\{9\}", "1/9"),
    (r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"(\1) / (\2)"),
    (r"\\cdot", "·"),
    (r"\\approx", "≈"),
    (r"\\quad", ""),
    (r"&=", "="),
    (r"&", " "),
)
"""What of LaTeX our formulas use, and how it is written without."""
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
"""CommonMark without raw HTML."""


def handout(chapter: Chapter, seed: int = 0) -> str:
    """The chapter as one page that needs nothing else; exercises with the numbers of a seed."""
    language = chapter.language
    writer = Writer(language)
    for step in chapter.steps:
        writer.add(f"<h2>{html(step.title)}</h2>")
        for part in step.parts:
            match part:
                case Prose(markdown):
                    writer.markdown(markdown)
                case Live():
                    writer.parts(part.parts())
                case Exercise():
                    writer.exercise(part, seed)
    writer.finish()
    title = f"{chapter.number}. {chapter.title}"
    head = f'<meta charset="utf-8"><title>{html(title)}</title><style>{STYLE}</style>'
    return (
        f"<!doctype html><html lang={language.code}><head>{head}</head>"
        f"<body><h1>{html(title)}</h1>{''.join(writer.written)}</body></html>"
    )


class Writer:
    """Puts a chapter together; answers are kept for the end."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self.written: list[str] = []
        self.answers: list[str] = []
        self.charts = 0

    def add(self, markup: str) -> None:
        self.written.append(markup)

    def markdown(self, text: str) -> None:
        self.add(MARKDOWN.render(text))

    def parts(self, parts: Sequence[Part]) -> None:
        for part in parts:
            self.part(part)

    def part(self, part: Part) -> None:
        match part:
            case TablePart():
                self.add(table_html(part, self.language))
            case ChartPart(figure):
                shown = translated(figure, self.language)
                shown.update_layout(width=700, template="plotly_white")
                markup = plotly.io.to_html(
                    shown, full_html=False, include_plotlyjs=not self.charts, config={"displayModeBar": False}
                )
                self.charts += 1
                self.add(f"<div class=chart>{markup}</div>")
            case PicturesPart(images, captions, side):
                for image, caption in zip(images, captions, strict=True):
                    self.picture(png_url(image), caption, side)
            case CodePart(code):
                self.add(f"<pre>{preformatted(code)}</pre>")
            case FormulaPart(latex):
                self.add(f"<pre>{preformatted(readable(latex))}</pre>")
            case TextPart(markdown):
                self.markdown(markdown)
            case LandscapePart(network):
                self.add(diagram.svg(network))
            case PredictionsPart(runs):
                for sample, label in samples_of(Run(SHIPPED_RUNS / runs[0]).data.classes):
                    address = f"data:image/jpeg;base64,{base64.b64encode(sample.read()).decode()}"
                    self.picture(address, label, 110)
            case _:  # links, and what only moves or is asked on the page
                pass

    def picture(self, address: str, caption: str, side: int) -> None:
        image = f'<img src="{address}" width="{side}" alt="">'
        self.add(f"<figure>{image}<figcaption>{html(caption)}</figcaption></figure>")

    def exercise(self, exercise: Exercise, seed: int) -> None:
        question, language = exercise.question(seed), self.language
        number = len(self.answers) + 1
        self.add("<div class=exercise>")
        self.markdown(
            f"**{language.word('exercise')} {number}.** {language.say('questions', question.asks, question.facts)}"
        )
        for condition in question.conditions:
            self.markdown(f"- {language.say('questions', condition.key, condition.facts)}")
        self.parts(question.before(language))
        options = "".join(f"<li>{html(option.label(language))}</li>" for option in question.options)
        self.add(f"<ul>{options}</ul></div>" if options else "<div class=line></div></div>")
        said = language.say("becauses", question.because, question.facts)
        answer = next(
            (one.label(language) for one in question.options if one.key == question.answer),
            "" if question.form == "network" else language.text(question.answer),
        )
        self.answers.append(f"{number}. **{answer}** {said}" if answer else f"{number}. {said}")

    def finish(self) -> None:
        if self.answers:
            self.add(f'<h2 style="break-before: page">{html(self.language.word("answers"))}</h2>')
            self.markdown("\n".join(self.answers))


def readable(latex: str) -> str:
    """A formula in lines of plain text, for paper has no TeX."""
    text = latex.replace("{,}", ",")
    for pattern, plain in PLAIN:
        text = re.sub(pattern, plain, text)
    return "\n".join(" ".join(line.split()) for line in text.split(NEW_LINE))


def preformatted(code: str) -> str:
    return "\n".join(html(line, None) for line in code.splitlines())


def png_url(image: Image.Image) -> str:
    out = io.BytesIO()
    image.save(out, "PNG")
    return f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
