"""Change the network so that ...: conditions that a network from the page Design has to hold."""

from __future__ import annotations

from collections.abc import Callable

from cnnlab.errors import UserError
from cnnlab.lecture.course.block import Drawn, title_of
from cnnlab.lecture.course.language import Fact, Phrase
from cnnlab.lecture.exercises.question import DesignCondition, Question
from cnnlab.network import Network
from cnnlab.network.analysis import receptive_fields, weight_layers
from cnnlab.network.layers import Concatenate, Dense, shape_text


def last_field(network: Network) -> int:
    """The receptive field of the last feature maps, in height; 0 where there are none."""
    maps = [node.name for node in network.layers if len(node.output_shape) == 3]
    return receptive_fields(network)[maps[-1]][0] if maps else 0


MEASURES: dict[str, Callable[[Network], int]] = {
    "parameters": lambda network: network.parameters,
    "multiply_adds": lambda network: network.multiply_adds,
    "field": last_field,
    "weight_layers": weight_layers,
    "classes": lambda network: network.classes,
    "dense_layers": lambda network: sum(isinstance(node.layer, Dense) for node in network.layers),
    "joins": lambda network: sum(isinstance(node.layer, Concatenate) for node in network.layers),
}
RELATIONS: dict[str, Callable[[int, int], bool]] = {
    "at_most": lambda is_, limit: is_ <= limit,
    "at_least": lambda is_, limit: is_ >= limit,
    "exactly": lambda is_, limit: is_ == limit,
}


def design(drawn: Drawn) -> Question:
    """A task for the designer: `at_most: parameters 1000000`, `at_least: …`, `exactly: …`, any number of them."""
    line, begins = drawn.one("begin")
    start = drawn.network_of(begins, line)
    conditions = [input_kept(start), *limits(drawn)]
    if len(conditions) < 2:
        raise UserError(f"a task for the designer needs a line “{'”, “'.join(RELATIONS)}”")
    line, solution = drawn.one("solution")
    solved = drawn.network_of(solution, line)
    if missed := [one for one in conditions if not one.holds(solved)]:
        raise drawn.block.error(f"the solution does not hold: {missed[0].key} {dict(missed[0].facts)}", line)
    if all(one.holds(start) for one in conditions):
        raise drawn.block.error("the network that one begins with holds all already", line)
    facts: dict[str, Fact] = {"begins": title_of(start), "solution": f"`{solution.replace(';', ', ')}`"}
    facts |= {"parameters": start.parameters, "multiply_adds": start.multiply_adds, "field": last_field(start)}
    return Question(
        "network", "design", "design", facts, solution.replace(";", ","), conditions=tuple(conditions), begins=begins
    )


def input_kept(start: Network) -> DesignCondition:
    return DesignCondition(
        "design_input",
        {"input": start.input_shape},
        lambda network: network.input_shape == start.input_shape,
        lambda network: shape_text(network.input_shape),
    )


def limits(drawn: Drawn) -> list[DesignCondition]:
    found = []
    for relation in RELATIONS:
        for line, text in drawn.lines(relation):
            name, _, number = text.partition(" ")
            if name not in MEASURES or not number.strip().isdigit():
                raise drawn.block.error(f"{text!r} is no limit; it is written as parameters 1000000", line)
            found.append(limit_of(relation, name, int(number)))
    return found


def limit_of(relation: str, name: str, limit: int) -> DesignCondition:
    holds, measure = RELATIONS[relation], MEASURES[name]
    facts: dict[str, Fact] = {"measure": Phrase(f"measure_{name}"), "limit": limit}
    return DesignCondition(f"design_{relation}", facts, lambda network: holds(measure(network), limit), measure)
