"""The lecture, walked from end to end: chapters with live parts, exercises, a presentation, notes and handouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

import streamlit as st

from cnnlab.errors import UserError
from cnnlab.lecture.course.chapter import Chapter, CourseStep, Prose, chapters, slides
from cnnlab.lecture.course.handout import handout
from cnnlab.lecture.course.language import Language, languages
from cnnlab.lecture.course.live import Live
from cnnlab.lecture.course.progress import forget_progress, keep_step, read_progress
from cnnlab.lecture.exercises import Exercise
from pages.shared.address import address_segments, asked, go, tab_title, unknown
from pages.shared.course_exercises import is_revealed, show_exercise
from pages.shared.course_parts import show_live
from pages.shared.course_style import COURSE_STYLE, PRESENT_STYLE
from pages.shared.errors import show_error
from pages.shared.navigation import enter_through_app
from pages.shared.scripts import TO_THE_TOP

enter_through_app()

LEARN = "pages/learn.py"
KEPT = ("chapter", "step", "language", "seed", "present", "slide")
MOST_SEED = 9999
Place = tuple[str, int, int]  # a chapter, a step of it, and in a presentation a slide of that, both from 1


def lead(**changes: str | None) -> None:
    """Go to another place of the course; what belongs to the step that one leaves goes from the address."""
    here = {name: None for name in st.query_params if name not in KEPT}
    go(**{**here, **changes})


def language_asked() -> Language:
    """The language of the address, or that of the browser where it is one of ours."""
    known = languages()
    wanted = asked("language")
    if wanted in known:
        return known[wanted]
    if wanted is not None:
        unknown("the language", wanted, known["en"].name)
        return known["en"]
    spoken = (st.context.locale or "").lower()
    return next((one for code, one in known.items() if spoken.startswith(code.partition("-")[0])), known["en"])


def choose_language(now: Language) -> None:
    known = languages()
    code = address_segments(
        now.word("language"),
        list(known),
        "language",
        now.code,
        format_func=lambda one: known[one].name,
        label_visibility="collapsed",
    )
    if code != now.code:
        lead(language=code)


def place_of(chapter: str, step: int, language: Language, seed: int = 0) -> dict[str, str]:
    """The address of a step."""
    place = {"chapter": chapter, "step": str(step), "language": language.code}
    return place | ({"seed": str(seed)} if seed else {})


def number_asked(name: str, least: int, most: int) -> int:
    """A whole number of the address; what is not one is said."""
    wanted = asked(name)
    if wanted is None:
        return least
    if wanted.isascii() and wanted.isdigit() and least <= int(wanted[:9]) <= most:
        return int(wanted)
    unknown(f"the {name}", wanted, str(least))
    return least


def show_contents(found: Mapping[str, Chapter], language: Language) -> None:
    """All chapters, each with what was seen and solved of it on this computer."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(language.word("learn"), anchor=False, width="content")
        choose_language(language)
    st.write(language.word("what_one_can"))
    progress = read_progress()
    for chapter in found.values():
        seen, solved = progress.steps_seen(chapter), progress.exercises_solved(chapter)
        at = min(seen + 1, len(chapter.steps)) if seen < len(chapter.steps) else 1
        with st.container(horizontal=True, vertical_alignment="center", key=f"chapter-{chapter.name}"):
            title = f"**{chapter.number}. {chapter.title}**"
            st.page_link(LEARN, label=title, query_params=place_of(chapter.name, at, language), width=400)
            st.progress(seen / len(chapter.steps), width=160)
            st.caption(
                language.word(
                    "visited", seen=seen, steps=len(chapter.steps), solved=solved, exercises=len(chapter.exercises)
                ),
                width="content",
            )
    solved = sum(progress.exercises_solved(one) for one in found.values())
    exercises = sum(len(one.exercises) for one in found.values())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(language.word("whole_progress", solved=solved, exercises=exercises), width="content")
        if progress.seen or progress.solved:
            with st.popover(language.word("forget")):
                st.write(language.word("forget_sure"))
                if st.button(language.word("forget"), type="primary", key="forget it"):
                    forget_progress()
                    st.rerun()


def show_step(chapter: Chapter, place: Place, seed: int, present: bool) -> None:
    """A step, or a slide of it: prose, live parts and exercises in their order."""
    _, number, slide = place
    step, language = chapter.steps[number - 1], chapter.language
    shown = slides(step)[slide - 1] if present else range(len(step.parts))
    hidden = [part for part in exercises_of(step, shown) if not is_revealed(part, chapter.name, seed)]
    mark = f"{chapter.name}-{number}-{slide}-{present}"
    st.html(f'<span data-course-place="{mark}"></span><script>{TO_THE_TOP}</script>', unsafe_allow_javascript=True)
    st.header(step.title, anchor=False)
    for at in shown:
        part, key = step.parts[at], f"{chapter.name}-{number}-{at}"
        try:
            match part:
                case Prose(markdown):
                    st.markdown(markdown)
                case Live():
                    show_live(part, language, key, present)
                case Exercise():
                    show_exercise(part, chapter.name, seed, language, present, hidden[:1] == [part])
        except UserError as error:
            show_error(error)


def exercises_of(step: CourseStep, places: Iterable[int]) -> list[Exercise]:
    return [part for place in places if isinstance(part := step.parts[place], Exercise)]


