"""Import one's own images: a zip, a folder, a dropped folder, or images dropped class by class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from cnnlab import datasets, text
from cnnlab.datasets.images import EXTENSIONS, Fitting
from cnnlab.datasets.imported import DroppedClass, ImportReport, read_report, sorted_files
from cnnlab.datasets.job import forget, importing, imports_under_way, keep_dropped, keep_upload
from cnnlab.errors import UserError
from pages.shared.address import VISIT, go
from pages.shared.errors import show_error
from pages.shared.working import show_progress

MOST_IMPORT_MB = 1000
FITTING_WORDS: dict[Fitting, str] = {
    "crop": "Cut out the middle",
    "pad": "Pad with black bars",
    "squash": "Distort to a square",
}
ZIP, DROPPED, BY_CLASS, SERVER = "Zip archive", "Dropped folder", "Class by class", "Folder on the server"
EXPLAINED = {
    ZIP: "A folder for each class: `cats/1.jpg`, `dogs/7.png`; or `train/cats/…` beside `val` and `test`.",
    DROPPED: "Drop a folder that holds one for each class: `cats/1.jpg`, `dogs/7.png`; or `train`, `val` and `test`.",
    BY_CLASS: "Name a class and drop its images; then the next. At least two classes with five images each.",
    SERVER: "A folder on the machine that cnnlab runs on, with one in it for each class.",
}
BEGUN = "imports begun"
IMPORTED = "imported"


def number() -> int:
    """Which form this is: when what it asked for has been imported, an empty one takes its place."""
    return int(st.session_state.setdefault("import form", 1))


def form_key(name: str) -> str:
    return f"import {name} {number()}"


def import_form() -> None:
    where = st.segmented_control("From", list(EXPLAINED), default=ZIP, required=True, key=form_key("from"))
    st.caption(
        f"{EXPLAINED[where]} Without a test part a fifth of each class is held out. Images are resized to one size; "
        "nothing else is kept of them."
    )
    given: Any = None
    classes: list[tuple[str, Any]] = []
    # A form, for its buttons wait for uploads under way, and what is typed in it comes with the press.
    with st.form(form_key("form"), border=False, enter_to_submit=False):
        title = st.text_input("Name", placeholder="Cats and dogs", key=form_key("title"))
        match where:
            case "Zip archive":
                given = st.file_uploader(
                    "Zip archive", type=["zip"], max_upload_size=MOST_IMPORT_MB, key=form_key("zip")
                )
            case "Dropped folder":
                given = st.file_uploader(
                    "Folder",
                    accept_multiple_files="directory",
                    max_upload_size=MOST_IMPORT_MB,
                    key=form_key("directory"),
                )
            case "Class by class":
                classes = classes_form()
            case _:
                given = st.text_input("Folder", placeholder="/home/me/pictures", key=form_key("folder")).strip()
        left, right = st.columns(2)
        size = int(left.number_input("Pixels a side to keep", 8, 256, 64, 8, key=form_key("size")))
        fitting = right.selectbox(
            "Images that are not square",
            list(FITTING_WORDS),
            format_func=FITTING_WORDS.__getitem__,
            key=form_key("fitting"),
        )
        pressed = st.form_submit_button("Import", icon=":material/upload:", type="primary")
    if pressed:
        begin_import(title.strip(), where, given, classes, size, fitting)


def begin_import(
    title: str, where: str, given: Any, classes: list[tuple[str, Any]], size: int, fitting: Fitting
) -> None:
    missing = [] if title else ["give the data set a name"]
    if where != BY_CLASS and not given:
        missing.append({ZIP: "choose a zip archive", DROPPED: "drop a folder"}.get(where, "name the folder"))
    try:
        if missing:
            raise UserError(f"Not yet: {' and '.join(missing)}.")
        job = importing(title, path_of(title, where, given, classes), size, fitting)
        job.start()
    except UserError as error:
        show_error(error, ":material/error:")
    else:
        begun()[job.folder.name.removeprefix("import-")] = st.session_state[VISIT].number
        st.rerun()


def path_of(title: str, where: str, given: Any, classes: list[tuple[str, Any]]) -> Path:
    """Where the files stand that are to be imported: on the server, or where they have been put for it."""
    if where == ZIP:
        return keep_upload(title, given.name, given.getvalue())
    if where == DROPPED:
        return keep_dropped(title, ((file.name, file.getvalue()) for file in given))
    if where == BY_CLASS:
        given_classes = [
            DroppedClass(name, [(file.name, file.getvalue()) for file in files]) for name, files in classes
        ]
        return keep_dropped(title, sorted_files(given_classes))
    return Path(given).expanduser()


def classes_form() -> list[tuple[str, Any]]:
    """A row for each class: its name, its images, and a way to take it out."""
    rows: list[int] = st.session_state.setdefault(form_key("rows"), [1, 2])
    classes = [class_row(row, place, rows) for place, row in enumerate(rows, 1)]
    st.form_submit_button(
        "Add a class", icon=":material/add:", key=form_key("add"), on_click=rows.append, args=(max(rows) + 1,)
    )
    return classes


def class_row(row: int, place: int, rows: list[int]) -> tuple[str, Any]:
    left, middle, right = st.columns([3, 8, 1], vertical_alignment="top")
    name = left.text_input(
        f"Class {place}", placeholder="cats" if place == 1 else "dogs", max_chars=80, key=form_key(f"class {row}")
    )
    files = middle.file_uploader(
        f"Images of class {place}",
        type=list(EXTENSIONS),
        accept_multiple_files=True,
        max_upload_size=MOST_IMPORT_MB,
        key=form_key(f"images {row}"),
    )
    right.form_submit_button(
        "",
        icon=":material/close:",
        help="Take this class out",
        key=form_key(f"out {row}"),
        on_click=rows.remove,
        args=(row,),
        disabled=len(rows) == 1,
    )
    return name, files


def begun() -> dict[str, int]:
    """The imports that were begun in this session, each with the visit in which it was."""
    found: dict[str, int] = st.session_state.setdefault(BEGUN, {})
    return found


def show_imports() -> None:
    """What is being imported, and a word when it is done; the data set is shown if one has waited for it here."""
    at_work = set()
    for job in imports_under_way():
        now = job.progress()
        name = job.folder.name.removeprefix("import-")
        if now and now.failed:
            begun().pop(name, None)
            with st.container(horizontal=True, vertical_alignment="center"):
                show_error(f"{name}: {now.message}", ":material/error:")
                st.button("Dismiss", on_click=forget, args=(job,), key=f"dismiss {name}")
        elif now:
            at_work.add(name)
            begun().setdefault(name, 0)
            st.markdown(f"**Importing {text.markdown(name)}**")
            show_progress(job, forget)
    for name in done(at_work):
        visit = begun().pop(name)
        st.session_state[IMPORTED] = name
        if visit:
            st.session_state["import form"] = number() + 1
        if visit == st.session_state[VISIT].number:
            go(dataset=name, section=None)
    show_imported()


def done(at_work: set[str]) -> Iterator[str]:
    there = datasets.sources()
    for name in set(begun()) - at_work:
        if name in there:
            yield name
        else:  # cancelled
            begun().pop(name)


def show_imported() -> None:
    """What the latest import of this session took and left out, until one goes on."""
    name: str | None = st.session_state.get(IMPORTED)
    if name is None:
        return
    source, report = datasets.sources().get(name), read_report(datasets.data_root(), name)
    if source is None or report is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(f"{text.markdown(source.title)} is imported: {report_words(report)}", icon=":material/check:")
        if st.session_state[VISIT].address.get("dataset") != (name,):
            st.page_link(
                "pages/datasets.py", label="Show it", icon=":material/arrow_forward:", query_params={"dataset": name}
            )
        if st.button("", icon=":material/close:", type="tertiary", help="Put this message away"):
            del st.session_state[IMPORTED]
            st.rerun()


def report_words(report: ImportReport) -> str:
    count = Counter({part: sum(classes.values()) for part, classes in report.taken.items()})
    classes = len({label for part in report.taken.values() for label in part})
    left_out = f"{report.left_out_count:,} file{'' if report.left_out_count == 1 else 's'} left out, named below"
    return (
        f"{classes:,} classes, {count['train']:,} images to train on, {count['validation']:,} to validate and "
        f"{count['test']:,} to test; {left_out if report.left_out_count else 'nothing was left out'}."
    )
