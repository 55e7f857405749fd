"""Data sets from a network: a server of our own that serves, breaks off and lies."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from cnnlab import datasets
from cnnlab.datasets import cifar10, cifar100, mnist
from cnnlab.datasets.download import Download, extract, fetch
from cnnlab.errors import UserError
from cnnlab.storage.progress import silent
from tests.conftest import NOWHERE, assert_one_line
from tests.datasets.test_datasets import Heard, batches


class Server:
    """Serves `files` by name; after `breaks` bytes of an answer it hangs up, once. `asked` are the ranges wanted."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.breaks: int | None = None
        self.ranges = True
        self.asked: list[str | None] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: object) -> None:
                """Nothing on the test's output."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append(wanted)
        data = self.files.get(request.path.rsplit("/", 1)[-1])
        if data is None:
            request.send_error(404)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        end, self.breaks = (len(data) if self.breaks is None else start + self.breaks), None
        request.wfile.write(data[start:end])
        request.close_connection = True

    def offer(self, name: str, data: bytes) -> Download:
        self.files[name] = data
        address = f"http://127.0.0.1:{self.http.server_address[1]}/{name}"
        return Download(address, f"sha256:{hashlib.sha256(data).hexdigest()}", len(data))


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.http.shutdown()


@pytest.fixture
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


CONTENT = np.random.default_rng(0).bytes(1_000_000)


def test_a_file_comes_whole_and_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    wanted, heard = server.offer("file.bin", CONTENT), Heard()
    assert fetch(wanted, tmp_path, heard).read_bytes() == CONTENT
    assert any("of 1 MB" in message for message in heard.messages)
    fetch(wanted, tmp_path, silent)
    assert len(server.asked) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


@pytest.mark.parametrize("ranges", [True, False], ids=["a server with ranges", "one without"])
def test_a_download_that_broke_off_is_gone_on_from(server: Server, tmp_path: Path, ranges: bool) -> None:
    wanted = server.offer("file.bin", CONTENT)
    server.breaks, server.ranges = 400_000, ranges
    with pytest.raises(UserError) as told:
        fetch(wanted, tmp_path, silent)
    assert_one_line(str(told.value), wanted.address, "400,000")
    assert fetch(wanted, tmp_path, silent).read_bytes() == CONTENT
    assert server.asked == [None, "bytes=400000-"]


def test_a_file_that_is_not_the_one_expected_is_thrown_away(server: Server, tmp_path: Path) -> None:
    wanted = server.offer("file.bin", CONTENT)
    server.files["file.bin"] = CONTENT[:-1] + b"?"
    with pytest.raises(UserError) as told:
        fetch(wanted, tmp_path, silent)
    assert_one_line(str(told.value), "not the file expected", "sha256:")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_not_there_is_said(server: Server, tmp_path: Path) -> None:
    wanted = server.offer("file.bin", CONTENT)
    server.files.clear()
    with pytest.raises(UserError) as told:
        fetch(wanted, tmp_path, silent)
    assert_one_line(str(told.value), "Not Found")


def test_only_the_files_asked_for_are_taken_out_of_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in ("data/train", "../outside", "data/more"):
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    folder = tmp_path / "here"
    extract(archive, folder, ["data/train"])
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()] == ["data/train"]
    assert not (tmp_path / "outside").exists()
    with pytest.raises(UserError) as told:
        extract(archive, folder, ["data/none"])
    assert_one_line(str(told.value), "data/none")


def tar_of(folder: Path) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        tar.add(folder, folder.name)
    return out.getvalue()


def test_cifar10_is_downloaded_unpacked_and_read(
    server: Server, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "CIFAR10_ARCHIVE", server.offer("cifar-10-python.tar.gz", tar_of(batches(tmp_path))))
    heard = Heard()
    assert len(datasets.load("cifar10", heard).train_images) == 50
    assert "Downloading" in heard.messages[0]
    assert not list(data_root.glob("*.tar.gz*")), "the archive is not kept beside what came out of it"


def test_without_a_network_one_is_told_where_to_put_the_files(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        cifar10, "CIFAR10_ARCHIVE", Download(f"{NOWHERE}/cifar-10-python.tar.gz", "sha256:", 163_000_000)
    )
    with pytest.raises(UserError) as refused:
        datasets.load("cifar10")
    assert_one_line(
        str(refused.value),
        str(data_root / "cifar10"),
        "train/<class>/*",
        str(data_root / "cifar-10-batches-py"),
        "cannot be downloaded",
    )
    assert not (data_root / "decoded").exists()
    assert datasets.ready("cifar10") is None


def test_nothing_is_fetched_by_asking_whether_a_data_set_is_ready(
    server: Server, data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "CIFAR10_ARCHIVE", server.offer("cifar-10-python.tar.gz", b""))
    assert datasets.ready("cifar10") is None
    assert server.asked == []


def cifar100_files(root: Path) -> Path:
    folder = root / cifar100.CIFAR100_FOLDER
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name, each in (("train", 2), ("test", 1)):
        labels = list(range(100)) * each
        rows = rng.integers(0, 256, (len(labels), 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({b"data": rows, b"fine_labels": labels}, protocol=2))
    names = [f"class {number}".encode() for number in range(100)]
    (folder / "meta").write_bytes(pickle.dumps({b"fine_label_names": names}, protocol=2))
    return folder


def test_cifar100_is_read_by_its_fine_labels(data_root: Path) -> None:
    cifar100_files(data_root)
    found = datasets.load("cifar100")
    assert (len(found.train_labels), len(found.test_labels), len(found.classes)) == (200, 100, 100)
    assert found.classes[7] == "class 7"
    (data_root / cifar100.CIFAR100_FOLDER / "meta").write_bytes(pickle.dumps({b"fine_label_names": [b"a"]}, protocol=2))
    with pytest.raises(UserError) as told:
        datasets.load("cifar100")
    assert_one_line(str(told.value), "meta", "100")


def idx(array: np.ndarray) -> bytes:
    head = np.array([mnist.IMAGES_MAGIC if array.ndim == 3 else mnist.LABELS_MAGIC, *array.shape], ">i4")
    return head.tobytes() + array.astype(np.uint8).tobytes()


def mnist_arrays() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    train, test = np.arange(40) % 10, np.arange(20) % 10
    images = [rng.integers(0, 256, (len(labels), 28, 28)) for labels in (train, test)]
    return [images[0], train, images[1], test]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
@pytest.mark.parametrize("zipped", [True, False])
def test_mnist_is_read_from_its_original_files(data_root: Path, name: str, zipped: bool) -> None:
    folder = data_root / name
    folder.mkdir(parents=True)
    arrays = mnist_arrays()
    for file, array in zip(mnist.MNIST_FILES, arrays, strict=True):
        data = idx(array)
        (folder / f"{file}{'.gz' if zipped else ''}").write_bytes(gzip.compress(data) if zipped else data)
    found = datasets.load(name)
    assert (found.train_images[..., 0] == arrays[0]).all()
    assert (found.train_images[..., 2] == arrays[0]).all()
    assert found.test_labels.tolist() == arrays[3].tolist()
    assert found.classes[9] == ("9" if name == "mnist" else "Ankle boot")


def test_mnist_is_downloaded_as_one_archive(server: Server, data_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.BytesIO()
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(out, **dict(zip(names, [array.astype(np.uint8) for array in mnist_arrays()], strict=True)))
    wanted = server.offer(mnist.MNIST_ARCHIVE, out.getvalue())
    found = mnist.load("mnist", "MNIST", mnist.MNIST_CLASSES, (wanted,), data_root, silent)
    assert (len(found.train_labels), len(found.test_labels)) == (40, 20)


@pytest.mark.parametrize("damage", ["short", "long", "magic", "empty", "no gzip"])
def test_a_damaged_idx_file_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    whole = idx(mnist_arrays()[0])
    data = {
        "short": whole[:-1],
        "long": whole + b"?",
        "magic": b"\1" + whole[1:],
        "empty": b"",
        "no gzip": whole,
    }[damage]
    path = tmp_path / ("train-images-idx3-ubyte" + (".gz" if damage == "no gzip" else ""))
    path.write_bytes(data)
    with pytest.raises(UserError) as told:
        mnist.read_idx(path)
    assert_one_line(str(told.value), str(path))
