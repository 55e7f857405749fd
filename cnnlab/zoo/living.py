"""A shipped network at work on photographs that come with cnnlab, kept so that Home shows it without TensorFlow.

`python -m cnnlab.zoo.living` computes it anew and writes `assets/at-work.json`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from cnnlab.network import Network
from cnnlab.network.diagram import Answer, AtWork, arranged, picture
from cnnlab.network.scene import nested
from cnnlab.resources import ASSETS, CHECKOUT
from cnnlab.runs.run import Run
from cnnlab.zoo.samples import all_samples
from cnnlab.zoo.shipped import SHIPPED_RUNS

NETWORK = "minigooglenet-cifar10"
PICTURES = ("cat.jpg", "fighter.jpg", "dog.jpg", "moose.jpg")
FILE = ASSETS / "at-work.json"


@dataclass(frozen=True)
class LivingImage:
    """The network at one picture: the picture's title, and what stands on the landscape."""

    title: str
    at_work: AtWork


def moments() -> list[LivingImage]:
    """What is kept, in order."""
    return [
        LivingImage(
            kept["title"],
            AtWork(kept["faces"], tuple(Answer(head, tuple(map(tuple, said))) for head, said in kept["answers"])),
        )
        for kept in json.loads(FILE.read_text(encoding="utf-8"))
    ]


def network() -> Network:
    """The network that is shown; read from its record."""
    return Network.from_json((SHIPPED_RUNS / NETWORK / "network.json").read_text(encoding="utf-8"))


def title() -> str:
    """The network and what it was trained on."""
    run = Run(SHIPPED_RUNS / NETWORK)
    return f"{run.config.experiment.title}, trained on {run.data.title}"


def drawings() -> dict[str, Any]:
    """JSON for the browser: which network it is, the size, and of each moment its title and its picture as nested
    elements."""
    shown = network()
    made = [(moment.title, arranged(shown, (), moment.at_work), moment.at_work) for moment in moments()]
    return {
        "network": title(),
        "width": max(one.width for _, one, _ in made),
        "height": max(one.height for _, one, _ in made),
        "moments": [{"title": title, "drawing": nested(picture(one, work))} for title, one, work in made],
    }


def computed() -> list[LivingImage]:
    """The same, asked of the network; loads TensorFlow."""
    from cnnlab.datasets.images import read_image
    from cnnlab.inference.activations import of_classifier
    from cnnlab.inference.classifier import load_classifier
    from cnnlab.plots.faces import at_work

    model = of_classifier(load_classifier(Run(SHIPPED_RUNS / NETWORK)))
    samples = {sample.file: sample for sample in all_samples()}
    found = []
    for name in PICTURES:
        sample = samples[name]
        inputs = model.preprocessing.fit(read_image(sample.read(), name))
        found.append(LivingImage(sample.title, at_work(model.activations(inputs), (), model.classes)))
    return found


def write() -> None:
    kept = [
        {
            "title": moment.title,
            "faces": moment.at_work.faces,
            "answers": [list(asdict(answer).values()) for answer in moment.at_work.answers],
        }
        for moment in computed()
    ]
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    import sys

    if CHECKOUT is None:
        sys.exit("The picture is made in a checkout of cnnlab; this one is installed.")
    write()
    print(FILE)
