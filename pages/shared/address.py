"""The address of a page and what is shown there: never two things.

The address is read when one arrives, by a link, by the back button or by a reload. From then on it is what the controls
say: each writes its choice there when it is moved, and nothing else does. A control belongs to one visit of one page
(its key says so), so that no choice made elsewhere or before can come back in it. What the address asks for and is not
there is said in one sentence beside what is shown instead.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from cnnlab import text

VISIT = "visit"
LATE_SECONDS = 2.0
MOST_SHOWN_LETTERS = 80
FORMER_NAMES = {"evaluate": {"view": "tta"}, "train": {"recipe": "preset"}}
"""Names that addresses of earlier versions use, by page: links that were kept still lead where they led."""
Address = dict[str, tuple[str, ...]]
Text = TypeVar("Text", bound=str)
AddressNumber = TypeVar("AddressNumber", int, float)


@dataclass
class Visit:
    """One stay on a page. `former` are addresses that its controls have replaced, `written` when the last was."""

    page: str
    number: int
    address: Address
    former: list[Address] = field(default_factory=list)
    written: float = 0.0
    moved: bool = False


def arrive(page: str) -> None:
    """Called first on every page: is this still the visit that it was, or has one come here anew?"""
    given = _given(page)
    visit: Visit | None = st.session_state.get(VISIT)
    if visit is None or visit.page != page:
        visit = _begin(page, given)
    elif visit.moved:
        visit.moved = False
    elif given != visit.address and not _is_late(visit, given):
        visit = _begin(page, given)
    else:
        return
    # Streamlit leaves the browser's address as it was where a link leads from a page to itself, and where the page that
    # one leaves had just written its own.
    st.query_params.from_dict(visit.address)


def _given(page: str) -> Address:
    names = FORMER_NAMES.get(page, {})
    return {names.get(name, name): tuple(st.query_params.get_all(name)) for name in st.query_params}


def _begin(page: str, address: Address) -> Visit:
    before: Visit | None = st.session_state.get(VISIT)
    visit = st.session_state[VISIT] = Visit(page, before.number + 1 if before else 1, address)
    return visit


def _is_late(visit: Visit, given: Address) -> bool:
    """Whether the browser only had not heard yet what a control wrote when it sent this."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        return False
    return given in visit.former and time.monotonic() - visit.written < LATE_SECONDS


def _visit() -> Visit:
    visit: Visit = st.session_state[VISIT]
    return visit


def asked(name: str) -> str | None:
    """What the address says of `name`."""
    values = asked_all(name)
    return values[-1] if values else None


def asked_all(name: str) -> tuple[str, ...]:
    return _visit().address.get(name, ())


def go(**changes: str | Sequence[str] | None) -> None:
    """Put these into the address, None for what is to go, and draw the page as if one had come by that address."""
    visit = _visit()
    address = _changed(visit.address, changes)
    _begin(visit.page, address)
    st.query_params.from_dict(address)
    st.rerun()


def _changed(address: Address, changes: Mapping[str, str | Sequence[str] | None]) -> Address:
    left = {name: values for name, values in address.items() if name not in changes}
    new = {name: (value,) if isinstance(value, str) else tuple(value) for name, value in changes.items() if value}
    return {**left, **new}


def key_of(name: str) -> str:
    """The key of the control of `name`, in this visit alone."""
    visit = _visit()
    return f"{name}@{visit.page}.{visit.number}"


def write(changes: Mapping[str, str | Sequence[str] | None]) -> None:
    """Put what a control says into the address; None takes the name out. For callbacks."""
    visit = _visit()
    address = _changed(visit.address, changes)
    if address != visit.address:
        visit.former.append(visit.address)
        visit.address, visit.written, visit.moved = address, time.monotonic(), True
        st.query_params.from_dict(address)


def _keep(name: str, key: str, written: Callable[[Any], str | Sequence[str] | None], resets: Sequence[str]) -> None:
    if key == key_of(name):  # else it was moved on a page that one has left meanwhile
        write({name: written(st.session_state[key]), **dict.fromkeys(resets)})


def _control(
    name: str, written: Callable[[Any], str | Sequence[str] | None], resets: Sequence[str] = ()
) -> dict[str, Any]:
    key = key_of(name)
    return {"key": key, "on_change": _keep, "args": (name, key, written, tuple(resets))}


def unknown(what: str, value: str, instead: str = "") -> None:
    """Say that the address asks for something that is not there, and what is shown instead."""
    shown = f"{text.markdown(instead, MOST_SHOWN_LETTERS)} is shown." if instead else "It is left out."
    st.warning(
        f"The address asks for {what} “{text.markdown(value, MOST_SHOWN_LETTERS)}”, which is not here. {shown}",
        icon=":material/link_off:",
    )


