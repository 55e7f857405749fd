"""An exercise on a page: one commits oneself, hears why an answer is wrong, and only then looks."""

from __future__ import annotations

from typing import Any

import streamlit as st

from cnnlab import text
from cnnlab.design import store
from cnnlab.lecture.course.language import Language
from cnnlab.lecture.course.progress import keep_solved, read_progress
from cnnlab.lecture.exercises import Exercise
from cnnlab.lecture.exercises.question import Answer, Question, judge
from cnnlab.network import Network
from pages.shared.course_parts import show_parts
from pages.shared.designing import DESIGNED, Designed

NOW = ""
"""What stands for the design of this session among those that are kept."""
COMMITTED, REVEALED = "answers in the course", "answers that were revealed"
MOST_ANSWER = 10**15
SHORT = 24
"""Options of fewer letters stand side by side."""


def show_exercise(
    exercise: Exercise, chapter: str, seed: int, language: Language, present: bool, reveals: bool
) -> None:
    """The question, the place for an answer, and what there is to say of it. `reveals` gives its button the key ↓."""
    name = f"{chapter}.{exercise.name}.{seed}"
    question = exercise.question(seed)
    revealed = name in st.session_state.get(REVEALED, ())
    with st.container(border=True, key=f"exercise-{exercise.name}"):
        solved = exercise.name in read_progress().solved.get(chapter, ())
        mark = f" · :green[{language.word('solved')}]" if solved and not present else ""
        st.caption(f":material/quiz: {language.word('exercise')}{mark}")
        st.markdown(language.say("questions", question.asks, question.facts))
        for condition in question.conditions:
            st.markdown(f"- {language.say('questions', condition.key, condition.facts)}")
        show_parts(question.before(language), language, f"{name}-before", present)
        committed = st.session_state.get(COMMITTED, {}).get(name)
        if present:
            show_choices(question, language)
        else:
            committed = ask(question, name, language) or committed
        if committed is not None and not present:
            show_verdict(question, committed, chapter, exercise, language)
        if revealed:
            show_answer(question, language, name, present)
        elif present or committed is not None:
            shortcut = "Down" if present and reveals else None
            if st.button(
                language.word("reveal"), key=f"reveal {name}", shortcut=shortcut, icon=":material/visibility:"
            ):
                st.session_state[REVEALED] = {*st.session_state.get(REVEALED, ()), name}
                st.rerun()


def is_revealed(exercise: Exercise, chapter: str, seed: int) -> bool:
    return f"{chapter}.{exercise.name}.{seed}" in st.session_state.get(REVEALED, ())


def option_label(question: Question, key: str, language: Language) -> str:
    one = next(option for option in question.options if option.key == key)
    return language.term(one.term) if one.term else text.markdown(one.text)


def show_choices(question: Question, language: Language) -> None:
    """The options before a class, where nobody types; short ones in a line."""
    labels = [option_label(question, option.key, language) for option in question.options]
    if all(len(label) < SHORT for label in labels):
        st.markdown("&emsp; ".join(labels))
    else:
        st.markdown("\n".join(f"- {label}" for label in labels))


def ask(question: Question, name: str, language: Language) -> Answer | Network | None:
    """The control for an answer; what was just committed."""
    if question.form == "network":
        return ask_network(question, name, language)
    with st.form(f"form {name}", border=False):
        given: Any
        match question.form:
            case "options":
                given = st.radio(
                    language.word("answer"),
                    [option.key for option in question.options],
                    index=None,
                    format_func=lambda key: option_label(question, key, language),
                    key=f"given {name}",
                    label_visibility="collapsed",
                    horizontal=all(len(option.label(language)) < SHORT for option in question.options),
                )
            case "shape":
                given = ask_shape(name, language)
            case "real":
                given = st.number_input(
                    language.word("answer"), value=None, step=0.01, format="%.4f", key=f"given {name}", width=240
                )
            case _:
                given = st.number_input(
                    language.word("answer"), 0, MOST_ANSWER, value=None, step=1, key=f"given {name}", width=240
                )
        if not st.form_submit_button(language.word("commit"), key=f"commit {name}"):
            return None
    if given is None:
        st.warning(language.word("choose_first"))
        return None
    st.session_state[COMMITTED] = {**st.session_state.get(COMMITTED, {}), name: given}
    answer: Answer = given
    return answer


def ask_shape(name: str, language: Language) -> tuple[int, ...] | None:
    with st.container(horizontal=True):
        sides = [
            st.number_input(language.word(side), 0, MOST_ANSWER, value=None, step=1, key=f"{side} {name}", width=130)
            for side in ("height", "width", "depth")
        ]
    return None if None in sides else tuple(int(side) for side in sides if side is not None)


def ask_network(question: Question, name: str, language: Language) -> Network | None:
    """The way to the page Design, and what stands there or is kept, to be checked."""
    st.page_link(
        "pages/design.py",
        label=language.word("design_open"),
        icon=":material/design_services:",
        query_params={"from": question.begins},
    )
    designed: Designed | None = st.session_state.get(DESIGNED)
    now = {NOW: designed.network} if designed else {}
    choices = [*now, *store.names()]
    if not choices:
        st.caption(language.word("design_none"))
        return None
    with st.form(f"form {name}", border=False):
        chosen = st.selectbox(
            language.word("design_which"),
            choices,
            format_func=lambda one: text.plain(design_title(one, designed, language)),
            key=f"given {name}",
            width=620,
        )
        if not st.form_submit_button(language.word("commit"), key=f"commit {name}"):
            return None
    network = now[NOW] if chosen == NOW else store.load(str(chosen)).network
    st.session_state[COMMITTED] = {**st.session_state.get(COMMITTED, {}), name: network}
    return network


def design_title(one: str, designed: Designed | None, language: Language) -> str:
    if one == NOW and designed is not None:
        network = designed.network
        return language.word("design_now", name=network.name, parameters=network.parameters)
    return one


def show_verdict(
    question: Question, committed: Answer | Network, chapter: str, exercise: Exercise, language: Language
) -> None:
    verdict = judge(question, committed)
    if verdict.right:
        keep_solved(chapter, exercise.name)
        st.success(verdict.said(language), icon=":material/check:")
    else:
        st.warning(verdict.said(language), icon=":material/close:")


def answer_text(question: Question, language: Language) -> str:
    """The answer as it is said."""
    if question.form == "options":
        return option_label(question, str(question.answer), language)
    return language.text(question.answer)


def show_answer(question: Question, language: Language, name: str, present: bool) -> None:
    if question.form != "network":
        st.markdown(language.word("the_answer", answer=answer_text(question, language)))
    st.markdown(language.say("becauses", question.because, question.facts))
    show_parts(question.after(language), language, f"{name}-after", present)
