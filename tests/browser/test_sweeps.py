"""A sweep as a person meets it: started on Train, watched on its page, opened trial by trial."""

from __future__ import annotations

import re
from typing import Literal

from playwright.sync_api import Page, expect

from cnnlab.runs.sweeps.overview import overview
from cnnlab.runs.sweeps.record import listing
from tests.browser.conftest import Server, settle
from tests.conftest import wait_until

AFTER_INPUT_MS = 500


def choose(page: Page, label: str, title: str) -> None:
    """Type a title in a box that is in sight; Enter once its list has followed, as one who looks at it would."""
    box = page.get_by_role("combobox", name=label).first
    box.scroll_into_view_if_needed()
    settle(page)
    box.fill(title)
    expect(page.get_by_role("option").first).to_have_text(title)
    box.press("Enter")
    expect(page.get_by_role("option")).to_have_count(0)
    page.wait_for_timeout(AFTER_INPUT_MS)
    settle(page)


def write(page: Page, role: Literal["textbox", "spinbutton"], label: str, text: str) -> None:
    box = page.get_by_role(role, name=label).first
    box.fill(text)
    box.press("Enter")
    page.wait_for_timeout(AFTER_INPUT_MS)  # the page is drawn anew, and a list that is open then is closed
    settle(page)


def test_a_sweep_is_started_outlives_its_server_and_is_opened_trial_by_trial(page: Page, server: Server) -> None:
    page.goto(f"{server.address}/sweeps")
    page.get_by_role("link", name="Start a sweep").click()
    write(page, "spinbutton", "Epochs", "2")
    choose(page, "Setting", "Learning rate")
    write(page, "textbox", "Values", "0.001, 0.0000001")
    choose(page, "Stop early", "Successive halving")
    expect(page.get_by_text("--stop halving")).to_be_visible()
    page.get_by_role("button", name="Queue 2 runs").click()
    expect(page).to_have_url(re.compile(r"/sweep\?sweep=sweep-"))
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text(re.compile("[01] of 2"))
    server.kill()
    (sweep,) = listing(server.runs)
    first = sweep.trials()[0].run
    wait_until(first, lambda: sweep.state().finished is not None, "seen the end of its sweep")
    best = overview(sweep).best
    assert best is not None
    assert sorted(trial.epoch for trial in sweep.trials()) == [1, 2], "the worse one was stopped after its first epoch"
    server.start()
    page.goto(f"{server.address}/sweep?sweep={sweep.id}")
    expect(page.get_by_test_id("stMetricValue").nth(1)).to_have_text("2 of 2")
    page.get_by_text("decisions").click()
    expect(page.get_by_test_id("stDataFrame")).to_have_count(2)
    page.get_by_role("link", name="Open its run").click()
    page.get_by_role("link", name=f"Trial {best.number} of {sweep.id}").click()
    expect(page.get_by_text(f"The best: trial {best.number}")).to_be_visible()
