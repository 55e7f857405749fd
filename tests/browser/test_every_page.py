"""Every page in both themes and three windows, without data and with ten runs: nothing breaks, runs over or is cut off.

What looks the same with runs is looked at once, and the dark theme in one window: it moves nothing. With
CNNLAB_SCREENSHOTS=FOLDER each view of every theme and window is kept there as a picture, to be looked at.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from cnnlab.runs.run import Run
from cnnlab.runs.sweeps.record import Sweep, SweepRecord, SweepState
from cnnlab.runs.sweeps.rules import Stopping
from cnnlab.runs.sweeps.space import Range
from cnnlab.storage.files import append_record
from tests.browser.conftest import Server, free_port, kill_trainings, settle, watch_console

SIZES = ((1280, 800), (800, 900), (1920, 1080))
THEMES = ("light", "dark")
MANY = 10
SWEEP = "sweep-20261101-120000"
FOLLOWS = 50
SHOW_NO_RUN = (
    "learn",
    "learn?chapter=vgg&step=7",
    "learn?chapter=deepergooglenet&step=6&language=pt-br",
    "learn?chapter=one-by-one&step=5&present=true",
    "architectures",
    "architectures?architecture=googlenet&view=Diagram",
    "design?from=googlenet",
    "design?challenge=true&view=Challenge",
    "compare",
    "one_by_one",
    "microscope?open=inception2a&layer=inception2a_concat",
    "microscope?beside=network&network-b=minivggnet-cifar10&layer=stem_act",
    "datasets",
    "machines",
    "generalization",
)
SHOW_RUNS = (
    "",
    "compare?view=Accuracy",
    "train",
    "runs",
    "train?sweep=new",
    "sweeps",
    "sweep?sweep={sweep}",
    "run?run={run}",
    "compare_runs?runs={runs}",
    "evaluate?run={run}",
    "evaluate?run={run}&section=Confusion",
    "predict?run={run}",
    "results",
)
NO_SCROLL = """() => [document.documentElement, document.querySelector('[data-testid="stMain"]')]
  .every((part) => part.scrollWidth <= part.clientWidth)"""
CUT_OFF = """() => {
  const found = [];
  const controls = '[data-testid="stMain"] :is(button, [role="button"], [role="tab"], [role="radio"], label, ' +
    '[data-baseweb="select"] > div, [data-testid="stMetricValue"], [data-testid="stMetricLabel"], ' +
    '[data-testid="stPageLink"]), [data-testid="stHeader"] a';
  for (const control of document.querySelectorAll(controls)) {
    for (const part of [control, ...control.querySelectorAll('*')]) {
      const style = getComputedStyle(part);
      const cuts = style.overflowX === 'hidden' || style.textOverflow === 'ellipsis';
      const text = part.innerText?.trim();
      if (text && cuts && part.clientWidth && part.scrollWidth > part.clientWidth + 1) found.push(text.slice(0, 80));
    }
  }
  for (const box of document.querySelectorAll('[data-testid="stMain"] input[role="combobox"]'))
    if (box.scrollWidth > box.clientWidth + 1) found.push(box.value.slice(0, 120));
  return [...new Set(found)];
}"""
"""The texts in controls that do not fit into them."""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all of these tests, with no runs and no data to begin with."""
    made = Server(tmp_path_factory.mktemp("laboratory") / "runs", free_port())
    made.start()
    yield made
    made.kill()
    kill_trainings(made.runs)


def fill(folder: Path, trained: Run) -> list[str]:
    """Ten runs of a real one, as the trials of a sweep with names, groups and tags would stand there."""
    sweep = Sweep(folder / "sweeps" / SWEEP)
    sweep.folder.mkdir(parents=True)
    searched = {"batch_size": Range(low=32, high=176, whole=True), "seed": [str(number) for number in range(MANY)]}
    experiment, now = trained.config.experiment, trained.config.created
    asked = {"experiment": experiment, "space": searched, "search": "random", "trials": MANY, "created": now}
    stopping = Stopping(rule="asha")
    sweep.write_record(SweepRecord(id=SWEEP, name="sweep of ten", stopping=stopping, **asked))
    ids = []
    for number in range(MANY):
        name = sweep.run_name(number + 1)
        copy = Path(shutil.copytree(trained.folder, folder / name))
        config = json.loads((copy / "config.json").read_text())
        tried = {"seed": number, "batch_size": 32 + 16 * number}
        config["experiment"]["recipe"] |= tried
        config |= {"group": "sweep of ten", "trial": {"sweep": SWEEP, "number": number + 1}}
        (copy / "config.json").write_text(json.dumps(config))
        made = {"number": number + 1, "run": name, "changes": tried | {"seed": str(number)}, "time": float(number)}
        append_record(sweep.folder / "trials.jsonl", made)
        sweep.log(number + 1, 1, "promote" if number % 3 == 0 else "pause", 0.5 + number / 25, 0.7)
        Run(copy).relabel(name=f"A run of the sweep, number {number}" if number % 2 else "", tags=("lecture", "batch"))
        ids.append(name)
    sweep.write_state(SweepState(finished=1.0))
    return ids


def defects(page: Page, theme: str) -> list[str]:
    """What does not fit in the window; a resize is answered by no event, so the page has a while to follow."""
    for _ in range(FOLLOWS):
        page.wait_for_timeout(100)
        found = [] if page.evaluate(NO_SCROLL) else ["scrolls sideways"]
        if theme == "light":
            found += [f"cut off: {text!r}" for text in page.evaluate(CUT_OFF)]
        if not found:
            break
    return found


@pytest.mark.parametrize("state", ["empty", "ten runs"])
def test_every_page_stands_in_every_window_and_both_themes(
    laboratory: Server, browser: BrowserContext, trained_run: Run, state: str
) -> None:
    ids = fill(laboratory.runs, trained_run) if state == "ten runs" else []
    pages = SHOW_RUNS if ids else SHOW_NO_RUN + SHOW_RUNS
    names = {"run": ids[0] if ids else "minivggnet-cifar10", "runs": ",".join(ids), "sweep": SWEEP}
    pictures = os.environ.get("CNNLAB_SCREENSHOTS")
    wrong: list[str] = []
    for address in pages:
        page = browser.new_page()
        said = watch_console(page)
        page.goto(f"{laboratory.address}/{address.format(**names)}")
        settle(page)
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            for theme in THEMES if pictures or (width, height) == SIZES[0] else THEMES[:1]:
                page.emulate_media(color_scheme=theme)
                view = f"{address or 'home'} at {width}x{height}, {theme}, {state}"
                wrong += [f"{view}: {defect}" for defect in defects(page, theme)]
                if pictures:
                    name = view.replace("?", " ").replace("/", " ").replace("&", " ")[:150]
                    page.screenshot(path=Path(pictures) / f"{name}.png")
        if page.get_by_test_id("stException").count():
            wrong.append(f"{address}, {state}: an exception is shown")
        wrong += [f"{address or 'home'}, {state}: {line}" for line in said]
        page.close()
    assert not wrong, "\n".join(wrong)
