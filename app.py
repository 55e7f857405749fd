"""cnnlab in the browser: `streamlit run app.py`."""

import streamlit as st

from pages.shared.navigation import navigation
from pages.shared.watch import watch_runs

st.set_page_config(page_title="cnnlab", page_icon="assets/icon.png", layout="wide")
st.logo("assets/logo.svg", size="large")
st.session_state["entered"] = True  # see enter_through_app
navigation().run()
watch_runs()
