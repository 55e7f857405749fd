"""Every page through app.py, as Streamlit's own test harness runs it."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from cnnlab import architectures, cli, datasets, runs
from cnnlab.evaluation import evaluate, kept_evaluation
from cnnlab.experiments.experiment import plan
from cnnlab.experiments.recipe import make_recipe
from cnnlab.inference.classifier import load_classifier
from cnnlab.inference.reference import REFERENCE_FILE
from cnnlab.runs import film
from cnnlab.runs.launchers import LAUNCHER_FILE
from cnnlab.runs.run import Run
from cnnlab.runs.sweeps.record import listing
from cnnlab.zoo.samples import all_samples
from cnnlab.zoo.shipped import shipped
from pages.shared.answers import table_csv
from tests.conftest import digits_experiment, unescaped
from tests.pages.conftest import OpenPage
from tests.pages.controls import control

MIDDLE_SEEN = "What the network sees: 320×213, its middle 213×213 resized to 32×32 pixels"
PAGES = (
    "home",
    "learn",
    "architectures",
    "design",
    "compare",
    "one_by_one",
    "datasets",
    "train",
    "runs",
    "machines",
    "sweeps",
    "sweep",
    "run",
    "compare_runs",
    "generalization",
    "evaluate",
    "results",
    "predict",
)
WITH_TENSORFLOW = pytest.param("microscope", marks=pytest.mark.slow)


def metric(app: AppTest, label: str) -> str:
    return next(str(item.value) for item in app.metric if item.label == label)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("page", [*PAGES, WITH_TENSORFLOW])
def test_every_page_opens_without_runs_and_without_data(open_page: OpenPage, page: str) -> None:
    app = open_page(page)
    assert not app.exception
    assert app.title


@pytest.mark.parametrize("page", [*PAGES, WITH_TENSORFLOW])
def test_every_page_opens_with_a_trained_run(open_page: OpenPage, trained_run: Run, page: str) -> None:
    app = open_page(page, trained_run.folder.parent, run=trained_run.id)
    assert not app.exception
    assert app.title


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_architectures_shows_the_totals_of_each(open_page: OpenPage, name: str) -> None:
    app = open_page("architectures", architecture=name)
    network = architectures.build(name)
    assert metric(app, "Parameters") == f"{network.parameters:,}"
    assert metric(app, "Trainable") == f"{network.trainable:,}"
    assert len(app.dataframe[0].value) == len(network.layers)


def test_a_moved_option_moves_the_totals(open_page: OpenPage) -> None:
    app = open_page("architectures", architecture="minigooglenet")
    assert metric(app, "Parameters") == "1,656,250"
    control(app.checkbox, "minigooglenet.batch_normalization").uncheck().run()
    assert metric(app, "Parameters") == "1,649,402"
    assert metric(app, "Non-trainable") == "0"


def test_an_input_too_small_says_at_which_layer(open_page: OpenPage) -> None:
    app = open_page("architectures", architecture="vgg16")
    control(app.number_input, "vgg16.input_size").set_value(16).run()
    assert not app.exception
    assert "block5_pool" in unescaped(app.error[0].value)


def test_train_shows_the_command_that_does_the_same(open_page: OpenPage) -> None:
    app = open_page("train")
    app.number_input("epochs").set_value(3).run()
    words = app.code[0].value.split()
    options = cli.parser().parse_args(words[3:])
    assert words[:3] == ["python", "-m", "cnnlab"]
    assert (options.architecture, options.dataset, options.epochs) == ("minivggnet", "digits", "3")


def test_the_command_names_the_options_that_were_moved() -> None:
    experiment = plan("minivggnet", "digits", {"dropout": 0.1}, make_recipe())
    assert experiment.command().endswith("--set dropout=0.1")


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("epochs", 0, "epochs"), ("batch", 2000, "batch size"), ("own.adam.learning_rate", 0.0, "learning rate")],
)
def test_train_refuses_what_cannot_work_and_says_why(open_page: OpenPage, field: str, value: float, said: str) -> None:
    app = open_page("train")
    control(app.number_input, field).set_value(value).run()
    assert not app.exception
    assert said in unescaped(app.error[0].value).lower()
    assert next(button for button in app.button if button.label == "Train").disabled


@pytest.mark.slow
def test_home_answers_a_photograph_with_every_shipped_network(open_page: OpenPage) -> None:
    app = open_page("home")
    assert not app.exception
    (sample,) = [one for one in all_samples() if one.file == "horses.jpg"]
    given = [("horses.jpg", sample.read(), "image/jpeg"), ("broken.jpg", b"no image", "image/jpeg")]
    app.file_uploader("home images").set_value(given).run()
    assert not app.exception
    assert "broken.jpg" in unescaped(app.error[0].value)
    said = [unescaped(str(one.value)) for one in app.markdown]
    assert sum("horse" in line and "%" in line for line in said) >= 2, "both networks of CIFAR-10 see horses"
    assert len([line for line in said if line.startswith("**") and line.endswith("%")]) == len(shipped())


def test_train_films_an_image_of_ones_own(open_page: OpenPage, tmp_path: Path, no_starts: list[str]) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (90, 60), (10, 20, 30)).save(picture, "PNG")
    app = open_page("train", tmp_path / "runs", architecture="minivggnet", dataset="digits")
    chosen = app.file_uploader("film image")
    chosen.set_value([("broken.png", b"\x89PNG", "image/png")]).run()
    assert "broken.png" in unescaped(app.error[0].value)
    app.file_uploader("film image").set_value([("mine.png", picture.getvalue(), "image/png")]).run()
    assert not app.error
    app.selectbox("sweep 0").set_value("learning_rate").run()
    app.text_input("sweep values 0").set_value("0.1, 0.01").run()
    next(button for button in app.button if button.label == "Queue 2 runs").click().run()
    assert not app.exception
    made = runs.listing(tmp_path / "runs")
    assert [getattr(film.own_image(run), "shape", None) for run in made] == [(60, 90, 3)] * 2


def test_train_says_what_a_sweep_leaves_out(open_page: OpenPage) -> None:
    app = open_page("train", architecture="minivggnet", dataset="digits")
    for row, (name, tried) in enumerate((("optimizer", "sgd, adam"), ("momentum", "0.8, 0.9"))):
        app.selectbox(f"sweep {row}").set_value(name).run()
        app.text_input(f"sweep values {row}").set_value(tried).run()
    assert not app.error
    assert "Queue 3 runs" in [button.label for button in app.button]
    assert any("adam takes no momentum" in unescaped(str(one.value)) for one in app.caption)


def test_train_starts_a_sweep_that_stops_early_and_its_page_says_what_it_does(
    open_page: OpenPage, runs_dir: Path, no_starts: list[str]
) -> None:
    app = open_page("train", runs_dir, architecture="minivggnet", dataset="digits", sweep="new")
    app.selectbox("sweep 0").set_value("learning_rate").run()
    app.text_input("sweep values 0").set_value("0.0001..0.1").run()
    assert "A grid takes lists" in unescaped(app.error[0].value)
    app.selectbox("sweep search").set_value("random").run()
    app.number_input("sweep trials").set_value(4).run()
    app.selectbox("sweep 1").set_value("dropout").run()
    app.text_input("sweep values 1").set_value("0, 0.5").run()
    app.selectbox("sweep rule").set_value("asha").run()
    assert not app.error
    next(button for button in app.button if button.label == "Queue 4 runs").click().run()
    assert not app.exception
    (sweep,) = listing(runs_dir)
    assert (len(sweep.trials()), sweep.stopping.rule) == (4, "asha")
    assert {str(trial.changes["dropout"]) for trial in sweep.trials()} <= {"0", "0.5"}
    shown = open_page("sweep", runs_dir, sweep=sweep.id)
    assert "Random search of 4 trials of 10 epochs" in unescaped(" ".join(str(one.value) for one in shown.markdown))
    assert metric(shown, "Trials") == "0 of 4"
    next(button for button in shown.button if button.label == "Pause").click().run()
    assert sweep.state().paused
    assert [trial.state for trial in sweep.trials()][1:] == ["paused"] * 3


def test_train_says_that_cifar10_would_be_downloaded_and_where_to_put_it(open_page: OpenPage) -> None:
    app = open_page("train", dataset="cifar10")
    assert "download" in unescaped(app.warning[0].value)
    assert str(datasets.data_root() / "cifar10") in unescaped(app.warning[0].value)


def test_vgg16_meets_small_images_at_32_pixels(open_page: OpenPage) -> None:
    app = open_page("train", architecture="vgg16", dataset="digits")
    assert any("32×32" in text.value for text in app.markdown)


def test_a_run_that_has_not_begun_can_only_be_taken_out(open_page: OpenPage, runs_dir: Path) -> None:
    run = waiting_for_its_launcher(runs_dir)
    run.write_status(run.status().model_copy(update={"state": "submitted"}))
    asking = ("Pause", "Stop", "Stop after this epoch", "Take out")
    offered = [button for button in open_page("run", runs_dir, run=run.id).button if button.label in asking]
    assert [button.label for button in offered] == ["Take out"]
    run.write_status(run.status().model_copy(update={"state": "running", "steps_per_epoch": 1, "epochs": 1}))
    offered = [button for button in open_page("run", runs_dir, run=run.id).button if button.label in asking]
    assert [button.label for button in offered] == ["Pause", "Stop", "Stop after this epoch"]


def test_a_resumed_run_that_has_not_begun_is_submitted_on_both_pages(open_page: OpenPage, runs_dir: Path) -> None:
    run = waiting_for_its_launcher(runs_dir)
    resumed = {"state": "submitted", "step": 3, "epochs": 3, "steps_per_epoch": 3}
    run.write_status(run.status().model_copy(update=resumed))
    for app in (open_page("runs", runs_dir), open_page("run", runs_dir, run=run.id)):
        (bar,) = app.get("progress")
        assert bar.proto.text == "Submitted: its training process has not begun yet"


def test_a_run_says_that_this_version_does_not_know_its_launcher(open_page: OpenPage, runs_dir: Path) -> None:
    run = waiting_for_its_launcher(runs_dir)
    run.write_status(run.status().model_copy(update={"state": "preparing"}))
    app = open_page("run", runs_dir, run=run.id)
    assert not app.exception
    assert not app.error
    (said,) = [unescaped(str(item.value)) for item in app.warning]
    assert "'nebula'" in said
    assert "does not know" in said


def waiting_for_its_launcher(runs_dir: Path) -> Run:
    """A run whose launcher this version does not know, so that nothing here judges or ends it."""
    run = runs.create(digits_experiment(epochs=1), runs_dir)
    (run.folder / LAUNCHER_FILE).write_text('{"launcher": "nebula"}')
    return run


def test_an_address_of_an_unknown_run_says_so(open_page: OpenPage) -> None:
    app = open_page("run", run="../../etc")
    assert not app.exception
    assert "There is no run" in unescaped(app.warning[0].value)


def test_a_run_shows_its_best_epoch_and_its_test_figures(open_page: OpenPage, trained_run: Run) -> None:
    app = open_page("run", trained_run.folder.parent, run=trained_run.id)
    best = trained_run.best_epoch()
    assert best is not None
    assert metric(app, "Best validation accuracy") == f"{best['validation_accuracy']:.1%}"
    kept = kept_evaluation(trained_run) or evaluate(load_classifier(trained_run))
    app.run()
    assert not app.exception
    assert metric(app, "Rank-1 accuracy") == f"{kept.accuracy:.2%}"


@pytest.mark.parametrize("section", ["Report", "Confusion", "Images", "Confidence", "Against another"])
def test_an_evaluated_run_is_judged_from_every_side(open_page: OpenPage, trained_run: Run, section: str) -> None:
    kept = kept_evaluation(trained_run) or evaluate(load_classifier(trained_run))
    app = open_page("evaluate", trained_run.folder.parent, run=trained_run.id, section=section)
    assert not app.exception
    assert not app.error
    assert metric(app, "Calibration error") == f"{kept.calibration_error:.2%}"
    match section:
        case "Report":
            assert [*app.dataframe[0].value["Class"]] == [*kept.classes, "macro avg", "weighted avg"]
        case "Images":
            mistakes = kept.images - sum(row[place] for place, row in enumerate(kept.confusion))
            assert any(text.value.startswith(f"{mistakes} images") for text in app.caption)
        case "Against another":
            assert "No other run" in unescaped(app.info[0].value)


def test_a_run_that_was_not_evaluated_offers_it_and_another_checkpoint_is_another_evaluation(
    open_page: OpenPage, trained_run: Run
) -> None:
    app = open_page("evaluate", trained_run.folder.parent, run=trained_run.id, split="train")
    assert [button.label for button in app.button] == ["Evaluate"]
    assert not app.metric


def test_a_run_with_a_damaged_status_is_shown_and_harms_no_other(
    open_page: OpenPage, trained_run: Run, tmp_path: Path
) -> None:
    broken = tmp_path / "runs" / "broken-run"
    broken.mkdir(parents=True)
    config = json.loads((trained_run.folder / "config.json").read_text()) | {"id": "broken-run"}
    (broken / "config.json").write_text(json.dumps(config))
    (broken / "status.json").write_text("{garbage")
    for page in PAGES:
        app = open_page(page, broken.parent, run="broken-run")
        assert not app.exception, page


@pytest.mark.parametrize("section", ["Images", "Class balance", "What a network sees"])
def test_a_data_set_is_shown_with_its_facts_and_images(open_page: OpenPage, section: str) -> None:
    app = open_page("datasets", dataset="digits", section=section)
    assert not app.exception
    assert metric(app, "Training images") == "1,293"
    assert metric(app, "Test images") == "360"
    assert metric(app, "Pixels") == "8×8"


def test_a_data_set_that_is_not_there_is_offered_with_its_size_and_nothing_is_fetched(open_page: OpenPage) -> None:
    app = open_page("datasets", dataset="mnist")
    assert not app.exception
    assert any("11 MB from storage.googleapis.com" in button.label for button in app.button)
    app = open_page("datasets", dataset="tiny-imagenet")
    assert "tiny-imagenet-200" in unescaped(app.info[0].value)


def test_the_results_stand_beside_the_lectures(open_page: OpenPage) -> None:
    app = open_page("results")
    assert not app.exception
    table = app.dataframe[0].value.set_index("Network")
    assert table.loc["MiniVGGNet", "Lecture, rank-1"] == "82.0%"
    assert table.loc["DeeperGoogLeNet", "Lecture, rank-1"] == "30.2%"
    assert table.loc["DeeperGoogLeNet", "Lecture, rank-5"] == "54.3%"
    kept = kept_evaluation(shipped()["minivggnet-cifar10"])
    assert kept is not None
    assert table.loc["MiniVGGNet", "Best here, rank-1"] == f"{kept.accuracy:.2%}"
    assert table.loc["MiniVGGNet", "Measured on"] == "CIFAR-10 (JPEG)"
    (chart,) = (chart for chart in app.get("plotly_chart") if "Minutes of training" in chart.proto.spec)
    assert "MiniVGGNet in the lecture, 82.0%" in chart.proto.spec
    assert "DeeperGoogLeNet in the lecture" not in chart.proto.spec, "it was measured on other images"


def test_the_networks_that_come_with_cnnlab_can_be_asked_at_once(open_page: OpenPage) -> None:
    app = open_page("predict")
    titles = [run.labels().name for run in shipped().values()]
    asked = [option.partition(",")[0] for option in app.selectbox[0].options if option.endswith(" · shipped")]
    assert sorted(titles) == sorted(asked)


def test_of_the_images_dropped_the_broken_are_named_and_the_others_classified(
    open_page: OpenPage, trained_run: Run
) -> None:
    app = open_page("predict", trained_run.folder.parent, run=trained_run.id)
    split = datasets.load("digits").test_split()
    images, labels = split.batch(slice(0, 2))
    uploads = [
        ("first.png", png(images[0]), "image/png"),
        ("broken.png", b"not an image", "image/png"),
        ("empty.jpg", b"", "image/jpeg"),
        ("second.png", png(images[1]), "image/png"),
    ]
    app.file_uploader[0].set_value(uploads).run()
    assert not app.exception
    assert [unescaped(error.value).split()[0] for error in app.error] == ["broken.png", "empty.jpg"]
    captions = [unescaped(caption.value) for caption in app.caption]
    assert "first.png, 8×8 pixels" in captions
    assert "second.png, 8×8 pixels" in captions
    answers = [text.value for text in app.markdown if text.value.startswith("**")]
    assert answers[0].startswith(f"**{labels[0]}**")


def test_the_table_of_answers_has_as_many_cells_in_each_row_as_in_its_header() -> None:
    few, many = (
        SimpleNamespace(run=SimpleNamespace(id=f"of-{n}"), data=SimpleNamespace(classes=tuple(map(str, range(n)))))
        for n in (3, 10)
    )
    said = [np.full(3, 1 / 3), np.full(10, 0.1)]
    one = SimpleNamespace(name="a.png", width=8, height=8, probabilities=said)
    head, *rows = csv.reader(io.StringIO(table_csv([one], [few, many], [None, None])))  # type: ignore[arg-type,list-item]
    assert [len(row) for row in rows] == [len(head)] * 2
    assert [dict(zip(head, row, strict=True))["class 5"] == "" for row in rows] == [True, False]


def test_validation_images_can_be_tried_without_any_file(open_page: OpenPage, trained_run: Run) -> None:
    app = open_page("predict", trained_run.folder.parent, run=trained_run.id)
    app.segmented_control(key="how").set_value("Samples").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert table["Image"].tolist()[0] == "none of its classes (palace)"
    assert table["Out of distribution"].tolist()[0] == "yes"
    right = [
        name == f"{answer} (validation image)" for name, answer in zip(table["Image"], table["Class"], strict=True)
    ]
    assert (len(table), sum(right) >= 7) == (11, True), "a network that knows nine of ten"
    assert any(caption.value == MIDDLE_SEEN for caption in app.caption)
    assert not app.info, "there are samples of its classes"


@pytest.mark.slow
def test_without_data_the_samples_are_pictures_of_the_networks_classes_with_their_credits(open_page: OpenPage) -> None:
    app = open_page("predict", run="minigooglenet-cifar10")
    app.segmented_control(key="how").set_value("Samples").run()
    assert not app.exception
    table = app.dataframe[0].value
    rows = table[table["Image"].str.partition(" (")[0] == table["Class"]]
    assert len(rows) >= 7, "it knows nine of ten"
    assert "none of its classes (palace)" in table["Image"].tolist()
    told = next(item.value for item in app.markdown if "https://commons.wikimedia.org" in item.value)
    assert "Bernard Spragg, public domain" in told
    assert "[CC BY 2.5](https://creativecommons.org/licenses/by/2.5/)" in told


def test_a_cat_shown_to_a_network_of_digits_is_warned_of_at_once(open_page: OpenPage, trained_run: Run) -> None:
    app = open_page("predict", trained_run.folder.parent, run=trained_run.id)
    cat = next(sample for sample in all_samples() if "cat" in sample.classes)
    digit = png(datasets.load("digits").test_images[0])
    app.file_uploader[0].set_value([("cat.jpg", cat.read(), "image/jpeg"), ("digit.png", digit, "image/png")]).run()
    assert not app.exception
    (warning,) = app.warning
    assert "unlike the training images: do not trust the answer" in warning.value
    assert any(item.value == MIDDLE_SEEN for item in app.caption)
    assert any(item.value == "What the network sees: 32×32 pixels" for item in app.caption), "the digit is square"


def test_what_is_seen_of_a_photograph_can_be_chosen_and_moved(open_page: OpenPage, trained_run: Run) -> None:
    cat = next(sample for sample in all_samples() if "cat" in sample.classes)
    app = open_page("predict", trained_run.folder.parent, run=trained_run.id)
    app.file_uploader[0].set_value([("cat.jpg", cat.read(), "image/jpeg")]).run()

    def told() -> tuple[str, str]:
        (seen,) = (item.value for item in app.caption if item.value.startswith("What the network sees"))
        return seen, next(item.value for item in app.markdown if item.value.startswith("**"))

    said = {told()}
    slider = next(one for one in app.slider if one.label == "Where the square lies")
    slider.set_value(0.0).run()
    assert "a part of 213×213" in told()[0]
    assert app.query_params["place"] == "0.0"
    said.add(told())
    for fit, words in (("pad", "with black bars"), ("squash", "squeezed"), ("crops", "2 more beside it, averaged")):
        next(one for one in app.selectbox if "not square" in one.label).set_value(fit).run()
        assert not app.exception
        assert words in told()[0]
        assert not [one for one in app.slider if one.label == "Where the square lies"]
        said.add(told())
    assert len(said) == 5


def test_a_network_without_a_reference_offers_to_prepare_it(
    open_page: OpenPage, trained_run: Run, tmp_path: Path
) -> None:
    run = Run(Path(shutil.copytree(trained_run.folder, tmp_path / "runs" / trained_run.id)))
    (run.folder / REFERENCE_FILE).unlink()
    app = open_page("predict", run.folder.parent, run=run.id)
    app.file_uploader[0].set_value([("one.png", png(datasets.load("digits").test_images[0]), "image/png")]).run()
    assert not app.exception
    assert "Prepare" in [button.label for button in app.button]
    assert not app.warning


def test_an_image_of_the_data_set_is_explained_by_its_address(open_page: OpenPage, trained_run: Run) -> None:
    folder = trained_run.folder.parent
    app = open_page("predict", folder, run=trained_run.id, split="test", image="7")
    assert not app.exception
    label = datasets.load("digits").test_labels[7]
    assert any(item.value.startswith(f"Test image 7 of Digits: **{label}**") for item in app.markdown)
    assert any("Grad-CAM" in item.value for item in app.caption), "it is open"
    for query in ({"split": "test", "image": "360"}, {"split": "moon", "image": "1"}, {"split": "test", "image": "-1"}):
        app = open_page("predict", folder, run=trained_run.id, **query)
        assert not app.exception
        assert len(app.error) == 1
        assert app.file_uploader, "other images can be asked about"


def test_each_method_explains_a_class_and_says_whether_its_picture_explains_anything(
    open_page: OpenPage, trained_run: Run
) -> None:
    query = {"run": trained_run.id, "split": "test", "image": "7"}
    app = open_page("predict", trained_run.folder.parent, method="integrated-gradients", **{"class": "3"}, **query)
    assert not app.exception
    assert control(app.segmented_control, "method").value == "integrated-gradients"
    assert control(app.selectbox, "class").value == "3"
    assert any(item.value.startswith("Integrated gradients (Sundararajan") for item in app.caption)
    assert any("The attributions sum to" in item.value for item in [*app.caption, *app.warning])
    control(app.selectbox, "class").set_value("likeliest").run()
    assert "class" not in app.query_params, "it is the most probable again, of whatever image"
    control(app.segmented_control, "method").set_value("edges").run()
    app.session_state["randomized image 0"] = True
    app.session_state["removal image 0"] = True
    app.run()
    assert not app.exception
    assert any("explains nothing" in item.value for item in app.warning), "it is the same with any weights"
    assert any(item.value.startswith("**Deletion**: area") for item in app.markdown)
    control(app.segmented_control, "method").set_value("cam").run()
    assert not app.exception
    (refused,) = app.error
    assert "global average pooling" in refused.value
    assert "cam" in app.query_params["method"]


def test_a_cell_of_the_confusion_matrix_is_chosen_by_its_address_and_by_boxes(
    open_page: OpenPage, trained_run: Run
) -> None:
    kept = kept_evaluation(trained_run) or evaluate(load_classifier(trained_run))
    confusion = np.array(kept.confusion)
    wrong = confusion - np.diag(np.diag(confusion))
    true, guess = (int(place) for place in np.unravel_index(wrong.argmax(), wrong.shape))
    app = open_page("evaluate", trained_run.folder.parent, run=trained_run.id, section="Confusion")
    assert any(f"{true} taken for {guess}, {wrong.max()} image" in item.value for item in app.caption)
    control(app.selectbox, "true").set_value(str(true)).run()
    assert app.subheader[0].value.startswith(f"{true}, recognised: {confusion[true][true]} image")
    control(app.selectbox, "predicted").set_value(str(guess)).run()
    assert app.subheader[0].value.startswith(f"{true}, taken for {guess}: {wrong.max()} image")
    assert [app.query_params[name][0] for name in ("true", "predicted")] == [str(true), str(guess)]
    app = open_page(
        "evaluate",
        trained_run.folder.parent,
        run=trained_run.id,
        section="Confusion",
        true=str(true),
        predicted=str(guess),
    )
    assert app.subheader[0].value.startswith(f"{true}, taken for {guess}: {wrong.max()} image")


def test_compare_shows_ones_own_best_run_beside_the_literature(open_page: OpenPage, trained_run: Run) -> None:
    best = trained_run.best_epoch()
    assert best is not None
    app = open_page("compare", trained_run.folder.parent)
    table = app.dataframe[0].value.set_index("Network")
    assert table.loc["MiniVGGNet", "Your best, validation"] == f"{best['validation_accuracy']:.1%} · Digits"
    assert table.loc["MiniVGGNet", "Literature"] == "82.0% rank-1 · CIFAR-10"
    assert table.loc["Network in Network", "Your best, validation"] == "–"


def test_compare_says_what_it_cannot_read_in_its_address_and_shows_the_rest(open_page: OpenPage) -> None:
    app = open_page("compare", network=["lenet", "vgg16:depth=3", "nin"])
    assert not app.exception
    assert ["lenet" in unescaped(app.error[0].value), "depth" in unescaped(app.error[1].value)] == [True, True]
    assert list(app.dataframe[0].value["Network"]) == ["Network in Network"]


@pytest.mark.parametrize("page", ["runs", "compare_runs", "architectures", "datasets", "generalization"])
def test_what_a_table_does_not_know_is_a_dash(open_page: OpenPage, trained_run: Run, tmp_path: Path, page: str) -> None:
    folder = tmp_path / "runs"
    for name in ("minivggnet-digits-20261101-120000", "minivggnet-digits-20261101-120001"):
        run = Run(shutil.copytree(trained_run.folder, folder / name))
    (run.folder / "history.jsonl").unlink()
    run.relabel(name="never began")
    ids = ",".join(path.name for path in folder.iterdir())
    app = open_page(page, folder, runs=ids)
    app.session_state["all"] = True
    app.run()
    assert not app.exception
    with_gaps = [table for table in app.dataframe if table.value.isna().any(axis=None)]
    assert with_gaps or page not in ("runs", "compare_runs")
    assert {table.proto.placeholder for table in with_gaps} <= {"–"}


def test_time_at_work_is_said_in_minutes_and_sorted_by_length(open_page: OpenPage, trained_run: Run) -> None:
    app = open_page("runs", trained_run.folder.parent)
    (work,) = app.dataframe[0].value["At work"]
    assert work.total_seconds() == pytest.approx(trained_run.status().worked, abs=1)


def test_a_run_in_a_select_box_is_its_name_and_its_accuracy_first(
    open_page: OpenPage, trained_run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "runs"
    long = "deeper, with a name that is longer than any box to select from is wide"
    for number, name in enumerate(("named", "", "", long)):
        run = Run(shutil.copytree(trained_run.folder, folder / f"minivggnet-digits-20261101-12000{number}"))
        run.relabel(name=name)
    best = trained_run.best_epoch()
    assert best is not None
    accuracy = f"{best['validation_accuracy']:.1%}"
    app = open_page("evaluate", folder)
    options = app.selectbox[0].options
    assert f"named, {accuracy}" in options
    assert len(set(options)) == len(options), "two runs must not read alike"
    assert all(len(option) <= 62 for option in options)
    assert any(option.endswith("· 20261101-120001") for option in options), "without a name, by when it was made"
