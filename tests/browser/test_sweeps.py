"""A sweep as a person meets it: started on Train, watched on its page, paused, resumed, opened trial by trial."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from cnnlab.runs.sweeps.record import Sweep, listing
from tests.browser.conftest import Server, settle


def choose(page: Page, label: str, title: str) -> None:
    box = page.get_by_role("combobox", name=label).first
    box.fill(title)
    page.get_by_role("option", name=title).first.click()


def write(page: Page, role: str, label: str, text: str) -> None:
    box = page.get_by_role(role, name=label).first  # type: ignore[arg-type]
    box.fill(text)
    box.press("Enter")


def test_a_sweep_is_started_watched_and_opened_trial_by_trial(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/sweeps")
    page.get_by_role("link", name="Start a sweep").click()
    write(page, "spinbutton", "Epochs", "2")
    choose(page, "Setting", "Learning rate")
    write(page, "textbox", "Values", "0.001, 0.0000001")
    choose(page, "Stop early", "Successive halving")
    page.get_by_role("button", name="Queue 2 runs").click()
    expect(page).to_have_url(re.compile(r"/sweep\?sweep=sweep-"))
    (sweep,) = listing(server.runs)
    expect(page.get_by_text("Time saved")).to_be_visible(timeout=120_000)
    settle(page)
    assert reached(sweep) == [2, 1], "the worse one was stopped after its first epoch"
    page.get_by_text("decisions").click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    page.get_by_role("link", name="Open its run").click()
    page.get_by_role("link", name=f"Trial 1 of {sweep.id}").click()
    expect(page.get_by_text("The best: trial 1")).to_be_visible()


def reached(sweep: Sweep) -> list[int]:
    return sorted((trial.epoch for trial in sweep.trials()), reverse=True)
