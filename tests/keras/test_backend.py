"""TensorFlow as cnnlab sets it up."""

from __future__ import annotations

import importlib

import pytest

pytestmark = pytest.mark.slow


def test_kernels_stay_compiled_when_streamlit_has_run_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    importlib.import_module("cnnlab.keras.backend")
    context = importlib.import_module("tensorflow.python.eager.context").Context
    runner = importlib.import_module("streamlit.runtime.scriptrunner.script_runner")
    cleared = []

    def clear(given: object) -> None:
        cleared.append(given)

    monkeypatch.setattr(context, "clear_kernel_cache", clear)
    runner._clean_problem_modules()
    assert not cleared
