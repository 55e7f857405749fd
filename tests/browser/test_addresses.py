"""The address and the page say the same, however one comes there; what the address asks in vain is said."""

from __future__ import annotations

import json
import re
import shutil
import socket
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Locator, Page, expect

from cnnlab.datasets.imported import import_images
from cnnlab.runs.run import Run
from tests.browser.conftest import Server, until
from tests.conftest import kill_trainings
from tests.datasets.test_imported_images import two_classes, zipped

SHIPPED = "minigooglenet-cifar10"
AT_ONCE = """(label) => new Promise((done) => {
  const look = () => {
    const link = [...document.querySelectorAll("[data-testid=stPageLink-NavLink]")].find(
      (one) => one.innerText.includes(label));
    if (!link) return setTimeout(look, 0);
    link.click();
    done();
  };
  look();
})"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory, trained_run: Run) -> Iterator[Server]:
    """A server with an imported data set and a run, for all tests here: none of them changes either."""
    home = tmp_path_factory.mktemp("laboratory")
    pets = zipped(home / "pets.zip", two_classes())
    import_images(pets, home / "data" / "own" / "pets", "pets", "Pets", 32)
    shutil.copytree(trained_run.folder, home / "runs" / "its-run")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = int(free.getsockname()[1])
    made = Server(home / "runs", port)
    made.start()
    yield made
    made.kill()
    kill_trainings(made.runs)


def at(server: Server, page: str, **query: str) -> str:
    return f"{server.address}/{page}?{urlencode(query)}"


def settled(page: Page, path: str, query: dict[str, str], shown: dict[str, str]) -> None:
    """The page has come to rest there, its address says `query`, and its boxes show what the address says."""
    expect(page).to_have_url(re.compile(rf"/{path}(\?|$)"))
    for label, value in shown.items():
        expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(value)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    until(
        page,
        "(wanted) => JSON.stringify([...new URLSearchParams(location.search)].sort()) === wanted",
        json.dumps(sorted(map(list, query.items())), separators=(",", ":"), ensure_ascii=False),
    )
    for label, value in shown.items():
        expect(page.get_by_role("combobox", name=label, exact=True)).to_have_value(value)


def test_a_link_that_is_followed_at_once_leads_where_it_says(laboratory: Server, page: Page) -> None:
    """From a page that one came to by its address, while it is still being drawn."""
    for _ in range(2):
        page.goto("about:blank")
        page.goto(at(laboratory, "datasets", dataset="pets"), wait_until="commit")
        page.evaluate(AT_ONCE, "Train on it")
        settled(page, "train", {"dataset": "pets"}, {"Data set": "Pets", "Architecture": "MiniVGGNet"})
        page.goto("about:blank")
        page.goto(at(laboratory, "architectures", architecture="minigooglenet", view="Paper"), wait_until="commit")
        page.evaluate(AT_ONCE, "Train MiniGoogLeNet")
        settled(page, "train", {"architecture": "minigooglenet"}, {"Architecture": "MiniGoogLeNet"})


def test_a_link_from_a_page_to_itself_changes_the_address_and_the_page(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "architectures", architecture="googlenet", view="Paper"))
    page.evaluate(AT_ONCE, "Next: MiniGoogLeNet")
    settled(page, "architectures", {"architecture": "minigooglenet"}, {"Architecture": "MiniGoogLeNet"})
    expect(page.get_by_role("tab", name="Layers")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Modules").click()
    settled(page, "architectures", {"architecture": "minigooglenet", "view": "Modules"}, {})
    expect(page.get_by_test_id("stMetric").first).to_contain_text("1,656,250")


def test_an_address_of_an_earlier_version_leads_where_it_led(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "train", recipe="experiment-01"))
    preset = "Experiment #01: DeeperGoogLeNet without 4a to 4e, SGD"
    settled(page, "train", {"preset": "experiment-01"}, {"Preset": preset})
    page.goto(at(laboratory, "evaluate", run="minivggnet-cifar10", view="mirror"))
    query = {"run": "minivggnet-cifar10", "tta": "mirror"}
    settled(page, "evaluate", query, {"Test-time augmentation": "It and its mirror image"})


def test_a_choice_on_one_page_does_not_follow_one_to_the_next(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "train"))
    box = page.get_by_role("combobox", name="Architecture", exact=True)
    expect(box).to_have_value("MiniVGGNet")
    box.click()
    page.get_by_role("option", name="GoogLeNet", exact=True).click()
    settled(page, "train", {"architecture": "googlenet"}, {"Architecture": "GoogLeNet"})
    page.get_by_role("link", name="Architectures").first.click()
    settled(page, "architectures", {}, {"Architecture": "MiniVGGNet"})
    page.go_back()
    settled(page, "train", {"architecture": "googlenet"}, {"Architecture": "GoogLeNet"})


def test_back_forward_and_reload_show_what_the_address_says(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "datasets", dataset="pets", section="Class balance"))
    settled(page, "datasets", {"dataset": "pets", "section": "Class balance"}, {"Data set": "Pets"})
    chosen(page, "Class balance")
    page.get_by_role("link", name="Train on it").click()
    settled(page, "train", {"dataset": "pets"}, {"Data set": "Pets"})
    page.goto(at(laboratory, "evaluate", run=SHIPPED, section="Confidence", least="70"))
    chosen(page, "Confidence")
    expect(page.get_by_role("slider")).to_have_value("70")
    page.reload()
    chosen(page, "Confidence")
    page.go_back()
    settled(page, "train", {"dataset": "pets"}, {"Data set": "Pets"})
    page.go_back()
    settled(page, "datasets", {"dataset": "pets", "section": "Class balance"}, {"Data set": "Pets"})
    chosen(page, "Class balance")
    page.go_forward()
    settled(page, "train", {"dataset": "pets"}, {"Data set": "Pets"})
    page.get_by_role("link", name="Data sets").first.click()
    settled(page, "datasets", {}, {"Data set": "Digits"})
    chosen(page, "Images")


def test_every_step_back_undoes_one_choice(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "evaluate", run=SHIPPED))
    chosen(page, "Report")
    before = int(page.evaluate("history.length"))
    for section in ("Confusion", "Against another", "Confidence"):
        option(page, section).click()
        settled(page, "evaluate", {"run": SHIPPED, "section": section}, {})
        chosen(page, section)
    assert page.evaluate("history.length") == before + 3
    for section in ("Against another", "Confusion"):
        page.go_back()
        settled(page, "evaluate", {"run": SHIPPED, "section": section}, {})
        chosen(page, section)
    page.go_back()
    settled(page, "evaluate", {"run": SHIPPED}, {})
    chosen(page, "Report")


def test_two_quick_choices_are_both_kept(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "one_by_one"))
    expect(page.get_by_test_id("stMetric").first).to_contain_text("153,632")
    page.evaluate(
        """() => {
          for (const label of ["Height H", "Width W", "Filters F"])
            document.querySelector(`input[aria-label="${label}"]`).closest("[data-testid=stNumberInput]")
              .querySelector("[data-testid=stNumberInputStepUp]").click();
        }"""
    )
    settled(page, "one_by_one", {"height": "29", "width": "29", "filters": "33"}, {})
    for label, value in (("Height H", "29"), ("Width W", "29"), ("Filters F", "33")):
        expect(page.get_by_role("spinbutton", name=label)).to_have_value(value)


def option(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stMain").get_by_role("radio", name=name, exact=True)


def chosen(page: Page, name: str) -> None:
    """That option is the one that is chosen, and those of the visit before do not stand beside it any more."""
    until(
        page,
        """(name) => {
          const found = [...document.querySelectorAll("[data-testid=stMain] [role=radio]")]
            .filter((one) => one.innerText.trim() === name);
          return found.length === 1 && found[0].getAttribute("aria-checked") === "true";
        }""",
        name,
    )


def test_what_the_address_asks_in_vain_is_said_as_it_was_typed(laboratory: Server, page: Page) -> None:
    page.goto(at(laboratory, "predict", run="![i](http://evil.example/i.png)"))
    note = page.get_by_test_id("stAlert").filter(has_text="the network")
    expect(note).to_have_count(1)
    assert "“![i](http://evil.example/i.png)”" in note.inner_text().replace("\u2060", "")
    assert note.locator("img").count() == 0


TITLES = (
    ("", {}, "cnnlab"),
    ("architectures", {"architecture": "nin"}, "Network in Network – cnnlab"),
    ("compare", {}, "Compare – cnnlab"),
    ("one_by_one", {}, "1×1 convolutions – cnnlab"),
    ("microscope", {"network": "nin"}, "Microscope: Network in Network, before training – cnnlab"),
    ("datasets", {"dataset": "pets"}, "Pets – cnnlab"),
    ("train", {}, "Train – cnnlab"),
    ("runs", {}, "Runs – cnnlab"),
    ("run", {"run": "its-run"}, "MiniVGGNet on Digits – cnnlab"),
    ("compare_runs", {}, "Compare runs – cnnlab"),
    ("generalization", {}, "Generalization – cnnlab"),
    ("evaluate", {"run": SHIPPED}, "Evaluate MiniGoogLeNet on CIFAR-10 (JPEG) – cnnlab"),
    ("predict", {"run": SHIPPED}, "Predict with MiniGoogLeNet on CIFAR-10 (JPEG) – cnnlab"),
    ("results", {}, "Results – cnnlab"),
)


def test_every_tab_has_a_title_of_its_own(laboratory: Server, page: Page) -> None:
    for path, query, title in TITLES:
        page.goto(at(laboratory, path, **query))
        expect(page).to_have_title(title)
    assert len({title for _, _, title in TITLES}) == len(TITLES)
