"""A walk through the course in a real browser: commit, reveal, the keyboard of a presentation, the other language."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, settle, watch_console


def test_a_walk_through_the_course(laboratory: Server, page: Page) -> None:
    wrong = watch_console(page)
    page.goto(f"{laboratory.address}/learn?language=en")
    settle(page)
    page.get_by_role("link", name="1. VGG: why depth with 3×3").click()
    expect(page.get_by_role("heading", name="A question of depth")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_role("heading", name="Six columns, one table")).to_be_visible()
    assert "chapter=vgg" in page.url
    assert "step=2" in page.url

    page.goto(f"{laboratory.address}/learn?chapter=vgg&step=6&language=en")
    settle(page)
    exercise = page.locator(".st-key-exercise-one-layer")
    exercise.get_by_label("Your answer").fill("36864")
    exercise.get_by_role("button", name="Commit").click()
    expect(exercise.get_by_text("You forgot the bias")).to_be_visible()
    settle(page)
    exercise.get_by_label("Your answer").fill("36928")
    exercise.get_by_role("button", name="Commit").click()
    expect(exercise.get_by_text("Right.")).to_be_visible()
    settle(page)
    exercise.get_by_role("button", name="Reveal").click()
    expect(exercise.get_by_text("36,864 + 64 = 36,928")).to_be_visible()

    settle(page)
    page.get_by_text("Português (Brasil)").click()
    expect(page.get_by_role("heading", name="Contando os parâmetros")).to_be_visible()
    assert "language=pt-br" in page.url
    assert wrong == []


def test_a_presentation_is_driven_by_the_keyboard(laboratory: Server, page: Page) -> None:
    page.goto(f"{laboratory.address}/learn?chapter=both-minis&step=4&language=en")
    page.get_by_role("button", name="Present").click()
    expect(page.get_by_test_id("stHeader")).to_be_hidden()
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="A harder task")).to_be_visible()
    assert "chapter=tiny-imagenet" in page.url
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("heading", name="90,000, 10,000, 10,000")).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text("How many parameters has")).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_text("166,600").first).to_be_visible()
    settle(page)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("500 labelled training images")).to_be_visible()
    settle(page)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stHeader")).to_be_visible()
    assert "present" not in page.url
