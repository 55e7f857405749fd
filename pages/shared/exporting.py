"""A run's exports on a page: written on request, checked, then to download."""

from __future__ import annotations

import streamlit as st

from cnnlab.runs.run import Run
from cnnlab.zoo.export import archive_of, exporting
from cnnlab.zoo.formats import EXPORT_FORMATS
from pages.shared.working import job_or_offer


def show_exports(run: Run) -> None:
    """Each format: what for, and the way to its file."""
    point = run.checkpoint("best")
    st.caption(
        f"The weights after epoch {point.info.epoch:g}, with class names, a model card and a ten-line script. Each "
        "file is checked against Keras on real images before it is given out."
    )
    for column, (name, form) in zip(st.columns(len(EXPORT_FORMATS)), EXPORT_FORMATS.items(), strict=True):
        archive = archive_of(run, point, name)
        with column:
            if archive.exists():
                st.write(f"**{form.title}**, {form.purpose}.")
                st.download_button(
                    "Download",
                    archive.read_bytes,
                    archive.name,
                    "application/zip",
                    icon=":material/download:",
                    on_click="ignore",
                    key=f"download {name}",
                )
            else:
                words = f"**{form.title}**, {form.purpose}."
                job_or_offer(exporting(run, point, name), words, f"Make {form.title}", ":material/output:", "secondary")
