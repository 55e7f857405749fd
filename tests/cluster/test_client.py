"""What a cluster that cannot be asked is said to be: one true sentence each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnlab.cluster import ClusterError, Resources
from cnnlab.cluster.check import advised, problems
from cnnlab.cluster.client import Client, token
from cnnlab.cluster.on_node import NodeReport, look
from cnnlab.runs.place import place_of
from cnnlab.storage.process import locked
from tests.cluster.head import Head, head
from tests.conftest import NOWHERE, Output, assert_one_line, assert_refused

TRAIN = ("train", "--architecture", "minivggnet", "--dataset", "digits", "--on", "ray")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Head]:
    with head() as one:
        monkeypatch.setenv("CNNLAB_RAY", one.address)
        monkeypatch.setenv("HOME", str(tmp_path))
        for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
            monkeypatch.delenv(name, raising=False)
        yield one


def test_an_address_at_which_nothing_answers_is_said_before_a_run_is_made(
    call: Callable[..., Output], runs_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for address, words in (
        (NOWHERE, "Nothing answers"),
        ("head", "http://head:8265"),
        ("ray://head:10001", "dashboard"),
        ("", "No cluster is configured"),
    ):
        monkeypatch.setenv("CNNLAB_RAY", address)
        said = call(*TRAIN, "--runs-dir", str(runs_dir))
        assert_refused(said, words, "CNNLAB_RAY")
        assert not list(runs_dir.glob("*/config.json"))


def test_something_else_that_answers_is_told_from_ray(there: Head) -> None:
    there.page = "<html>welcome</html>"
    with pytest.raises(ClusterError) as refused:
        Client(there.address).version()
    assert_one_line(str(refused.value), there.address, "not as Ray does")


def test_a_token_is_found_where_ray_looks_and_a_refused_one_is_said(
    there: Head, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there.token = "right"  # noqa: S105
    assert token() is None
    with pytest.raises(ClusterError, match="A token is asked for") as refused:
        Client(there.address).version()
    assert_one_line(str(refused.value), "RAY_AUTH_TOKEN")
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("right\n")
    assert Client(there.address).version() == "2.60.0"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    with pytest.raises(ClusterError, match="refused"):
        Client(there.address).version()


def test_what_is_asked_of_a_place_is_checked(there: Head, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_of("ray").resources == Resources(cpus=1), "else Ray would train it on the head"
    assert place_of("ray", 4, 1, 8).resources.memory == 8_000_000_000
    assert str(place_of("ray", 4, 1, 8).resources) == "4 processors, 1 GPU, 8 GB of memory"
    for wrong in ((-1, None, None), (None, 65, None), (None, None, -0.5)):
        with pytest.raises(Exception, match="choose from 0"):
            place_of("ray", *wrong)
    with pytest.raises(Exception, match="of a cluster"):
        place_of("local", gpus=1)


# The check of a node


def test_a_lock_held_here_is_refused_there_and_one_that_is_not_is_said(tmp_path: Path) -> None:
    (tmp_path / "here").write_text("word")
    with locked(tmp_path / "lock"):
        found = look(tmp_path, "word", "node")
    assert (found.sees, found.locked, found.written) == (True, True, True)
    assert problems("node", tmp_path, found, 0.1, found.versions) == []
    free = look(tmp_path, "word", "node")
    (said,) = problems("node", tmp_path, free, 0.1, free.versions)
    assert_one_line(said, "lock", "flock")
    elsewhere = look(tmp_path / "nowhere", "word", "node")
    (said,) = problems("node", tmp_path, elsewhere, None, elsewhere.versions)
    assert_one_line(said, "does not see", str(tmp_path))


@pytest.mark.parametrize(("ahead", "words"), [(61.0, "61 s ahead of"), (-59.0, "59 s behind")])
def test_a_clock_that_is_off_and_other_versions_are_said(tmp_path: Path, ahead: float, words: str) -> None:
    found = NodeReport(host="n", sees=True, locked=True, written=True, clock=0, versions={"keras": "3.0.0"})
    clock, versions = problems("node", tmp_path, found, ahead, {"keras": "3.15.1"})
    assert_one_line(clock, words, "time server")
    assert_one_line(versions, "keras 3.0.0 instead of 3.15.1")


def test_a_node_whose_python_lacks_something_is_told_what_to_do() -> None:
    assert_one_line(advised("ModuleNotFoundError: No module named 'cnnlab'"), "lacks cnnlab", "CNNLAB_PYTHON")
