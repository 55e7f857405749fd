"""The course: chapters can be read, both languages say the same, an exercise knows its answer and its mistakes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cnnlab import architectures
from cnnlab.architectures.comparison import Candidate
from cnnlab.errors import UserError
from cnnlab.lecture.course import progress
from cnnlab.lecture.course.chapter import Chapter, Prose, chapters, read_chapter, slides
from cnnlab.lecture.course.handout import handout
from cnnlab.lecture.course.language import CHAPTERS, LANGUAGE_FILE, SECTIONS, languages, places_of
from cnnlab.lecture.course.live import Live
from cnnlab.lecture.exercises import KINDS, Exercise
from cnnlab.lecture.exercises.question import Judgement, judge
from cnnlab.network import Network
from cnnlab.network.analysis import receptive_fields
from tests.conftest import assert_one_line

LANGUAGES = ("en", "pt-br")
SEEDS = range(6)
LECTURE = (
    "vgg",
    "minivggnet",
    "cifar10",
    "one-by-one",
    "googlenet",
    "auxiliary-heads",
    "generalization",
    "both-minis",
    "tiny-imagenet",
    "deepergooglenet",
    "what-came-after",
)
PROMISED = {  # the kinds that the course promises several of
    "shape": "an output shape",
    "parameters": "a parameter count",
    "field": "a receptive field",
    "cheaper": "which of these is cheaper",
    "where": "where do the parameters sit",
    "curve": "what will the curve do",
    "kernel": "what does this kernel do to this image",
    "looks": "which layer looks here",
    "bottleneck": "find the smallest bottleneck that",
    "design": "change the network so that",
}


def all_exercises(language: str = "en") -> list[tuple[Chapter, Exercise]]:
    return [(chapter, one) for chapter in chapters(language).values() for one in chapter.exercises]


def seeds_of(exercise: Exercise) -> range:
    return SEEDS if exercise.draws else range(1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_chapter_is_there_in_the_lectures_order(language: str) -> None:
    found = chapters(language)
    assert tuple(found) == LECTURE
    assert [one.number for one in found.values()] == list(range(1, len(LECTURE) + 1))
    assert all(step.notes for one in found.values() for step in one.steps), "the speaker has a note for each step"


def structure(part: object) -> Any:
    match part:
        case Prose():
            return "prose"
        case Live():
            return part.kind, tuple((one.name, one.default, one.options) for one in part.controls)
        case Exercise():
            settings = [setting for _, *setting in part.block.settings if setting[0] != "label"]
            return part.kind, part.name, settings


def test_both_languages_are_built_alike() -> None:
    english, portuguese = (chapters(language) for language in LANGUAGES)
    for name, chapter in english.items():
        other = portuguese[name]
        assert other.title != chapter.title or name in ("minivggnet", "tiny-imagenet")
        assert len(other.steps) == len(chapter.steps), name
        for step, beside in zip(chapter.steps, other.steps, strict=True):
            assert [structure(part) for part in step.parts] == [structure(part) for part in beside.parts], step.title
            prose = [
                (one.markdown, two.markdown)
                for one, two in zip(step.parts, beside.parts, strict=True)
                if isinstance(one, Prose) and isinstance(two, Prose)
            ]
            assert not [one for one, two in prose if one == two], f"{name}: {step.title} is not translated"


def test_both_languages_have_the_same_words_with_the_same_places() -> None:
    english, portuguese = (languages()[code] for code in LANGUAGES)
    for section in SECTIONS:
        ours, theirs = english.sections[section], portuguese.sections[section]
        assert set(ours) <= set(theirs), section
        assert section == "terms" or set(ours) == set(theirs)
        for key, sentence in ours.items():
            assert places_of(sentence) == places_of(theirs[key]), f"[{section}] {key}"


def test_there_are_forty_exercises_and_several_of_every_kind() -> None:
    kinds = Counter(exercise.kind for _, exercise in all_exercises())
    assert kinds.total() >= 40
    assert set(kinds) == set(KINDS), "a kind that no chapter uses is tested by nobody"
    assert not {name: kinds[name] for name in PROMISED if kinds[name] < 2}


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_exercise_takes_its_answer_and_gives_each_mistake_its_reason(language: str) -> None:
    words = languages()[language]
    for chapter, exercise in all_exercises(language):
        for seed in seeds_of(exercise):
            question = exercise.question(seed)
            where = f"{chapter.name} {exercise.name}, seed {seed}"
            for section, key in (("questions", question.asks), ("becauses", question.because)):
                assert "{" not in words.say(section, key, question.facts), where
            if question.form == "network":
                assert judge(question, Candidate.parse(str(question.answer)).network()).right, where
                refused = judge(question, Candidate.parse(question.begins).network())
                assert not refused.right, where
                assert refused.said(words) not in ("", words.word("wrong")), where
                continue
            assert judge(question, question.answer) == Judgement(True), where
            assert question.reasons, f"{where}: no mistake is known"
            said = [judge(question, reason.answer).said(words) for reason in question.reasons]
            assert words.word("wrong") not in said, where
            assert not [one for one in said if "{" in one], where
            if question.options:
                keys = [option.key for option in question.options]
                assert set(keys) == {question.answer, *(reason.answer for reason in question.reasons)}, where
                assert len(keys) == len(set(keys)), where


@pytest.mark.parametrize(
    ("chapter", "name", "answer", "mistakes"),
    [
        (
            "vgg",
            "one-layer",
            36_928,
            {36_864: "forgot_bias", 640: "forgot_channels", 12_352: "one_side", 1_849_688_064: "counted_multiply_adds"},
        ),
        (
            "vgg",
            "first-pool",
            (112, 112, 64),
            {(112, 112, 32): "pooling_keeps_depth", (224, 224, 64): "pooling_shrinks"},
        ),
        ("vgg", "first-conv", (224, 224, 64), {(222, 222, 64): "forgot_padding", (224, 224, 3): "depth_is_filters"}),
        ("vgg", "two-windows", 5, {6: "fields_overlap", 9: "fields_add"}),
        ("vgg", "in-the-network", 14, {10: "forgot_stride_field"}),
        ("vgg", "parameters", "classifier", {"block3": "where_other_parameters"}),
        ("minivggnet", "normalization", 128, {64: "forgot_moving", 32: "one_a_channel"}),
        ("googlenet", "first-module", 256, {368: "reduces_stay_inside", 192: "depth_changes"}),
        ("generalization", "downsample", 160, {80: "forgot_pool_branch", 120: "pooling_keeps_depth"}),
        ("generalization", "parameters", 103_072, {100_000: "expressivity_projection"}),
        ("auxiliary-heads", "total", 2.28, {4.8: "loss_unweighted", 1.44: "loss_main_is_whole"}),
        ("one-by-one", "no-saving", 155, {156: "narrowest_too_wide", 154: "narrowest_too_narrow"}),
        ("deepergooglenet", "experiment-two", "1e-4", {"1e-3": "rate_one_late"}),
        ("deepergooglenet", "validation", "up_more", {"up_same": "curve_up_same", "turns": "curve_turns"}),
        ("cifar10", "animals", "dog", {"frog": "confused_less"}),
    ],
)
def test_known_answers_and_the_mistakes_of_people(
    chapter: str, name: str, answer: Any, mistakes: dict[Any, str]
) -> None:
    exercise = next(one for one in chapters("en")[chapter].exercises if one.name == name)
    question = exercise.question()
    assert question.answer == answer
    assert {wrong: judge(question, wrong).reason for wrong in mistakes} == mistakes


def test_the_own_numbers_are_the_lectures_and_others_are_drawn_by_the_seed() -> None:
    drawn = [exercise for _, exercise in all_exercises() if exercise.draws]
    assert len(drawn) >= 30
    for exercise in drawn:
        asked = [exercise.question(seed).facts for seed in range(12)]
        assert exercise.question(3).facts == exercise.question(3).facts
        assert any(facts != asked[0] for facts in asked[1:]), f"{exercise.name} asks the same with any seed"


def test_answers_come_from_the_network_itself() -> None:
    network = architectures.build("googlenet")
    field = next(one for one in chapters("en")["googlenet"].exercises if one.kind == "field")
    for seed in SEEDS:
        question = field.question(seed)
        assert question.answer == receptive_fields(network)[str(question.facts["layer"])][0]


def test_a_design_hears_which_condition_it_breaks() -> None:
    exercise = next(one for one in chapters("en")["minivggnet"].exercises if one.kind == "design")
    question = exercise.question()

    def said(network: Network) -> str:
        return judge(question, network).said(languages()["en"])

    assert "2,171,178" in said(architectures.build("minivggnet"))
    assert "16×16×3" in said(architectures.build("minivggnet", {"input_size": 16}))
    assert "classes: 100" in said(architectures.build("minivggnet", {"width": 0.25, "classes": 100}))


def chapter_with(*lines: str) -> str:
    return "\n".join(["# A chapter", "", "## A step", "", *lines])


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("## A step\n\nProse.", 1, "no title"),
        ("# A chapter\n", 1, "no step"),
        ("# A chapter\n\nProse.", 3, "before the first step"),
        (chapter_with("```live landscape", "network: vgg17", "```"), 6, "vgg17"),
        (chapter_with("```live landscape", "netwrok: vgg16", "```"), 5, "network"),
        (chapter_with("```live landscape", "network: vgg16", "colour: red", "```"), 7, "colour"),
        (chapter_with("```live picture", "```"), 5, "no live part 'picture'"),
        (chapter_with("```exercise sums one", "```"), 5, "no exercise 'sums'"),
        (chapter_with("```exercise shape", "```"), 5, "exercise KIND NAME"),
        (chapter_with("```exercise parameters one", "network: vgg16", "layer: block9", "```"), 7, "block9"),
        (chapter_with("```exercise parameters one", "vgg16", "```"), 6, "name: value"),
        (chapter_with("Prose.", "```notes", "Not closed."), 6, "not closed"),
        (chapter_with("There are {{parameters vgg17}}."), 5, "vgg17"),
        (chapter_with("There are {{weight vgg16}}."), 5, "weight"),
        (
            chapter_with(
                "```exercise cheaper one",
                "measure: parameters",
                "input: 8x8x8",
                "option: 3x3 8",
                "option: 3x3 8",
                "```",
            ),
            5,
            "two of the options cost the same",
        ),
    ],
)
def test_a_mistake_in_a_chapter_is_said_with_file_and_line(text: str, line: int, said: str) -> None:
    with pytest.raises(UserError) as caught:
        read_chapter(text, "01-mine", languages()["en"])
    assert_one_line(str(caught.value), f"en/01-mine.md, line {line}:", said)


def test_a_language_is_a_folder() -> None:
    """A lecturer who adds one touches no Python."""
    assert {path.parent.name for path in CHAPTERS.glob(f"*/{LANGUAGE_FILE}")} == set(LANGUAGES)
    assert [one.name for one in languages().values()] == ["English", "Português (Brasil)"]


def test_a_presentation_shows_every_part_once() -> None:
    for chapter in chapters("en").values():
        for step in chapter.steps:
            shown = [place for slide in slides(step) for place in slide]
            assert shown == list(range(len(step.parts)))
            assert all(len(slide) == 1 for slide in slides(step) if isinstance(step.parts[slide[-1]], Exercise))


def test_a_handout_stands_alone_and_has_the_answers_at_its_end() -> None:
    chapter = chapters("pt-br")["one-by-one"]
    page = handout(chapter)
    body, _, answers = page.rpartition("<h2")
    assert "153\u202f632" in body
    assert "Respostas" in answers
    assert "155" in answers
    assert "<svg" in body, "the network is drawn"
    assert "plotly" in body, "the curve too"
    assert "direct = 5 · 5 · 192 · 32 + 32 = 153,632" in body
    assert "\\cdot" not in page
    assert 'src="http' not in page, "it needs nothing from elsewhere"
    assert answers.count("<li>") == len(chapter.exercises)


def test_progress_is_kept_under_the_data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    chapter = chapters("en")["vgg"]
    progress.keep_step("vgg", 1)
    progress.keep_step("vgg", 99)
    progress.keep_solved("vgg", "one-layer")
    kept = progress.read_progress()
    assert (kept.steps_seen(chapter), kept.exercises_solved(chapter)) == (1, 1), "a step that is gone does not count"
    progress.progress_file().write_text("{broken")
    assert progress.read_progress() == progress.CourseProgress()
    progress.forget_progress()
    assert not progress.progress_file().exists()
