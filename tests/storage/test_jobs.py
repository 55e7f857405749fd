"""Background jobs: one entry, a request that says what is asked for, and nothing that is not in the register."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnlab.datasets.job import ImportRequest, PrepareRequest, preparing
from cnnlab.errors import UserError
from cnnlab.storage import jobs
from cnnlab.storage.jobs import REQUEST_CLASSES, REQUEST_FILE, Job, Request, request_in, written
from cnnlab.storage.process import is_alive
from tests.conftest import PATIENCE, PROJECT, assert_one_line


def test_every_kind_of_request_is_in_the_register_and_nothing_else() -> None:
    found = set()
    for path in (PROJECT / "cnnlab").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and "jobs.Request" in map(ast.unparse, node.bases):
                module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
                found.add(f"{module}:{node.name}")
    assert found == set(REQUEST_CLASSES.values())
    for kind, place in REQUEST_CLASSES.items():
        module, _, name = place.partition(":")
        request = getattr(importlib.import_module(module), name)
        assert issubclass(request, Request)
        assert request.kind == kind
        assert request.what.startswith("The ")


def test_a_request_that_does_no_work_cannot_be_made() -> None:
    class Idle(Request):
        kind = "idle"
        what = "The idling"

    with pytest.raises(TypeError, match="abstract"):
        Idle()  # type: ignore[abstract]
    with pytest.raises(TypeError, match="abstract"):
        Idle.model_validate({})


def test_there_is_one_entry() -> None:
    spawning = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "cnnlab").rglob("*.py")
        if "process.spawn(" in path.read_text()
    ]
    assert sorted(spawning) == ["cnnlab/runs/launchers.py", "cnnlab/runs/queue.py", "cnnlab/storage/jobs.py"]


def test_a_request_survives_the_way_through_its_file(tmp_path: Path) -> None:
    odd = Path(os.fsdecode(b"/images/caf\xe9 'one'.zip"))
    request = ImportRequest(name="-mine", title='"Mine"', path=odd, size=32, fitting="crop")
    (tmp_path / REQUEST_FILE).write_text(written(request))
    assert request_in(tmp_path) == request


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '"prepare"',
        '{"kind": "prepare"}',
        '{"kind": ["prepare"], "arguments": {}}',
        '{"kind": "prepare", "arguments": {"name": 3}}',
        '{"kind": "prepare", "arguments": {"name": "digits", "more": 1}}',
        '{"kind": "os:system", "arguments": {"command": "touch hacked"}}',
        '{"kind": "evaluate", "arguments": {"run": "a", "split": "all", "step": 1, "tta": "plain"}}',
    ],
)
def test_what_is_not_in_the_register_or_damaged_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / REQUEST_FILE).write_text(content)
    with pytest.raises(UserError) as refused:
        request_in(tmp_path)
    assert_one_line(str(refused.value), REQUEST_FILE, "prepare", "evaluate")
    assert jobs.main(tmp_path) == 2
    said = Job(tmp_path).progress()
    assert said is not None
    assert said.failed
    assert_one_line(said.message, REQUEST_FILE)


def test_a_job_without_a_request_is_only_looked_at(tmp_path: Path) -> None:
    assert Job(tmp_path).progress() is None
    with pytest.raises(ValueError, match="nothing is asked for"):
        Job(tmp_path).start()


@pytest.mark.slow
def test_a_job_does_what_is_asked_for_and_leaves_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path))
    job = preparing("digits")
    assert job.request == PrepareRequest(name="digits")
    job.start()
    asked = json.loads((job.folder / REQUEST_FILE).read_text())
    assert asked == {"kind": "prepare", "arguments": {"name": "digits"}}
    deadline = time.monotonic() + PATIENCE
    while job.folder.exists():
        now = job.progress()
        assert now is None or not now.failed, now
        assert time.monotonic() < deadline
    assert not is_alive(job.folder)


@pytest.mark.slow
def test_the_entry_says_what_is_wrong_with_an_unknown_data_set(tmp_path: Path) -> None:
    (tmp_path / REQUEST_FILE).write_text(written(PrepareRequest(name="svhn")))
    command = [sys.executable, "-m", "cnnlab.storage.jobs", str(tmp_path)]
    assert subprocess.run(command, cwd=PROJECT, check=False, timeout=PATIENCE).returncode == 2
    said = Job(tmp_path).progress()
    assert said is not None
    assert_one_line(said.message, "'svhn'", "digits")
