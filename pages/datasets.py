"""What there is to learn from: every data set with its classes, its balance and its images; and one's own."""

import numpy as np
import pandas as pd
import streamlit as st

from cnnlab import datasets, plots, text, units
from cnnlab.datasets import Dataset, Source, Split
from cnnlab.datasets.imported import ImportReport, make_subset, read_report, remove
from cnnlab.datasets.imported.source import IMPORTED_FOLDER
from cnnlab.datasets.job import forget, free_name, preparing
from cnnlab.errors import UserError
from cnnlab.experiments.presets import FINE_TUNING
from cnnlab.zoo import shipped
from pages.shared.address import address_check, address_number, address_segments, address_select, go, tab_title
from pages.shared.charts import show_chart
from pages.shared.course_parts import pictures_of, show_pictures
from pages.shared.errors import show_error
from pages.shared.importing import FITTING_WORDS, form_key, import_form, show_imports
from pages.shared.navigation import enter_through_app
from pages.shared.parts import architecture_title
from pages.shared.pictures import picture_grid
from pages.shared.tables import NOTHING
from pages.shared.working import job_or_offer

enter_through_app()

IMAGES_A_PAGE = 40
SEEN = 8
PART_TITLES = {"train": "Training", "validation": "Validation", "test": "Test"}
VALIDATION_FRACTION, SEED = 0.1, 0


def splits_of(dataset: Dataset) -> dict[str, Split]:
    """The parts: of a data set without a validation part of its own, that of a run with seed 0 and a tenth held out."""
    train, validation = dataset.training_splits(VALIDATION_FRACTION, SEED)
    return {"train": train, "validation": validation, "test": dataset.test_split()}


def counts_of(dataset: Dataset, splits: dict[str, Split]) -> dict[str, list[int]]:
    """Images by part and class."""
    classes = len(dataset.classes)
    return {
        PART_TITLES[part]: np.bincount(labels_of(split), minlength=classes).tolist() for part, split in splits.items()
    }


def labels_of(split: Split) -> np.ndarray:
    return np.asarray(split.labels)[split.indices]


def show_missing(source: Source) -> None:
    """How to come by a data set that cannot be used yet."""
    root = datasets.data_root()
    found = source.find(root)
    if found:
        question = f"Found: {text.message(found)}. It is decoded once, which takes from seconds to a minute or two."
        job_or_offer(preparing(source.name), question, "Prepare", ":material/play_arrow:", cancel=forget)
    elif source.downloads:
        question = (
            f"It is not on this machine. It can be downloaded, {source.download}; what has come is kept if the "
            f"connection breaks, and the file is checked. Or put it yourself under "
            f"`{root / source.place}`: {source.tree}."
        )
        job_or_offer(
            preparing(source.name), question, f"Download {source.download}", ":material/download:", cancel=forget
        )
    else:
        st.info(
            f"It is not on this machine. Unpack it so that `{root / source.place}` holds {source.tree}.",
            icon=":material/folder:",
        )


def show_shipped_pictures(source: Source) -> None:
    """Pictures of its classes that come with cnnlab, to look at where the data set is not here."""
    found = pictures_of(source.name)
    if found:
        st.caption(f"These {len(found)} pictures come with cnnlab; they show classes of it, and none is from it.")
        show_pictures(found)


def show_facts(dataset: Dataset, splits: dict[str, Split]) -> None:
    height, width = dataset.image_size
    with st.container(horizontal=True):
        for part, split in splits.items():
            st.metric(f"{PART_TITLES[part]} images", units.count(len(split)), border=True)
        st.metric("Classes", units.count(len(dataset.classes)), border=True)
        st.metric("Pixels", f"{width}×{height}", border=True)
    means = ", ".join(f"{value:.1f}" for value in dataset.mean)
    deviations = ", ".join(f"{value:.1f}" for value in dataset.deviation)
    held = (
        "its own" if dataset.held_out else f"drawn from the training part by the seed; here {VALIDATION_FRACTION:.0%}"
    )
    st.caption(
        f"Red, green and blue have mean {means} and deviation {deviations} (of 255). Validation images: {held}. "
        f"Fingerprint `{dataset.fingerprint}`."
    )