def _noun(label: str) -> str:
    return f"the {label[:1].lower()}{label[1:]}"


def address_select(
    label: str,
    options: Sequence[Text],
    name: str,
    titles: Callable[[Text], str],
    place: Any = st,
    what: str = "",
    default: Text | None = None,
    resets: Sequence[str] = (),
    **settings: Any,
) -> Text:
    """A select box whose choice stands in the address under `name`, as the option itself and not as its title.

    `what` names the thing in a sentence where the label does not. A `default` is not in the address; without one, an
    address that says nothing means the first option, and a choice is always written. `resets` are names that mean
    something else with another choice, and go when it changes.
    """
    wanted = asked(name)
    start = 0 if default is None else options.index(default)
    index = next((place for place, one in enumerate(options) if one == wanted), start)
    control = _control(name, lambda chosen: None if chosen == default else chosen, resets)
    choice: Text = place.selectbox(
        label, options, index, format_func=lambda one: text.plain(titles(one)), **control, **settings
    )
    if wanted is not None and wanted != choice:
        unknown(what or _noun(label), wanted, titles(choice))
    return choice


def address_segments(
    label: str, options: Sequence[Text], name: str, default: Text | None = None, place: Any = st, **settings: Any
) -> Text:
    """One of a few options side by side; the default is not in the address."""
    first = options[0] if default is None else default
    wanted = asked(name)
    choice: Text = place.segmented_control(
        label,
        options,
        default=wanted if wanted in options else first,
        required=True,
        **_control(name, lambda chosen: None if chosen == first else chosen),
        **settings,
    )
    if wanted is not None and wanted != choice:
        unknown(_noun(label), wanted, settings.get("format_func", str)(choice))
    return choice


def address_tabs(titles: Sequence[str], name: str) -> dict[str, Any]:
    """Tabs by title; the open one is in the address, but for the first."""
    wanted = asked(name)
    opened = wanted if wanted is not None and wanted in titles else titles[0]
    if wanted is not None and wanted != opened:
        unknown("the tab", wanted, opened)
    control = _control(name, lambda chosen: None if chosen == titles[0] else chosen)
    return dict(zip(titles, st.tabs(titles, default=opened, **control), strict=True))


def address_number(
    label: str,
    name: str,
    default: AddressNumber,
    place: Any = st,
    minimum: AddressNumber | None = None,
    maximum: AddressNumber | None = None,
    slider: bool = False,
    **settings: Any,
) -> AddressNumber:
    """A number, whole where the default is; the default is not in the address."""
    kind = type(default)
    wanted = asked(name)
    value, understood = default, True
    if wanted is not None:
        try:
            value = kind(wanted)
        except ValueError:
            understood = False
        else:
            understood = (
                math.isfinite(value) and (minimum is None or value >= minimum) and (maximum is None or value <= maximum)
            )
    box = place.slider if slider else place.number_input
    chosen: AddressNumber = box(
        label,
        min_value=minimum,
        max_value=maximum,
        value=value if understood else default,
        **_control(name, lambda given: None if given in (None, default) else str(given)),
        **settings,
    )
    if not understood:
        unknown(f"{_noun(label)} of", str(wanted), f"{chosen:g}")
    return chosen


def address_check(label: str, name: str, default: bool = False, place: Any = st, **settings: Any) -> bool:
    """A box to tick; the default is not in the address."""
    words = {"true": True, "false": False}
    wanted = asked(name)
    value = words.get((wanted or "").lower())
    if wanted is not None and value is None:
        unknown(f"“{label}” to be", wanted, "on" if default else "off")
    written = lambda ticked: None if ticked == default else str(ticked).lower()  # noqa: E731
    return bool(place.checkbox(label, default if value is None else value, **_control(name, written), **settings))


def address_text(label: str, name: str, place: Any = st, **settings: Any) -> str:
    """A line of text."""
    return str(place.text_input(label, asked(name) or "", **_control(name, lambda typed: typed or None), **settings))


def address_many(label: str, options: Sequence[str], name: str, place: Any = st, **settings: Any) -> list[str]:
    """Some of the options, repeated in the address."""
    wanted = asked_all(name)
    chosen = [one for one in wanted if one in options]
    if missing := [one for one in wanted if one not in options]:
        unknown(_noun(label), ", ".join(missing))
    return list(place.multiselect(label, options, chosen, **_control(name, list), **settings))


def tab_title(words: str) -> None:
    """What stands on the browser's tab, where a page can say more than its name."""
    st.set_page_config(page_title=f"{text.plain(words, MOST_SHOWN_LETTERS)} – cnnlab")
