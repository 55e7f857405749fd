"""cnnlab in the browser: `streamlit run app.py`."""

import streamlit as st

from pages.shared.navigation import navigation
from pages.shared.watch import watch_runs

page = navigation()
st.set_page_config(
    page_title="cnnlab" if page.url_path == "" else f"{page.title} – cnnlab",
    page_icon="assets/icon.png",
    layout="wide",
)
st.logo("assets/logo.svg", size="large")
st.session_state["entered"] = page.url_path  # see enter_through_app
page.run()
watch_runs()
