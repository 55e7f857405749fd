"""The command that explains an answer about an image, and says whether the explanation is one."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cnnlab import runs
from cnnlab.cli.output import checkpoint_of, echo, print_json, print_table
from cnnlab.datasets.unpacking import file_bytes
from cnnlab.errors import UserError
from cnnlab.zoo import catalogue as networks

if TYPE_CHECKING:
    from cnnlab.inference.attribution_checks import RandomizationTest, RemovalCurve
    from cnnlab.inference.saliency import Attribution

OPACITY, SIDE = 0.8, 448
MOST_NAMED = 20


def class_number(classes: Sequence[str], name: str) -> int:
    """The class of that name; UserError where there is none."""
    if name in classes:
        return list(classes).index(name)
    more = f" and {len(classes) - MOST_NAMED} more" if len(classes) > MOST_NAMED else ""
    raise UserError(f"There is no class {name!r}; there are {', '.join(classes[:MOST_NAMED])}{more}.")


def explain_image(options: argparse.Namespace) -> int:
    if options.out and Path(options.out).suffix.lower() != ".png":
        raise UserError(f"--out takes the name of a PNG file, as why.png, not {options.out!r}.")
    run = networks.find(options.run, runs.runs_folder(options.runs_dir))
    label = None if options.label is None else class_number(run.data.classes, options.label)

    from cnnlab.datasets.images import read_image
    from cnnlab.inference.attribution_checks import randomization_of, removal_curves
    from cnnlab.inference.attribution_pictures import beside
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.inference.probe import Probe
    from cnnlab.inference.saliency import attribute

    image = read_image(file_bytes(Path(options.image)), options.image)
    classifier = load_classifier(run, checkpoint_of(options.checkpoint))
    (way,) = classifier.data.preprocessing.framed(options.fit)
    inputs = way.fit(image)
    probe = Probe(classifier)
    if label is None:
        label = int(classifier.function(inputs[None]).numpy()[0].argmax())
    probability = probe.probability(inputs, label)
    found = attribute(probe, inputs, label, options.method)
    deletion, insertion = removal_curves(probe, inputs, label, found.values)
    test = randomization_of(classifier, inputs, label, options.method)
    if options.out:
        try:
            beside(inputs, found, OPACITY, SIDE).save(options.out, "PNG")
        except OSError as error:
            raise UserError(f"{options.out} cannot be written: {error.strerror or error}.") from error
    name = classifier.data.classes[label]
    if options.json:
        print_json(record(run.id, options.image, name, probability, found, deletion, insertion, test))
    else:
        echo(f"{run.id}, {options.image}: {name} {probability:.1%}, explained by {options.method}")
        print_checks(found, deletion, insertion, test)
        if options.out:
            echo(f"Written: {options.out}")
    return 0


def print_checks(found: Attribution, deletion: RemovalCurve, insertion: RemovalCurve, test: RandomizationTest) -> None:
    from cnnlab.inference.attribution_checks import VERDICTS

    if found.completeness is not None:
        whole = found.completeness
        print(
            f"completeness {'holds' if whole.holds else 'does not hold'}: sum {whole.total:.4g}, difference of the "
            f"probabilities {whole.difference:.4g}, {whole.error:.2%} apart after {whole.steps} steps"
        )
    print(
        f"deletion area {deletion.area:.3f}, random order {deletion.random_area:.3f} (smaller is better)\n"
        f"insertion area {insertion.area:.3f}, random order {insertion.random_area:.3f} (larger is better)\n"
    )
    print_table(
        ("random weights down to", "layers", "rank correlation", "without sign"),
        [(one.lowest, str(one.layers), f"{one.similarity:.2f}", f"{one.without_sign:.2f}") for one in test.stages],
        right=(1, 2, 3),
    )
    print(VERDICTS[test.verdict])


def record(
    run: str,
    image: str,
    name: str,
    probability: float,
    found: Attribution,
    deletion: RemovalCurve,
    insertion: RemovalCurve,
    test: RandomizationTest,
) -> dict[str, object]:
    whole = found.completeness
    return {
        "run": run,
        "image": image,
        "class": name,
        "probability": probability,
        "method": found.method,
        "completeness": None
        if whole is None
        else {
            "sum": whole.total,
            "difference": whole.difference,
            "steps": whole.steps,
            "error": whole.error,
            "holds": whole.holds,
        },
        "deletion": {"area": deletion.area, "random_area": deletion.random_area},
        "insertion": {"area": insertion.area, "random_area": insertion.random_area},
        "randomization": [
            {
                "layers": one.layers,
                "lowest": one.lowest,
                "rank_correlation": one.similarity,
                "without_sign": one.without_sign,
            }
            for one in test.stages
        ],
        "verdict": test.verdict,
    }
