"""A drawn network in the width of the page: to move, to zoom, and to see in full screen, by mouse and by keyboard."""

from __future__ import annotations

from typing import Any

import streamlit as st

FRAME = "drawing"
HTML = """
<div class="drawing-buttons" role="toolbar" aria-label="Drawing">
  <button type="button" data-do="out" title="Smaller (−)" aria-label="Smaller">−</button>
  <button type="button" data-do="in" title="Larger (+)" aria-label="Larger">+</button>
  <button type="button" data-do="whole" title="The whole network (0)">Whole</button>
  <button type="button" data-do="full" title="Full screen (F)">Full screen</button>
</div>
"""
CSS = f"""
.st-key-{FRAME} {{position: relative; border: 1px solid var(--drawing-line); border-radius: 0.5rem; gap: 0}}
.st-key-{FRAME} [data-testid="stElementToolbar"] {{display: none}}
.st-key-{FRAME} [data-testid="stGraphVizChart"] {{width: 100%; cursor: grab; touch-action: pan-y; overflow: hidden}}
.st-key-{FRAME} [data-testid="stGraphVizChart"]:active {{cursor: grabbing}}
.st-key-{FRAME} [data-testid="stGraphVizChart"]:focus-visible {{
  outline: 2px solid var(--st-primary-color, #2D8CCB); outline-offset: -2px
}}
.st-key-{FRAME} [data-testid="stGraphVizChart"] svg {{
  display: block; width: 100% !important; max-width: none !important
}}
.st-key-{FRAME} [data-testid="stGraphVizChart"] svg text {{font-size: 12px !important}}
.st-key-{FRAME}:fullscreen {{border: 0; border-radius: 0}}
.st-key-{FRAME} svg :is(.edge, .cluster) text {{fill: currentColor !important; opacity: 0.8}}
.st-key-{FRAME} > :has(.drawing-buttons) {{position: absolute; top: 6px; right: 6px; width: auto; z-index: 1}}
.drawing-buttons {{display: flex; gap: 4px}}
.drawing-buttons button {{
  font: inherit; font-size: 14px; min-width: 30px; height: 30px; padding: 0 9px; cursor: pointer;
  border: 1px solid var(--drawing-line); border-radius: 0.4rem; color: inherit; background: var(--drawing-page);
}}
.drawing-buttons button:hover, .drawing-buttons button:focus-visible {{border-color: currentColor}}
"""
JS = """
const LEAST_TEXT = 11 / 12, MOST = 1.35, STEP = 1.25, MOVE = 80, TOP = 38;
export default function ({ parentElement }) {
  const frame = parentElement.closest(".st-key-drawing");
  let svg, size, view, mine = "", moved = false;
  const picture = () => frame.querySelector('[data-testid="stGraphVizChart"]');
  const full = () => document.fullscreenElement === frame;
  const room = () => ({
    width: picture().clientWidth || 1,
    height: full() ? window.innerHeight : Math.min(Math.max(size.height * view.scale + 2 * TOP, 170), 520),
  });
  function paint() {
    const { width, height } = room();
    svg.style.height = `${height}px`;
    mine = [view.x, view.y, width / view.scale, height / view.scale].map((one) => one.toFixed(2)).join(" ");
    svg.dataset.seen = mine;
    svg.setAttribute("viewBox", mine);
    frame.dataset.scale = view.scale.toFixed(3);
  }
  function place(scale) {  // the beginning on the left, or the middle where all of it fits
    view = { scale, x: 0, y: 0 };
    const { width, height } = room();
    view.x = Math.min((size.width - width / scale) / 2, 0);
    view.y = (size.height - height / scale) / 2;
    paint();
  }
  const fitting = () => {
    const height = (full() ? window.innerHeight : 520) - 2 * TOP;
    return Math.min((picture().clientWidth || 1) / size.width, height / size.height, full() ? 3 : MOST);
  };
  const start = () => { moved = false; place(Math.max(fitting(), LEAST_TEXT)); };
  const whole = () => { moved = true; place(fitting()); };
  function zoom(factor, x, y) {
    const { width, height } = room(), before = view.scale;
    view.scale = Math.min(Math.max(before * factor, Math.min(fitting(), LEAST_TEXT) / 2), 6);
    const after = room();
    x = x ?? width / 2; y = y ?? height / 2;
    view.x += x / before - x / view.scale;
    view.y += (y * (1 / before)) - (y * after.height / height) / view.scale;
    moved = true; paint();
  }
  function move(x, y) { view.x += x / view.scale; view.y += y / view.scale; moved = true; paint(); }
  function screen() { full() ? document.exitFullscreen() : frame.requestFullscreen(); }
  function look() {
    const found = frame.querySelector('[data-testid="stGraphVizChart"] svg');
    const box = found?.getAttribute("viewBox");
    if (!found || !box || (found === svg && box === mine)) return;
    if (found.dataset.seen !== box) found.dataset.whole = box;  // else it is only seen anew, by a new call of this
    const [, , width, height] = found.dataset.whole.split(/[ ,]+/).map(Number);
    if (!(width > 0 && height > 0)) return;
    svg = found; size = { width, height };
    found.removeAttribute("width"); found.removeAttribute("height");
    picture().tabIndex = 0;
    view && moved ? paint() : start();
  }
  const style = getComputedStyle(document.querySelector('[data-testid="stApp"]'));
  function tint() {
    frame.style.setProperty("--drawing-page", style.backgroundColor);
    frame.style.setProperty("--drawing-line", "color-mix(in srgb, currentColor 25%, transparent)");
    frame.style.backgroundColor = style.backgroundColor;
  }
  const deeds = { out: () => zoom(1 / STEP), in: () => zoom(STEP), whole, full: screen };
  const keys = {
    "+": deeds.in, "=": deeds.in, "-": deeds.out, "0": whole, Home: start, f: screen, F: screen,
    ArrowLeft: () => move(-MOVE, 0), ArrowRight: () => move(MOVE, 0),
    ArrowUp: () => move(0, -MOVE), ArrowDown: () => move(0, MOVE),
  };
  const stop = new AbortController(), on = { signal: stop.signal };
  frame.addEventListener("click", (event) => {
    const button = event.target.closest("[data-do]");
    if (button && svg) deeds[button.dataset.do]();
  }, on);
  frame.addEventListener("keydown", (event) => {
    if (!svg || !keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); event.stopPropagation(); keys[event.key]();
  }, on);
  frame.addEventListener("wheel", (event) => {
    if (!svg) return;
    const box = picture().getBoundingClientRect();
    if (event.ctrlKey || event.metaKey || full()) {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault(); move(event.deltaX, 0);
    }
  }, { ...on, passive: false });
  let held;
  frame.addEventListener("pointerdown", (event) => {
    if (svg && event.button === 0 && picture().contains(event.target)) {
      held = { x: event.clientX, y: event.clientY };
      picture().setPointerCapture(event.pointerId);
    }
  }, on);
  frame.addEventListener("pointermove", (event) => {
    if (!held) return;
    move(held.x - event.clientX, held.y - event.clientY);
    held = { x: event.clientX, y: event.clientY };
  }, on);
  for (const end of ["pointerup", "pointercancel"]) frame.addEventListener(end, () => { held = undefined; }, on);
  document.addEventListener("fullscreenchange", () => { if (svg) start(); }, on);
  const seen = new MutationObserver(() => { tint(); look(); });
  seen.observe(frame, { childList: true, subtree: true, attributes: true, attributeFilter: ["viewBox", "width"] });
  const sized = new ResizeObserver(() => { if (svg) moved ? paint() : start(); });
  sized.observe(frame);
  tint(); look();
  return () => { stop.abort(); seen.disconnect(); sized.disconnect(); };
}
"""


@st.cache_resource(show_spinner=False)
def buttons() -> Any:
    return st.components.v2.component("drawing_buttons", html=HTML, css=CSS, js=JS, isolate_styles=False)


def show_drawing(dot: str, words: str) -> None:
    """Graphviz's picture of this, the whole width wide; `words` say it to those who do not see it."""
    with st.container(key=FRAME):
        st.graphviz_chart(dot, width="stretch", alt=words)
        buttons()(key=f"{FRAME} buttons")
    st.caption("Drag to move; Ctrl and the wheel, or + and −, to zoom; 0 for the whole network; F for full screen.")
