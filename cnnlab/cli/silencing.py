"""The command that tells what silencing channels costs a network."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from cnnlab import runs, units
from cnnlab.cli.output import checkpoint_of, echo, print_json, print_table
from cnnlab.errors import UserError
from cnnlab.zoo import catalogue as networks


def silence_network(options: argparse.Namespace) -> int:
    from cnnlab.cli.data import Bar
    from cnnlab.evaluation.silencing import silencing_effect
    from cnnlab.inference.classifier import load_classifier

    if not options.silence:
        raise UserError("--silence is missing: what to silence, as LAYER or LAYER:CHANNELS.")
    run = networks.find(options.network, runs.runs_folder(options.runs_dir))
    classifier = load_classifier(run, checkpoint_of(options.checkpoint))
    with Bar() as progress:
        effect = silencing_effect(classifier, options.split, options.silence, progress)
    difference = effect.accuracy_after - effect.accuracy_before
    if options.json:
        print_json(
            {
                **effect.model_dump(),
                "images": effect.images,
                "accuracy_before": effect.accuracy_before,
                "accuracy_after": effect.accuracy_after,
                "difference": difference,
                "losing": [{**asdict(one), "lost": one.lost} for one in effect.losing],
            }
        )
        return 0
    echo(f"{run.id}, checkpoint after epoch {effect.epoch:g}, silenced: {', '.join(options.silence)}")
    echo(f"{effect.dataset}, {effect.split} split, {effect.images:,} images")
    print(
        f"accuracy {effect.accuracy_before:.2%} with all on, {effect.accuracy_after:.2%} silenced: "
        f"{100 * difference:+.2f} points; {effect.changed:,} answers changed"
    )
    if effect.losing:
        print()
        print_table(
            ("class", "images", "all on", "silenced", "lost"),
            [
                (one.name, f"{one.images:,}", *map(units.percent, (one.share_before, one.share_after, one.lost)))
                for one in effect.losing
            ],
            right=(1, 2, 3, 4),
        )
    return 0
