"""A job on a page: asked for, under way, failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

import streamlit as st

from cnnlab import text, units
from cnnlab.errors import UserError
from cnnlab.storage.jobs import Job
from pages.shared.errors import show_error

JOB_REFRESH_SECONDS = 0.7


def job_or_offer(
    job: Job,
    question: str,
    label: str,
    icon: str,
    kind: Literal["primary", "secondary"] = "primary",
    cancel: Callable[[Job], None] = Job.cancel,
) -> None:
    """How far a job is, or the button that asks for it; the page is run anew when the job has ended."""
    now = job.progress()
    if now and not now.failed:
        show_progress(job, cancel)
        return
    if now:
        show_error(now.message, ":material/error:")
    st.write(question)
    if st.button(label, icon=icon, type=kind, key=f"start {job.folder}"):
        try:
            job.start()
        except UserError as error:
            show_error(error)
        else:
            st.rerun()


@st.fragment(run_every=JOB_REFRESH_SECONDS)
def show_progress(job: Job, cancel: Callable[[Job], None] = Job.cancel) -> None:
    now = job.progress()
    if now is None or now.failed:
        st.rerun()
    left = now.seconds_left(time.time())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(
            now.fraction or 0.0,
            text.message(now.message) + ("" if left is None else f", {units.duration(left)} left"),
        )
        st.button("Cancel", icon=":material/close:", on_click=cancel, args=(job,), key=f"cancel {job.folder}")
    st.caption("It goes on if you leave this page.")
