"""Pages as Streamlit's own test harness opens them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).resolve().parents[2] / "app.py")
LOADING_TENSORFLOW = 60

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenPage:
    """Opens a page in a laboratory with no data and, unless a runs folder is named, no runs."""

    def open_one(page: str, runs_dir: Path | None = None, **query: str | list[str]) -> AppTest:
        monkeypatch.setenv("CNNLAB_RUNS", str(runs_dir or tmp_path / "no runs"))
        monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "no data"))
        app = AppTest.from_file(APP, default_timeout=LOADING_TENSORFLOW).run()
        assert not app.exception
        app.switch_page(f"pages/{page}.py")
        for name, value in query.items():
            app.query_params[name] = value
        return app.run()

    return open_one
