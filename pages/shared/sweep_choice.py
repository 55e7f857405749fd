"""What a sweep is to search and how, as controls; and what they say, as one value."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import streamlit as st

from cnnlab.experiments.experiment import Experiment
from cnnlab.experiments.recipe import FLAT_FIELDS, settings_of
from cnnlab.runs.sweeps.overview import SEARCH_TITLES
from cnnlab.runs.sweeps.planning import budget_of
from cnnlab.runs.sweeps.record import SearchName
from cnnlab.runs.sweeps.rules import RULE_TITLES, Stopping
from cnnlab.runs.sweeps.space import Values, left_out, read_values
from pages.shared.settings import names_of, setting_title

NEW_SWEEP = "new"
"""What an address asks for that leads to the form of a sweep."""
SWEEP_ROWS = 4
MOST_NAMES = 60
PLACEHOLDERS = {
    "learning_rate": "0.1, 0.01 or 0.0001..0.1",
    "weight_decay": "0, 0.0005 or 0.00001..0.01",
    "batch_size": "32, 64, 128 or 16..256",
    "milestones": "26:0.001; 26:0.001,36:0.0001",
}
VALUES_HELP = (
    "Values with commas between them, or a range as LOW..HIGH for a random or Bayesian search. A range whose higher "
    "end is ten times the lower or more is searched on a logarithmic scale."
)
SEARCH_HELP = (
    "Grid: every combination. Random: drawn one by one. Bayesian: each is chosen by what the others have reached "
    "(Optuna's tree-structured Parzen estimator), so one is made when another ends."
)
RULE_HELP = (
    "ASHA (Li et al., 2020) trains each trial a little; whoever is among the best one in so many of those that came as "
    "far goes on, so many times as far. Successive halving waits for all before it lets the best go on. The median "
    "rule (Golovin et al., 2017) stops a trial that is below what the others had on average."
)


@dataclass(frozen=True)
class SweepChoice:
    """`texts` are the settings to search with what was typed for them; without any there is no sweep. `trials` is None
    for a grid, which has all of its combinations."""

    texts: Mapping[str, str] = field(default_factory=dict)
    search: SearchName = "grid"
    trials: int | None = None
    stopping: Stopping = field(default_factory=Stopping)

    def values(self, experiment: Experiment) -> dict[str, Values]:
        """What is searched; UserError where a text says nothing that can be."""
        return read_values(self.texts, experiment)

    def count(self, experiment: Experiment) -> int:
        """How many runs there will be; UserError where there cannot be so many."""
        return budget_of(experiment, self.values(experiment), self.search, self.trials) if self.texts else 1

    def command(self, training: str, name: str) -> str:
        """The command that starts the same from a terminal, by that of the training which it varies."""
        if not self.texts:
            return training
        words = ["--values", *(f"{one}={text.replace(' ', '')}" for one, text in self.texts.items())]
        if self.search != "grid":
            words += ["--search", self.search, "--trials", str(self.trials)]
        if self.stopping.rule != "none":
            words += ["--stop", self.stopping.rule, "--min-epochs", str(self.stopping.min_epochs)]
        if self.stopping.by_rungs:
            words += ["--factor", str(self.stopping.factor)]
        words += ["--group", name] if name else []
        return f"{training.replace(' train ', ' sweep ', 1)} {shlex.join(words)}"

    def left_out(self, experiment: Experiment) -> str:
        """What some trials leave out, in a sentence; empty where none does."""
        return left_out(self.values(experiment), settings_of(experiment.recipe)) if self.texts else ""


def sweep_choice(options: Sequence[str]) -> SweepChoice:
    """Settings, or options of the architecture, with what to try of each; how they are searched, and the rule that
    stops early."""
    st.caption("Search settings in many trainings. Each trial is a run of its own, in the queue like any other.")
    texts: dict[str, str] = {}
    for row in range(SWEEP_ROWS):
        left, right = st.columns([1, 2])
        name = left.selectbox(
            "Setting",
            ["", *FLAT_FIELDS, *options],
            format_func=lambda name: setting_title(name) if name else "–",
            key=f"sweep {row}",
        )
        names = ", ".join(names_of(name))
        placeholder = PLACEHOLDERS.get(name, names[:MOST_NAMES] or "0.1, 0.03, 0.01")
        text = right.text_input(
            "Values", placeholder=placeholder, key=f"sweep values {row}", disabled=not name, help=VALUES_HELP
        )
        if name and text.strip():
            texts[name] = text
    left, right = st.columns(2)
    search: SearchName = left.selectbox(
        "Search", list(SEARCH_TITLES), format_func=SEARCH_TITLES.__getitem__, key="sweep search", help=SEARCH_HELP
    )
    trials = right.number_input(
        "Trials",
        value=20,
        min_value=1,
        step=1,
        key="sweep trials",
        disabled=search == "grid",
        help="A grid has all of its combinations.",
    )
    return SweepChoice(texts, search, None if search == "grid" else int(trials), stopping_choice())


def stopping_choice() -> Stopping:
    """The rule that stops early, with its settings."""
    place, left, right = st.columns(3, vertical_alignment="bottom")
    rule = place.selectbox(
        "Stop early", list(RULE_TITLES), format_func=RULE_TITLES.__getitem__, key="sweep rule", help=RULE_HELP
    )
    least = left.number_input(
        "First judged at epoch",
        value=1,
        min_value=1,
        step=1,
        key="sweep epochs",
        disabled=rule == "none",
    )
    factor = right.number_input(
        "One in … goes on",
        value=3,
        min_value=2,
        max_value=16,
        step=1,
        key="sweep factor",
        disabled=rule not in ("asha", "halving"),
    )
    return Stopping(rule=rule, min_epochs=int(least), factor=int(factor))
