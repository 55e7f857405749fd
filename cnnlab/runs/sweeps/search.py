"""How a sweep searches: the settings of its next trial, and which settings matter.

Grid and random search are functions of the record and the trial's number. Bayesian search is Optuna's tree-structured
Parzen estimator (Bergstra et al., 2011; Watanabe, 2023, arXiv:2304.11127) by ask and tell. The study that it asks is
written anew from the runs each time, with a seed of the trial's own: the runs are the truth, nothing of Optuna's has to
be carried over a kill, and a trial that is waiting at a rung counts with what it has reached so far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnnlab.experiments.recipe import settings_of
from cnnlab.runs.sweeps import space
from cnnlab.runs.sweeps.record import Sweep, SweepRecord
from cnnlab.runs.sweeps.space import Range, Values
from cnnlab.runs.sweeps.trial import Trial
from cnnlab.storage.leftovers import written_aside

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution

JOURNAL_FILE = "optuna.journal"
TRIES = 50
"""How often another setting is asked for where Optuna proposes one that was tried."""
LEAST_TRIALS = 6
BEST_SHARE = 0.5


def next_changes(sweep: Sweep, number: int, trials: Sequence[Trial]) -> dict[str, Any]:
    """The settings that the trial of this number tries; `trials` are those before it."""
    record = sweep.record
    settings = settings_of(record.experiment.recipe)
    if record.search == "bayes":
        return asked(sweep, number, trials)
    lists = space.lists_of(record.space)
    if lists is None:
        return space.at_random(record.space, record.seed, number, settings)
    if record.search == "grid" and not record.stopping.by_rungs:
        return space.combinations(lists, settings=settings)[number - 1]
    # Neighbours of a grid's order would come to a rung one after the other, each better than the last, and all go on.
    return space.shuffled(lists, number, record.seed, settings)[-1]


def asked(sweep: Sweep, number: int, trials: Sequence[Trial]) -> dict[str, Any]:
    """What Optuna proposes after these trials, and as its journal keeps it; one that was tried is asked anew."""
    tried = [dict(trial.changes) for trial in trials]
    proposed: dict[str, Any] = {}
    for attempt in range(TRIES):
        proposed = ask_once(sweep, sweep.record.seed + 1000 * number + attempt, trials)
        if proposed not in tried:
            return proposed
    lists = space.lists_of(sweep.record.space)
    left = space.combinations(lists, settings=settings_of(sweep.record.experiment.recipe)) if lists else []
    return next((one for one in left if one not in tried), proposed)


def ask_once(sweep: Sweep, seed: int, trials: Sequence[Trial]) -> dict[str, Any]:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    quiet()
    record = sweep.record
    with written_aside(sweep.folder / JOURNAL_FILE) as partial:
        lock = JournalFileOpenLock(str(partial))
        study = optuna.create_study(
            storage=JournalStorage(JournalFileBackend(str(partial), lock)),
            study_name=sweep.id,
            sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, group=True),
            direction="maximize",
        )
        study.add_trials([told(trial, record) for trial in trials])
        asking = study.ask()

        def choose(name: str, choices: Values) -> Any:
            if not isinstance(choices, Range):
                return asking.suggest_categorical(name, list(choices))
            low, high = choices.low, choices.high
            if choices.whole:
                return asking.suggest_int(name, int(low), int(high), log=choices.log)
            return choices.written(asking.suggest_float(name, low, high, log=choices.log))

        return space.taken(record.space, settings_of(record.experiment.recipe), choose)


def quiet() -> None:
    """Optuna tells of each trial, and that grouping is experimental; the sweep's page and files tell of it here."""
    import warnings

    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)


def distribution_of(choices: Values) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(choices, Range):
        return CategoricalDistribution(list(choices))
    if choices.whole:
        return IntDistribution(int(choices.low), int(choices.high), log=choices.log)
    return FloatDistribution(choices.low, choices.high, log=choices.log)


def told(trial: Trial, record: SweepRecord) -> optuna.trial.FrozenTrial:
    """A trial as Optuna takes it: complete, at work, or as far as it came."""
    from optuna.trial import TrialState

    best = trial.best
    if trial.state == "completed" and best:
        state = TrialState.COMPLETE
    elif trial.at_work:
        state = TrialState.RUNNING
    else:
        state = TrialState.PRUNED if best else TrialState.FAIL
    reached = {line["epoch"]: line["validation_accuracy"] for line in trial.history}
    return frozen(trial.changes, record.space, state, best["validation_accuracy"] if best else None, reached)


def frozen(
    changes: Mapping[str, Any],
    searched: Mapping[str, Values],
    state: optuna.trial.TrialState,
    value: float | None,
    reached: Mapping[int, float],
) -> optuna.trial.FrozenTrial:
    import optuna

    return optuna.trial.create_trial(
        state=state,
        params=dict(changes),
        distributions={name: distribution_of(searched[name]) for name in changes},
        intermediate_values=dict(reached),
        value=value if state == optuna.trial.TrialState.COMPLETE else None,
    )


def importances(
    searched: Mapping[str, Values], reached: Sequence[tuple[Mapping[str, Any], float]]
) -> dict[str, float] | None:
    """How much each setting matters for being in the better half, in shares that add up to 1, the greatest first.

    `reached` are the settings of trials with the accuracy that each had after the same number of epochs. By PED-ANOVA
    (Watanabe et al., 2023, arXiv:2304.10255), which also takes settings that not every trial has. None where there are
    too few trials to say.
    """
    import optuna
    from optuna.trial import TrialState

    if len(reached) < LEAST_TRIALS or len({value for _, value in reached}) < 2:
        return None
    quiet()
    study = optuna.create_study(direction="maximize")
    study.add_trials([frozen(changes, searched, TrialState.COMPLETE, value, {}) for changes, value in reached])
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    found = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {name: float(share) for name, share in found.items()}
