"""cnnlab in the browser: `streamlit run app.py`, or `cnnlab app` where it is installed.

Streamlit imports this file once, for the server, and runs it again for whoever visits.
"""

from pathlib import Path

import streamlit as st

if __name__ == "__main__":
    from cnnlab.resources import ASSETS
    from pages.shared.charts import style_charts
    from pages.shared.navigation import navigation
    from pages.shared.watch import watch_runs

    page = navigation()
    st.set_page_config(
        page_title="cnnlab" if page.url_path == "" else f"{page.title} – cnnlab",
        page_icon=str(ASSETS / "icon.png"),
        layout="wide",
    )
    st.logo(str(ASSETS / "logo.svg"), size="large")
    st.session_state["entered"] = page.url_path  # see enter_through_app
    style_charts()
    page.run()
    watch_runs()
else:
    from pages.shared import door

    app = st.App(
        __file__,
        routes=door.shells(Path(__file__).parent / "pages"),
        middleware=door.guard(),
        lifespan=door.opened,
    )
