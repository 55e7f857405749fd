"""Numbers in a chapter's prose that are computed: {{parameters vgg16}} stands for 138,357,544."""

from __future__ import annotations

import re
from collections.abc import Callable

from cnnlab.architectures.comparison import Candidate
from cnnlab.errors import UserError
from cnnlab.evaluation import Evaluation, kept_evaluation
from cnnlab.lecture.course.language import Language
from cnnlab.network import Network, analysis
from cnnlab.runs.run import Run
from cnnlab.zoo.shipped import SHIPPED_RUNS, shipped_names

VALUE = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")
Measure = Callable[[Network, str, Language], str]


def filled(line: str, language: Language) -> str:
    """The line with its values; UserError where one cannot be computed."""
    return VALUE.sub(lambda found: value(found[1], language), line)


def value(asked: str, language: Language) -> str:
    measure, _, rest = asked.partition(" ")
    of, _, part = rest.strip().partition(" ")
    if measure in OF_NETWORKS:
        network = Candidate.parse(of).network()
        try:
            return OF_NETWORKS[measure](network, part.strip(), language)
        except KeyError:
            raise UserError(f"{network.name} has no layer or module {part.strip()!r}.") from None
    if measure in OF_RUNS:
        if of not in shipped_names():
            raise UserError(f"There is no {of!r} that comes with cnnlab; there are {', '.join(shipped_names())}.")
        return OF_RUNS[measure](Run(SHIPPED_RUNS / of), language)
    raise UserError(f"{{{{{asked}}}}} is not known; there are {', '.join((*OF_NETWORKS, *OF_RUNS))}.")


def total(network: Network, part: str, name: str) -> int:
    """Of a layer, a module, or the whole network."""
    nodes = [node for node in network.layers if part in ("", node.name, node.module)]
    if not nodes:
        raise KeyError(part)
    return sum(int(getattr(node, name)) for node in nodes)


def counted(name: str) -> Measure:
    return lambda network, part, language: language.count(total(network, part, name))


def share(network: Network, part: str, language: Language) -> str:
    return language.percent(total(network, part, "parameters") / network.parameters)


OF_NETWORKS: dict[str, Measure] = {
    "parameters": counted("parameters"),
    "trainable": counted("trainable"),
    "non_trainable": counted("non_trainable"),
    "multiply_adds": counted("multiply_adds"),
    "share": share,
    "field": lambda network, part, language: language.count(analysis.receptive_fields(network)[part][0]),
    "shape": lambda network, part, language: language.text(network[part].output_shape),
    "weight_layers": lambda network, part, language: language.count(analysis.weight_layers(network)),
}


def evaluated(run: Run, tta: str = "plain") -> Evaluation:
    found = kept_evaluation(run, tta="mirror" if tta == "mirror" else "plain")
    if found is None:
        raise UserError(f"{run.id} has no evaluation on test images.")
    return found


OF_RUNS: dict[str, Callable[[Run, Language], str]] = {
    "accuracy": lambda run, language: language.real(evaluated(run).accuracy, 4),
    "top5": lambda run, language: language.real(evaluated(run).top5_accuracy, 4),
    "accuracy_mirrored": lambda run, language: language.real(evaluated(run, "mirror").accuracy, 4),
    "epochs": lambda run, language: language.count(run.config.experiment.recipe.epochs),
}