def show_balance(dataset: Dataset, splits: dict[str, Split]) -> None:
    counts = counts_of(dataset, splits)
    training = counts["Training"]
    largest, smallest = int(np.argmax(training)), int(np.argmin(training))
    if training[largest] > 1.5 * max(training[smallest], 1):
        most, least = text.markdown(dataset.classes[largest]), text.markdown(dataset.classes[smallest])
        st.warning(
            f"The classes are out of balance: {most} has {training[largest]:,} training images, "
            f"{least} {training[smallest]:,}. A network that always says the largest class would "
            f"be right in {training[largest] / sum(training):.0%} of the cases.",
            icon=":material/balance:",
        )
    show_chart(plots.class_balance(dataset.classes, counts), "balance")


def show_samples(dataset: Dataset, splits: dict[str, Split]) -> None:
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    part = address_segments("Part", list(PART_TITLES), "part", place=left, format_func=PART_TITLES.__getitem__)
    only = right.selectbox(
        "Class", [None, *dataset.classes], format_func=lambda name: "All, mixed" if name is None else text.plain(name)
    )
    split = splits[part]
    positions = np.random.default_rng(0).permutation(len(split))
    if only is not None:
        positions = positions[labels_of(split)[positions] == dataset.classes.index(only)]
    pages = max(-(-len(positions) // IMAGES_A_PAGE), 1)
    page = st.pagination(pages, key=f"page {dataset.name} {part} {only}") if pages > 1 else 1
    chosen = (
        np.sort(positions[(page - 1) * IMAGES_A_PAGE : page * IMAGES_A_PAGE])
        if only
        else positions[(page - 1) * IMAGES_A_PAGE : page * IMAGES_A_PAGE]
    )
    images, labels = split.batch(chosen)
    picture_grid(list(images), [text.markdown(dataset.classes[label]) for label in labels])


def show_seen(dataset: Dataset, splits: dict[str, Split]) -> None:
    """The same images as stored and as a network of some input size gets them."""
    height, width = dataset.image_size
    left, right = st.columns(2, vertical_alignment="bottom")
    size = address_number("Input size of the network", "size", max(width, 32), left, 8, 256, step=4)
    crop = size < min(height, width) and address_check(
        "Crop instead of shrink", "crop", place=right, help="As MiniGoogLeNet's 28×28 out of 32×32."
    )
    preprocessing = dataset.preprocessing((size, size)).model_copy(update={"crop": crop})
    images, labels = splits["train"].batch(np.linspace(0, len(splits["train"]) - 1, SEEN).astype(np.int64))
    names = [text.markdown(dataset.classes[label]) for label in labels]
    st.markdown(f"**As stored, {width}×{height}**")
    picture_grid(list(images), names)
    st.markdown(f"**What the network gets, {size}×{size}**")
    picture_grid(list(preprocessing.fit_all(images)), names)


def show_report(report: ImportReport) -> None:
    """What the import took and left out."""
    st.caption(
        f"Imported from {text.markdown(report.source)}: {report.files:,} files, {report.left_out_count:,} left out, "
        f"kept at {report.size}×{report.size} ({FITTING_WORDS[report.fitting].lower()})."
        + (f" Held out here: {', '.join(report.held_out)}." if report.held_out else "")
    )
    if report.merged:
        words = ", ".join(f"{given!r} as {label!r}" for given, label in report.merged[:20])
        st.caption(f"Folders taken as one class: {text.message(words)}.")
    if report.left_out:
        with st.expander(
            f"{report.left_out_count:,} file{'' if report.left_out_count == 1 else 's'} left out",
            icon=":material/block:",
        ):
            st.dataframe(
                pd.DataFrame(
                    [{name: text.table(value) for name, value in one.model_dump().items()} for one in report.left_out]
                ),
                hide_index=True,
                placeholder=NOTHING,
            )


def show_removal(source: Source) -> None:
    with st.popover("Remove", icon=":material/delete:"):
        st.write("Its images are deleted here; your originals stay, and so do the runs trained on it.")
        if st.button("Remove it", type="primary"):
            try:
                remove(datasets.data_root(), source.name)
            except UserError as error:
                show_error(error)
            else:
                go(dataset=None)


def show_subset(dataset: Dataset) -> None:
    with st.popover("Take some of its classes", icon=":material/filter_list:"):
        st.write("A data set of its own, with the images of these classes in the parts where they stand.")
        classes = st.multiselect("Classes", dataset.classes, format_func=text.plain, key=f"subset {dataset.name}")
        title = st.text_input("Name", key="subset name", placeholder="Cats against dogs")
        if st.button("Make it", type="primary", disabled=len(classes) < 2 or not title.strip()):
            try:
                name = free_name(title.strip())
                folder = datasets.data_root() / IMPORTED_FOLDER / name
                with st.spinner("Taking the images"):
                    make_subset(dataset, classes, folder, name, title.strip())
            except UserError as error:
                show_error(error)
            else:
                go(dataset=name)


def show_all(known: dict[str, Source]) -> None:
    """Every data set in a line."""
    root = datasets.data_root()
    table = pd.DataFrame(
        [
            {
                "Data set": text.table(one.title),
                "Classes": one.classes,
                "Pixels": f"{one.image_size}×{one.image_size}",
                "To learn from": one.train_images,
                "To test": one.test_images,
                "On this machine": one.find(root) or "no",
                "Download": one.download or "–",
            }
            for one in known.values()
        ]
    )
    counts = {name: st.column_config.NumberColumn(format="localized") for name in ("To learn from", "To test")}
    st.dataframe(table, hide_index=True, placeholder=NOTHING, column_config=counts)


def show_ways(source: Source, dataset: Dataset) -> None:
    """What one can do with the data set: train on it from the beginning or from a network that comes with cnnlab."""
    given = shipped.nearest(source.image_size)
    with st.container(horizontal=True, vertical_alignment="center"):
        if given.config.experiment.dataset != source.name:
            architecture = given.config.experiment.architecture
            st.page_link(
                "pages/train.py",
                label=f"Fine-tune {architecture_title(architecture)} on it",
                icon=":material/model_training:",
                help=f"Begins with the weights of {given.labels().name}, which comes with cnnlab.",
                query_params={
                    "preset": FINE_TUNING,
                    "architecture": architecture,
                    "dataset": source.name,
                    "from": given.id,
                },
            )
        st.page_link(
            "pages/train.py",
            label="Train on it",
            icon=":material/arrow_forward:",
            icon_position="right",
            query_params={"dataset": source.name},
        )
        show_subset(dataset)
        if source.imported:
            show_removal(source)


def main() -> None:
    st.title("Data sets", anchor=False)
    st.write("What a network can learn from here: look at the images before you train on them, or import your own.")
    show_imports()
    known = datasets.sources()
    with st.expander(
        "Import your own images", icon=":material/add_photo_alternate:", key=form_key("own"), on_change="rerun"
    ) as own:
        if own.open:
            import_form()
    with st.expander("All data sets", icon=":material/list:", key="all", on_change="rerun") as overview:
        if overview.open:
            show_all(known)
    name = address_select("Data set", list(known), "dataset", lambda one: known[one].title)
    source = known[name]
    tab_title(source.title)
    st.write(text.message(source.summary))
    if source.home:
        st.caption(f"Its home page: <{source.home}>")
    with st.spinner("Opening the data set"):
        dataset = datasets.ready(name)
        splits = splits_of(dataset) if dataset else {}
    if dataset is None:
        show_missing(source)
        show_shipped_pictures(source)
        st.stop()
    show_facts(dataset, splits)
    if source.imported and (report := read_report(datasets.data_root(), name)):
        show_report(report)
    show_ways(source, dataset)
    section = address_segments(
        "Section", ["Images", "Class balance", "What a network sees"], "section", label_visibility="collapsed"
    )
    match section:
        case "Class balance":
            show_balance(dataset, splits)
        case "What a network sees":
            show_seen(dataset, splits)
        case _:
            show_samples(dataset, splits)


main()
