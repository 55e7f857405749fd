"""How a chapter looks: its tables, its prose, and the large type before a class."""

from __future__ import annotations

COURSE_STYLE = """<style>
.course-table {overflow: auto; max-height: 27rem; margin-bottom: .5rem}
.course-table table {border-collapse: collapse; font-size: .9rem; min-width: 50%}
.course-table :is(th, td) {padding: .2rem .7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent)}
.course-table thead th {position: sticky; top: 0; font-weight: 600;
  background: light-dark(#ffffff, #10161d)}
.course-table .number {text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap}
.course-table .marked {font-weight: 700}
[data-testid="stMain"] [data-testid="stMarkdownContainer"] > p {max-width: 54rem}
[data-testid="stMain"] [data-testid="stPageLink-NavLink"]:not(:hover, :focus-visible) {background: none}
</style>"""
PRESENT_STYLE = """<style>
html {font-size: clamp(19px, 1.62vw, 34px)}
[data-testid="stHeader"], [data-testid="stToolbar"], [data-testid="stStatusWidget"],
[data-testid="stMain"] [data-testid="stDownloadButton"] {display: none}
[data-testid="stMainBlockContainer"] {padding: 1.2rem 2.5rem 3rem; max-width: none}
[data-testid="stMain"] [data-testid="stMarkdownContainer"] > p {max-width: 48rem}
.st-key-course-way {position: fixed; right: 1rem; bottom: .4rem; width: auto !important; opacity: .55; z-index: 9}
.st-key-course-way:hover, .st-key-course-way:focus-within {opacity: 1}
</style>"""
