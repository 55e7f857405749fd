"""One's own images imported in a browser: in a zip, as a folder, class by class; a network fine-tuned on them."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from cnnlab import runs
from tests.browser.conftest import Server, metric
from tests.conftest import kill_trainings
from tests.datasets.test_imported_images import photo, two_classes, zipped

LONG_MS = 120_000


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("importing")
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = int(free.getsockname()[1])
    made = Server(home / "runs", port)
    made.start()
    yield made
    made.kill()
    kill_trainings(made.runs)


def open_form(page: Page, server: Server, kind: str = "Zip archive") -> None:
    page.goto(f"{server.address}/datasets")
    page.get_by_text("Import your own images").click()
    page.get_by_role("radio", name=kind).click()
    expect(page.get_by_role("radio", name=kind)).to_be_checked()


def folders(home: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return home


def shown(page: Page, title: str, images: int) -> None:
    """The import has said that it is done, and what came of it is on the page and in its address."""
    expect(page.get_by_test_id("stAlert").filter(has_text=f"{title} is imported")).to_be_visible(timeout=LONG_MS)
    expect(page.get_by_role("combobox", name="Data set", exact=True)).to_have_value(title)
    expect(page).to_have_url(re.compile(rf"[?&]dataset={title.lower()}$"))
    expect(metric(page, "Training images")).to_have_text(str(images))


def test_a_zip_is_imported_without_another_key_and_a_shipped_network_fine_tuned_on_it_in_two_clicks(
    laboratory: Server, page: Page, tmp_path: Path
) -> None:
    open_form(page, laboratory)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_test_id("stAlert")).to_contain_text("give the data set a name and choose a zip archive")
    archive = zipped(tmp_path / "pets.zip", {**two_classes(), "cats/notes.txt": b"?"})
    sent: list[Route] = []
    page.route("**/_stcore/upload_file/**", lambda route: sent.append(route))  # noqa: PLW0108 (it is marked)
    with page.expect_request("**/_stcore/upload_file/**"):
        page.locator("input[type=file]").set_input_files(archive)
    expect(page.get_by_text("pets.zip")).to_be_visible()
    page.get_by_label("Name", exact=True).press_sequentially("Pets")  # and no Enter
    # While the archive is on its way there is nothing to press; a press was lost there
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    sent[0].continue_()
    page.get_by_role("button", name="Import", exact=True).click()
    shown(page, "Pets", 14)
    expect(page.get_by_test_id("stAlert").filter(has_text="Pets is imported")).to_contain_text("1 file left out")
    expect(page.get_by_text("1 file left out", exact=True)).to_be_visible()

    page.get_by_role("link", name=re.compile("^Fine-tune DeeperGoogLeNet")).click()
    expect(page.get_by_role("combobox", name="Architecture", exact=True)).to_have_value("DeeperGoogLeNet")
    expect(page.get_by_role("combobox", name="Data set", exact=True)).to_have_value("Pets")
    expect(page.get_by_role("combobox", name="Preset", exact=True)).to_have_value("Fine-tuning a trained network")
    expect(page.get_by_text(re.compile("layers are taken"))).to_contain_text("1 begin anew")
    page.get_by_test_id("stMain").get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**/run?run=*")
    experiment = runs.find(page.url.rpartition("=")[2], laboratory.runs).config.experiment
    assert (experiment.architecture, experiment.dataset) == ("deepergooglenet", "pets")
    assert experiment.options["input_size"] == 64
    assert experiment.initial is not None
    assert experiment.initial.run == "deepergooglenet-tiny-imagenet"
    assert experiment.recipe.epochs == 5
    kill_trainings(laboratory.runs)


def test_a_folder_is_dropped_with_its_classes(laboratory: Server, page: Page, tmp_path: Path) -> None:
    few = {name: data for name, data in two_classes().items() if int(name[5]) < 5}
    files = {**few, "cats/notes.txt": b"?", "dogs/broken.png": b"\x89PNG"}
    open_form(page, laboratory, "Dropped folder")
    page.locator("input[type=file][webkitdirectory]").set_input_files(folders(tmp_path / "animals", files))
    expect(page.get_by_text("notes.txt").first).to_be_attached()
    page.get_by_label("Name", exact=True).press_sequentially("Animals")
    page.get_by_role("button", name="Import", exact=True).click()
    shown(page, "Animals", 6)
    expect(page.get_by_text("2 files left out", exact=True)).to_be_visible()


def test_classes_are_dropped_one_by_one_and_nothing_is_lost_by_a_mistake(
    laboratory: Server, page: Page, tmp_path: Path
) -> None:
    home = folders(tmp_path, {f"{c}{n}.png": photo(100 * c + n) for c in range(3) for n in range(6)})
    open_form(page, laboratory, "Class by class")
    page.get_by_label("Name", exact=True).press_sequentially("Letters")
    alert = page.get_by_test_id("stAlert")

    def drop(place: int, name: str, part: int) -> None:
        page.get_by_role("textbox", name=f"Class {place}", exact=True).fill(name)
        uploader = page.locator("input[type=file]").nth(place - 1)
        uploader.set_input_files(sorted(home.glob(f"{part}*.png")))
        expect(page.get_by_text(f"{part}0.png")).to_be_visible()

    def refused(words: str) -> None:
        page.get_by_role("button", name="Import", exact=True).click()
        letters = (f"{re.escape(letter)}\u2060?" for letter in words)  # what cannot be seen keeps Markdown out
        expect(alert).to_contain_text(re.compile("".join(letters)))

    refused("at least two classes")
    drop(1, "**a**", 0)
    refused("there is only **a**")
    drop(2, "**A**", 1)
    refused("Two classes are called **A**")
    page.get_by_role("textbox", name="Class 2", exact=True).fill("")
    refused("Class 2 has images and no name")
    page.get_by_role("textbox", name="Class 2", exact=True).fill("test")
    for place in (3, 4):
        page.get_by_role("button", name="Add a class").click()
        expect(page.get_by_role("textbox", name=f"Class {place}", exact=True)).to_be_visible()
    drop(4, "c", 2)
    page.locator("[class*=st-key-import-out-3]").get_by_role("button").click()
    expect(page.get_by_role("textbox", name="Class 4", exact=True)).to_have_count(0)
    expect(page.get_by_role("textbox", name="Class 3", exact=True)).to_have_value("c")
    page.get_by_role("button", name="Import", exact=True).click()
    shown(page, "Letters", 12)
    expect(alert.filter(has_text="Letters is imported")).to_contain_text("3 classes")