def every_place(found: Mapping[str, Chapter], present: bool) -> list[Place]:
    """All steps of the course in order, in a presentation slide by slide."""
    return [
        (chapter.name, number, slide)
        for chapter in found.values()
        for number, step in enumerate(chapter.steps, 1)
        for slide in range(1, (len(slides(step)) if present else 1) + 1)
    ]


def show_way(found: Mapping[str, Chapter], chapter: Chapter, place: Place, present: bool) -> None:
    """Back and on, also by the arrow keys."""
    language, every = chapter.language, every_place(found, present)
    here = every.index(place)
    before, behind = every[here - 1] if here else None, every[here + 1] if here + 1 < len(every) else None
    with st.container(horizontal=True, vertical_alignment="center", key="course-way"):
        for target, word, key in ((before, "previous", "Left"), (behind, "next", "Right")):
            label = " " if present else language.word(word)
            kind: Literal["primary", "secondary"] = "primary" if word == "next" and not present else "secondary"
            none = target is None
            if st.button(label, shortcut=key, disabled=none, key=f"go {word}", type=kind) and target:
                name, step, slide = target
                lead(chapter=name, step=str(step), slide=str(slide) if slide > 1 else None, language=language.code)
        st.caption(
            f"{chapter.number}.{place[1]} / {len(chapter.steps)}"
            if present
            else language.word("step_of", step=place[1], steps=len(chapter.steps)),
            width="content",
        )
        end = language.word("end_presentation")
        if present and st.button(end, shortcut="Esc", key="end presentation", type="tertiary"):
            lead(present=None, slide=None)


def show_tools(chapter: Chapter, step: int, seed: int) -> None:
    """Numbers drawn anew, the presentation, the notes, the handout."""
    language = chapter.language
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(language.word("present"), icon=":material/slideshow:", help=language.word("present_help")):
            lead(present="true", language=language.code, chapter=chapter.name, step=str(step))
        st.page_link(
            LEARN,
            label=language.word("notes"),
            icon=":material/speaker_notes:",
            query_params={**place_of(chapter.name, step, language, seed), "view": "notes"},
        )
        st.download_button(
            language.word("handout"),
            lambda: handout(chapter, seed),
            f"{chapter.number:02d}-{chapter.name}-{language.code}.html",
            "text/html",
            icon=":material/print:",
            on_click="ignore",
            help=language.word("handout_help"),
        )
        if st.button(language.word("new_numbers"), icon=":material/casino:", help=language.word("new_numbers_help")):
            lead(seed=str(seed % MOST_SEED + 1), language=language.code)
        if seed:
            if st.button(language.word("own_numbers_back"), type="tertiary"):
                lead(seed=None)
            st.caption(language.word("seed_is", seed=seed), width="content")


def show_notes(chapter: Chapter, step: int, seed: int) -> None:
    """What to say to each step, with the answers of its exercises."""
    language = chapter.language
    st.title(language.word("notes_for", chapter=chapter.title), anchor=False)
    st.page_link(
        LEARN,
        label=language.word("back"),
        icon=":material/arrow_back:",
        query_params=place_of(chapter.name, step, language, seed),
    )
    for number, one in enumerate(chapter.steps, 1):
        st.subheader(f"{number}. {one.title}", anchor=False)
        st.markdown(one.notes or language.word("no_notes"))
        for exercise in one.exercises:
            question = exercise.question(seed)
            asks = language.say("questions", question.asks, question.facts)
            because = language.say("becauses", question.because, question.facts)
            st.caption(f":material/quiz: {asks}  \n→ {because}")


def show_chapter(found: Mapping[str, Chapter], chapter: Chapter) -> None:
    language = chapter.language
    step = number_asked("step", 1, len(chapter.steps))
    seed = number_asked("seed", 0, MOST_SEED)
    present = asked("present") == "true"
    tab_title(f"{chapter.number}.{step} {chapter.title}")
    if asked("view") == "notes":
        show_notes(chapter, step, seed)
        return
    keep_step(chapter.name, step)
    slide = number_asked("slide", 1, len(slides(chapter.steps[step - 1]))) if present else 1
    place = (chapter.name, step, slide)
    if present:
        st.html(PRESENT_STYLE)
        show_step(chapter, place, seed, present)
        show_way(found, chapter, place, present)
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        show_jump(found, chapter, step)
        choose_language(language)
    show_step(chapter, place, seed, present)
    show_way(found, chapter, place, present)
    show_tools(chapter, step, seed)


def show_jump(found: Mapping[str, Chapter], chapter: Chapter, step: int) -> None:
    """The contents in a popover: every chapter, and every step of this one."""
    language = chapter.language
    with st.popover(f"{chapter.number}. {chapter.title}", icon=":material/toc:", key="contents"):
        st.page_link(LEARN, label=language.word("contents"), query_params={"language": language.code})
        for one in found.values():
            st.page_link(LEARN, label=f"{one.number}. {one.title}", query_params=place_of(one.name, 1, language))
            if one is chapter:
                for number, inside in enumerate(one.steps, 1):
                    label = f"{'→ ' if number == step else ''}{number}. {inside.title}"
                    st.page_link(LEARN, label=f"  {label}", query_params=place_of(one.name, number, language))


def main() -> None:
    st.html(COURSE_STYLE)
    try:
        language = language_asked()
        with st.spinner(language.word("reading")):
            found = chapters(language.code)
    except UserError as error:
        show_error(error)
        return
    wanted = asked("chapter")
    if wanted in found:
        show_chapter(found, found[wanted])
        return
    if wanted is not None:
        unknown("the chapter", wanted, language.word("contents"))
    show_contents(found, language)


main()
