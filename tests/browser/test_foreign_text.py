"""What a person typed, imported or put into an address stays text on every page: the visitor's browser fetches nothing
from where it points to, and finds no link to there."""

from __future__ import annotations

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect

from cnnlab import text
from cnnlab.datasets.job import importing, imports_under_way
from cnnlab.runs.generalization import GROUP
from cnnlab.runs.run import Run
from cnnlab.zoo.imported import imported_models
from tests.browser.conftest import Server
from tests.conftest import PATIENCE, Output, last_line
from tests.datasets.test_imported_images import photo, zipped
from tests.test_text import foreign
from tests.zoo.test_imported_models import color_judge, saved

MOST_NAME, NAMED, IMAGES = 200, 8, 50
LOADING_MS = 180_000
REPORT = "report.html"
POINTING = """(host) => [...document.querySelectorAll('*')].flatMap((one) => [...one.attributes])
  .filter((one) => /^(src|srcset|href|xlink:href|action|poster|data|style)$/.test(one.name))
  .filter((one) => one.name == 'style' ? one.value.includes(host) : URL.parse(one.value, location.href)?.host == host)
  .map((one) => one.ownerElement.outerHTML.slice(0, 300))"""


@dataclass
class Beacon:
    """A foreign server that writes down who asks it for what."""

    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def entity(self) -> str:
        """An address for the names of files and folders, which hold no slash: Markdown and HTML read it so too."""
        return f"&#104;ttp:&#47;&#47;{self.host}&#47;class.png"

    @property
    def texts(self) -> list[str]:
        return foreign(f"http://{self.host}")

    @property
    def together(self) -> str:
        """Most of the texts in one, as an address may hold them."""
        return " ".join(self.texts[:10])


@pytest.fixture
def beacon() -> Iterator[Beacon]:
    found = Beacon()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.port = listening.server_port
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield found
    listening.shutdown()
    thread.join()


@dataclass
class Laboratory:
    """Where every text has come in by every door: `labelled` runs, a `judged` one, a `model`, a data set."""

    labelled: list[Run]
    judged: Run
    model: str
    dataset: str
    classes: tuple[str, str]
    group: str
    tags: list[str]


@pytest.fixture
def laboratory(
    server: Server, beacon: Beacon, trained_run: Run, call: Callable[..., Output], monkeypatch: pytest.MonkeyPatch
) -> Laboratory:
    monkeypatch.setenv("CNNLAB_DATA", str(server.runs.parent / "data"))
    monkeypatch.setenv("CNNLAB_RUNS", str(server.runs))
    group = f"{GROUP} {beacon.together}"
    names = beacon.texts[:NAMED]
    labelled = [labelled_run(server, trained_run, number, one, call) for number, one in enumerate(names)]
    for run in labelled[1:]:
        rewrite(run.folder / "config.json", group=group)
    note = "\n".join(beacon.texts[:-1])
    tags = [one for one in beacon.texts if not one.startswith("-")]  # the command line takes that for an option
    told = call("label", labelled[0].id, "--tags", *tags, "--note", note)
    assert told.code == 0, told.err
    assert call("delete", labelled.pop().id).code == 0  # the trash names it
    failed = labelled[0]
    failed.write_status(failed.status().model_copy(update={"state": "failed", "message": beacon.together}))
    failed.log_event("failed", beacon.together)
    return Laboratory(
        labelled,
        judged_run(server, trained_run, beacon, call),
        imported_model(server, beacon, call),
        *imported_images(server, beacon, call),
        group,
        tags,
    )


def rewrite(path: Path, **changes: object) -> None:
    """Change a JSON file that may be a hard link."""
    content = json.loads(path.read_text())
    path.unlink()
    path.write_text(json.dumps({**content, **changes}))


def labelled_run(server: Server, source: Run, number: int, name: str, call: Callable[..., Output]) -> Run:
    """A run that a person has called so."""
    made = Run(Path(shutil.copytree(source.folder, server.runs / f"foreign-{number}")))
    told = call("label", made.id, f"--name={name[:MOST_NAME]}")
    assert told.code == 0, told.err
    return made


def judged_run(server: Server, source: Run, beacon: Beacon, call: Callable[..., Output]) -> Run:
    """An evaluated run whose classes have such names."""
    made = Run(Path(shutil.copytree(source.folder, server.runs / "judged")))
    shutil.rmtree(made.folder / "evaluations", ignore_errors=True)
    rewrite(made.folder / "data.json", classes=[one[:80] for one in beacon.texts[:10]], title=beacon.texts[0])
    report = str(server.runs.parent / REPORT)
    for words in (("evaluate", made.id, "--html", report), ("label", made.id, f"--name={beacon.texts[5]}")):
        told = call(*words)
        assert told.code == 0, told.err
    return made


def imported_model(server: Server, beacon: Beacon, call: Callable[..., Output]) -> str:
    """A model from elsewhere; its name."""
    names = server.runs.parent / "classes.txt"
    names.write_text("\n".join(beacon.texts[:3]))
    path = saved(server.runs.parent / "theirs.keras", *color_judge())
    told = call("model", beacon.together, str(path), "--classes", str(names))
    assert told.code == 0, told.err
    return next(iter(imported_models()))


