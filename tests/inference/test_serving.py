"""A network over HTTP, as a program elsewhere asks it: a real server, real requests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cnnlab import datasets
from cnnlab.datasets.preprocessing import FRAMINGS
from cnnlab.errors import UserError
from cnnlab.guard import is_named, names_of, own_addresses
from cnnlab.runs.run import Run
from cnnlab.zoo.samples import all_samples
from tests.conftest import PATIENCE, PROJECT
from tests.inference.test_prediction_many import png

LIMIT = 100_000


@pytest.fixture(scope="module")
def address(trained_run: Run) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cnnlab", "serve", trained_run.id, "--port", str(port)]
    server = subprocess.Popen(
        [*command, "--runs-dir", str(trained_run.folder.parent)],
        cwd=PROJECT,
        env={**os.environ, "CNNLAB_MAX_IMAGE_BYTES": str(LIMIT)},
        stdout=subprocess.DEVNULL,
    )
    found = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + PATIENCE
    while ask(found, "/")[0] != 200:
        assert server.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)
    yield found
    server.terminate()
    server.wait(PATIENCE)


def ask(
    address: str, path: str, data: bytes | None = None, kind: str = "image/png", headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    sent = {**({"Content-Type": kind} if data is not None else {}), **(headers or {})}
    request = urllib.request.Request(address + path, data, sent)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except urllib.error.URLError:
        return 0, None


def digit(number: int) -> tuple[bytes, str]:
    split = datasets.load("digits").test_split()
    images, labels = split.batch(slice(None))
    return png(images[number]), str(labels[number])


def form(*files: tuple[str, bytes]) -> bytes:
    lines = []
    for name, data in files:
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        lines.append(head.encode() + data + b"\r\n")
    return b"".join(lines) + b"--edge--\r\n"


MULTIPART = "multipart/form-data; boundary=edge"


def test_it_says_what_it_is(address: str, trained_run: Run) -> None:
    _, told = ask(address, "/")
    assert told["run"] == trained_run.id
    assert told["classes"] == list("0123456789")


def test_an_image_is_answered_with_its_classes(address: str) -> None:
    answers = [ask(address, "/predict?top=3", digit(number)[0]) for number in range(20)]
    assert {status for status, _ in answers} == {200}
    tops = [told["predictions"][0]["top"] for _, told in answers]
    assert all(len(top) == 3 and top[0]["probability"] >= top[1]["probability"] for top in tops)
    assert sum(top[0]["class"] == digit(number)[1] for number, top in enumerate(tops)) >= 16


def test_a_cat_sent_to_a_network_of_digits_is_told_to_be_unlike_them(address: str) -> None:
    cat = next(sample for sample in all_samples() if "cat" in sample.classes)
    for data, outside in ((cat.read(), True), (digit(0)[0], False)):
        _, told = ask(address, "/predict", data)
        assert (told["predictions"][0]["ood_score"] > 1) == outside


def test_a_photograph_is_framed_as_the_request_says(address: str) -> None:
    cat = next(sample for sample in all_samples() if "cat" in sample.classes).read()
    tops = {fit: ask(address, f"/predict?fit={fit}", cat)[1]["predictions"][0]["top"] for fit in FRAMINGS}
    assert tops["crop"] == ask(address, "/predict", cat)[1]["predictions"][0]["top"], "as it was trained"
    said = {tuple(sorted((one["class"], round(one["probability"], 3)) for one in top)) for top in tops.values()}
    assert len(said) == len(FRAMINGS)


def test_a_form_of_several_files_is_answered_file_by_file(address: str) -> None:
    status, told = ask(address, "/predict", form(("a.png", digit(0)[0]), ("b.png", b"?")), MULTIPART)
    assert status == 200
    first, second = told["predictions"]
    assert (first["image"], len(first["top"])) == ("a.png", 5)
    assert "b.png" in second["error"]


@pytest.mark.parametrize(
    ("path", "data", "kind", "status", "part"),
    [
        ("/predict", b"", "image/png", 400, "empty"),
        ("/predict", b"no image", "image/png", 400, "not an image"),
        ("/predict", bytes(LIMIT + 1), "image/png", 413, "0.1 MB"),
        ("/predict?top=none", b"?", "image/png", 400, "'none'"),
        ("/predict?top=0", b"?", "image/png", 400, "'0'"),
        ("/predict?fit=round", b"?", "image/png", 400, "crop, pad, squash, crops"),
        ("/predict", form(), MULTIPART, 400, "no file"),
        ("/predict", None, "", 405, "Not Allowed"),
        ("/elsewhere", None, "", 404, "Not Found"),
    ],
)
def test_what_cannot_be_answered_gets_a_sentence(
    address: str, path: str, data: bytes | None, kind: str, status: int, part: str
) -> None:
    code, told = ask(address, path, data, kind)
    assert code == status
    assert part in json.dumps(told)
    assert ask(address, "/predict", digit(0)[0])[0] == 200, "and the next is answered"


def test_many_at_once_are_all_answered(address: str) -> None:
    with ThreadPoolExecutor(8) as askers:
        codes = list(askers.map(lambda number: ask(address, "/predict", digit(number)[0])[0], range(40)))
    assert codes == [200] * 40


@pytest.mark.parametrize("path", ["/", "/predict", "/elsewhere"])
def test_a_foreign_name_and_a_page_of_another_site_are_refused(address: str, path: str) -> None:
    here = address.removeprefix("http://")
    data = digit(0)[0] if path == "/predict" else None
    for headers in (
        {"Host": "evil.example"},
        {"Host": f"evil.example:{here.partition(':')[2]}", "Origin": f"http://evil.example:{here.partition(':')[2]}"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "null"},
    ):
        code, told = ask(address, path, data, headers=headers)
        assert (code, list(told)) == (403, ["error"]), headers
    assert "--allow-host" in ask(address, path, data, headers={"Host": "evil.example"})[1]["error"]


def test_the_same_machine_is_answered_by_its_names_and_its_own_pages(address: str) -> None:
    port = address.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert ask(address, "/", headers={"Host": f"{name}:{port}"})[0] == 200
    assert ask(address, "/predict", digit(0)[0], headers={"Origin": address})[0] == 200


@pytest.mark.parametrize(
    ("bound", "allowed", "host", "answered"),
    [
        ("127.0.0.1", [], "lab.example", False),
        ("127.0.0.1", ["lab.example"], "LAB.example.:8600", True),
        ("127.0.0.1", ["*.lab.example"], "a.lab.example", True),
        ("127.0.0.1", ["*.lab.example"], "lab.example", False),
        ("127.0.0.1", ["*.lab.example"], "evillab.example", False),
        ("127.0.0.1", ["*"], "evil.example", True),
        ("10.0.0.5", [], "10.0.0.5:8600", True),
        ("10.0.0.5", [], "localhost:8600", True),
        ("10.0.0.5", [], "10.0.0.6:8600", False),
        ("127.0.0.1", [], "[0:0:0:0:0:0:0:1]:8600", True),
        ("127.0.0.1", ["*"], "a@b", False),
        ("127.0.0.1", [], "localhost:8600/x", False),
        ("127.0.0.1", [], "", False),
    ],
)
def test_who_is_answered_follows_from_the_address_and_the_names_allowed(
    bound: str, allowed: list[str], host: str, answered: bool
) -> None:
    assert is_named(host, names_of(bound, allowed)) == answered


def test_a_server_at_every_address_answers_by_each_of_them() -> None:
    assert own_addresses() <= names_of("0.0.0.0")  # noqa: S104
    assert not is_named("evil.example", names_of("0.0.0.0"))  # noqa: S104


@pytest.mark.parametrize("name", ["http://lab.example", "lab.example:8501", "lab example", "", "lab.*", "a/b"])
def test_what_is_no_name_is_refused_when_it_is_configured(name: str) -> None:
    with pytest.raises(UserError, match=r"lab\.example\.org"):
        names_of("127.0.0.1", [name])
