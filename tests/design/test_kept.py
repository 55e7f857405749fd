"""Designs that are kept and shared: versions, names, damage, addresses; and what is estimated of them."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cnnlab import architectures
from cnnlab.design import edits, estimate, store
from cnnlab.design.sharing import packed, unpacked
from cnnlab.errors import UserError
from cnnlab.network import Network
from cnnlab.network.file import MOST_BYTES
from cnnlab.zoo import catalogue
from tests.conftest import Output, assert_one_line, assert_refused
from tests.design.edited import beginnings

MINI = edits.rename(architectures.build("minigooglenet"), "my-net")


@pytest.fixture(autouse=True)
def data_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_each_change_is_a_version_and_the_same_again_is_none() -> None:
    assert store.save(MINI, "minigooglenet").version == 1
    assert store.save(MINI).version == 1
    other = edits.remove(MINI, edits.layers_of(MINI, "inception3b"))
    assert store.save(other).version == 2
    assert store.load("my-net").network == other
    assert store.load("my-net", 1).network == MINI
    assert store.names() == ["my-net"]
    assert store.free_name("my") == "my-1"
    store.remove("my-net")
    assert store.names() == []


def test_the_catalogue_answers_a_design_by_name_and_version(tmp_path: Path) -> None:
    store.save(MINI)
    store.save(edits.resize_input(MINI, 32))
    assert catalogue.candidate("design:my-net", tmp_path).network().input_shape == (32, 32, 3)
    assert catalogue.candidate("design:my-net@1", tmp_path).network() == MINI
    for text, said in (
        ("design:nobody", "no design 'nobody'"),
        ("design:my-net@7", "no version 7"),
        ("design:my-net@x", "a number"),
        ("design:../my-net", "no design"),
    ):
        with pytest.raises(UserError) as refused:
            catalogue.candidate(text, tmp_path)
        assert_one_line(str(refused.value), said)


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/b", "a\\b", "<script>", "x" * 81, "nul\0", " a", "ä", "-a", "a\n"]
)
def test_no_name_becomes_a_path(name: str, data_root: Path) -> None:
    with pytest.raises(UserError):
        store.save(Network(name, MINI.layers, MINI.outputs))
    assert not data_root.exists()


def test_a_damaged_version_is_said_and_stays_and_the_next_is_kept_behind_it(data_root: Path) -> None:
    store.save(MINI)
    path = data_root / "designs" / "my-net" / "0001.json"
    for content in ("{", "[]", json.dumps({"network": {"name": "x", "layers": [], "outputs": []}})):
        path.write_text(content)
        with pytest.raises(UserError) as refused:
            store.load("my-net")
        assert_one_line(str(refused.value), "my-net", "damaged")
    assert store.save(MINI).version == 2
    assert path.read_text() == content


def test_an_address_carries_every_network_that_is_not_huge() -> None:
    for network in (*(architectures.build(name) for name in architectures.ARCHITECTURES), *beginnings()):
        text = packed(network)
        assert text is not None, network.name
        assert unpacked(text) == network


def test_what_an_address_should_not_hold_is_refused() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(b" " * (MOST_BYTES * 20), 9)).decode()
    cut = (packed(MINI) or "")[:-40]
    other = base64.urlsafe_b64encode(zlib.compress(b'{"name": 1}')).decode()
    for text in ("", "%%%", "ä", "AAAA", cut, bomb, other):
        with pytest.raises(UserError) as refused:
            unpacked(text)
        assert_one_line(str(refused.value))


def test_rates_that_were_measured_are_found_again() -> None:
    """Steps that cost what the model says, each kind at a rate of its own, give these rates back."""
    true = {kind: (number + 1) * 1e-10 for number, kind in enumerate(estimate.WORK)}
    machine = estimate.Rates(machine="here", precision="float32", measured="now", seconds=true)
    networks = [architectures.build(name) for name in architectures.ARCHITECTURES] + beginnings()
    steps = [(one, batch, machine.of_step(one, batch)) for one in networks for batch in (8, 64)]
    found = estimate.fitted(steps, "here", "float32", "now")
    for network, batch, seconds in steps:
        assert found.of_step(network, batch) == pytest.approx(seconds, rel=0.02)
    assert machine.of_epoch(networks[0], 1_000, 100) == pytest.approx(10 * machine.of_step(networks[0], 100))
    estimate.keep(found)
    assert estimate.kept_rates() == found
    estimate.rates_file().write_text("{")
    assert estimate.kept_rates() is None
    assert np.isfinite(estimate.training_bytes(MINI, 128, half=True))


def test_designs_from_the_command_line(call: Callable[..., Output], tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    path.write_text(MINI.to_json())
    assert call("design", "import", str(path)).out.strip() == "my-net"
    assert_refused(call("design", "import", str(path)), "already")
    assert call("design", "import", "vgg16", "--name", "big").code == 0
    listed = call("design", "list", "--json").json()
    assert [(one["name"], one["parameters"]) for one in listed] == [("big", 138_357_544), ("my-net", 1_656_250)]
    shown = call("design", "show", "my-net", "--json").json()
    assert shown["totals"]["parameters"] == 1_656_250
    assert shown["advice"]
    assert call("design", "diff", "my-net", "minigooglenet").out.count("\n") < 5, "nothing differs but the name"
    assert json.loads(call("design", "export", "my-net").out) == MINI.to_data()
    assert "def my_net() -> Network:" in call("design", "export", "my-net", "--as", "function").out
    assert "keras.Model(" in call("design", "export", "my-net", "--as", "keras").out
    assert call("table", "design:my-net", "--json").json()["totals"]["parameters"] == 1_656_250
    assert_refused(call("table", "design:my-net", "--set", "classes=3"), "design")
    assert_refused(call("design", "show", "nobody"), "nobody")
    assert call("design", "remove", "big").code == 0
    assert_refused(call("design", "remove", "big"), "big")
    assert_refused(call("design", "import", str(tmp_path / "none.keras")), "no file")
