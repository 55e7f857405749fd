"""Which variable holds what in a script: x for the stream, a name of its own for each branch and head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from keyword import iskeyword

from cnnlab.keras.repeats import ScriptStep, is_input
from cnnlab.network.layers import Add

RESERVED = ("keras", "layers", "tf", "inputs", "outputs", "name")
"""What a script uses these names for."""


def variables(
    steps: Sequence[ScriptStep], outputs: Sequence[str], entry: str = "", taken: Sequence[str] = ()
) -> dict[str, str]:
    """The variable that holds the tensor of each step, by its layer; x holds the `entry` of a function.

    A variable is taken again as soon as what it holds is not needed any more.
    """
    stream, branches = stream_steps(steps, outputs[0], entry), branch_names(steps, entry)
    last_use = {name: place for place, step in enumerate(steps) for name in (step.output, *step.inputs)}
    last_use |= dict.fromkeys(outputs, len(steps))
    needed_until = dict.fromkeys((*RESERVED, *taken), len(steps))
    chosen = {}
    if entry:
        chosen[entry] = "x"
        needed_until["x"] = last_use[entry]
    for place, step in enumerate(steps):
        if is_input(step):
            chosen[step.output] = "inputs"
            continue
        variable = "x" if step.output in stream else branches[step.output]
        while needed_until.get(variable, 0) > place or iskeyword(variable):
            variable += "_"
        needed_until[variable] = last_use[step.output]
        chosen[step.output] = variable
    return chosen


def stream_steps(steps: Sequence[ScriptStep], output: str, entry: str) -> set[str]:
    """The layers that every way to the main output passes: no edge of such a way leads around them."""
    needed = {output}
    for step in reversed(steps):
        if step.output in needed:
            needed.update(step.inputs)
    ways = [step for step in steps if step.output in needed]
    last_use = {name: place for place, step in enumerate(ways) for name in (step.output, *step.inputs)}
    stream, reach = set(), last_use.get(entry, 0)
    for place, step in enumerate(ways):
        if reach <= place:
            stream.add(step.output)
        reach = max(reach, last_use[step.output])
    return stream


def branch_names(steps: Sequence[ScriptStep], entry: str) -> dict[str, str]:
    """A short name for each step: what the steps of its chain have in common beyond their module's name.

    inception_3a_3x3_reduce and inception_3a_3x3, one after the other, are "b3x3" both; a head has its module's name.
    What is added to what enters a function is its "residual".
    """
    consumers = Counter(name for step in steps for name in step.inputs)
    chains: dict[str, list[ScriptStep]] = {}
    for step in steps:
        goes_on = len(step.inputs) == 1 and consumers[step.inputs[0]] == 1 and step.inputs[0] in chains
        chain = chains[step.inputs[0]] if goes_on else []
        chain.append(step)
        chains[step.output] = chain
    other = ""
    if entry:
        other = "residual" if any(isinstance(step.what, Add) for step in steps) else "branch"
    return {name: branch_name(chain, other) for name, chain in chains.items()}


def branch_name(chain: list[ScriptStep], other: str) -> str:
    """`other` is the name of a chain whose steps have none in common; else it is that of the module."""
    words = zip(*(step.name.split("_") for step in chain), strict=False)
    shared = "_".join(column[0] for column in takewhile(lambda column: len(set(column)) == 1, words))
    module = chain[0].module
    if other:
        short = shared.strip("_") or other
    else:
        short = (shared or chain[-1].name).removeprefix(module).strip("_") or module
    short = re.sub(r"\W", "_", short)
    return short if short[0].isalpha() else f"b{short}"