def imported_images(server: Server, beacon: Beacon, call: Callable[..., Output]) -> str:
    """A data set of images from elsewhere, and an import that fails; its name."""
    address = (
        f"&#104;ttp:&#47;&#47;{beacon.host}&#47;class.png"  # a folder's name holds no slash, but Markdown reads this
    )
    folders = (f"![class]({address})", f"<img src={address}> $x$ www.{beacon.host}")
    files = {f"{name}/{n}.png": photo(100 * c + n) for c, name in enumerate(folders) for n in range(IMAGES)}
    files[f"{folders[0]}/![left out]({address}).txt"] = b"?"
    told = call(
        "import", beacon.texts[0], str(zipped(server.runs.parent / f"![zip]({address}).zip", files)), "--size", "16"
    )
    assert told.code == 0, told.err
    importing(f"broken {beacon.texts[0]}", Path(f"![nowhere]({address})"), 16, "crop").start()
    deadline = time.monotonic() + PATIENCE
    while not all((now := job.progress()) and now.failed for job in imports_under_way()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return last_line(told.out), folders


def addresses(laboratory: Laboratory, beacon: Beacon) -> Iterator[tuple[str, list[str]]]:
    """Every page with all there is to see, and with such texts for whatever an address may hold; and what the page then
    says of it, as it was typed."""
    given, texts, tagged = beacon.together, beacon.texts, laboratory.labelled[0].id
    networks = [given, f"vgg16:{given}", f"vgg16:classes={given}", "nin"]
    named = ",".join([*(run.id for run in laboratory.labelled), texts[0]])

    def at(page: str, **query: str | list[str]) -> str:
        return f"/{page}?{urlencode(query, doseq=True)}"

    yield at("architectures", architecture=given, view=given, **{"minivggnet.classes": given}), []
    yield at("compare", network=networks, view=given), [f"'vgg16:{texts[0]}"]
    yield at("one_by_one", module=given, padding=given, view=given), []
    yield at("microscope", network=given, layer=given, channel=given, at=given, silence=given, open=given), []
    yield at("microscope", network=laboratory.judged.id, **{"from": "data-set"}), []
    yield at("datasets", dataset=laboratory.dataset), [laboratory.classes[0], f"from ![zip]({beacon.entity}).zip"]
    yield at("datasets", dataset=laboratory.dataset, section="Class balance"), [f"![nowhere]({beacon.entity})"]
    yield at("datasets", dataset=given, section=given, part=given), []
    yield at("train", dataset=laboratory.dataset, preset=given, **{"from": tagged}), [texts[0][:80]]
    yield at("runs", search="foreign", group=laboratory.group), [texts[NAMED - 1]]
    yield at("run", run=texts[0]), [f"There is no run '{texts[0]}' here."]
    tags = [text.plain(one, 60) for one in laboratory.tags]
    yield at("run", run=tagged), [given, *texts[:-1], *tags]
    yield at("run", run=laboratory.judged.id), [f"MiniVGGNet on {texts[0]}"]
    yield at("compare_runs", runs=named, study=given), [f"There is no run {texts[0]} here."]
    yield at("generalization", group=laboratory.group), []
    yield at("evaluate", run=laboratory.judged.id), [f"{texts[0]}, 360 test images"]
    for section in ("Confusion", "Images"):
        yield at("evaluate", run=laboratory.judged.id, section=section), []
    yield at("evaluate", run=given, split=given, checkpoint=given, tta=given), []
    yield at("results", network=given, study=given, data=texts[0]), []
    yield "/", []


def settled(page: Page) -> None:
    """The page is drawn, and shows no exception."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    expect(page.get_by_test_id("stMain").get_by_role("heading").first).to_be_visible()
    expect(page.get_by_test_id("stSpinner")).to_have_count(0)
    expect(page.get_by_test_id("stException")).to_have_count(0)


def spelled(typed: str) -> re.Pattern[str]:
    """The text as it was typed, with the characters that nobody sees where the page may have put them."""
    return re.compile(rf"{text.JOINER}?".join(re.escape(one) if one != " " else r"\s+" for one in as_typed(typed)))


def as_typed(typed: str) -> str:
    return " ".join(text.plain(typed).split())


@pytest.mark.timeout(600)  # twenty pages, and TensorFlow loaded twice
def test_no_text_from_outside_is_more_than_text_on_any_page(
    server: Server, page: Page, beacon: Beacon, laboratory: Laboratory
) -> None:
    def examine(where: str, said: list[str]) -> None:
        settled(page)
        assert page.evaluate(POINTING, beacon.host) == [], where
        assert beacon.asked == [], where
        for one in said:
            expect(page.get_by_test_id("stMain")).to_contain_text(spelled(one))

    for address, said in addresses(laboratory, beacon):
        page.goto(server.address + address)
        settled(page)
        folds = page.get_by_test_id("stExpander").locator("summary")
        for place in range(folds.count()):
            folds.nth(place).click()
        examine(address, said)

    page.goto(f"{server.address}/predict?run={laboratory.model}")
    settled(page)
    files = [
        {"name": f"{one[:150]}.png", "mimeType": "image/png", "buffer": photo(n)}
        for n, one in enumerate(beacon.texts[:6])
    ]
    broken = {"name": f"{beacon.texts[1]}.gif", "mimeType": "image/gif", "buffer": b"no image"}
    page.locator("input[type=file]").first.set_input_files([*files, broken])  # type: ignore[arg-type]
    expect(page.get_by_test_id("stDataFrame")).to_be_visible(timeout=LOADING_MS)
    examine("predict", [f"{beacon.texts[1]}.gif", f"{beacon.texts[0]}.png, 20×20 pixels"])

    page.goto((server.runs.parent / REPORT).as_uri())
    expect(page.locator(".js-plotly-plot")).to_have_count(5)
    expect(page.locator("h1")).to_contain_text(beacon.texts[0])
    assert page.evaluate(POINTING, beacon.host) == []
    assert beacon.asked == []
