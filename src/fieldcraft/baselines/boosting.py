"""Boosting: histogram gradient-boosted trees, grown until held-out samples stop improving or the time is up.

Source: Friedman 2001 and Ke et al. 2017 (LightGBM), as in scikit-learn's HistGradientBoosting.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from fieldcraft.baselines.deadline import Deadline
from fieldcraft.baselines.fitted import Features, Fitted, Rows
from fieldcraft.baselines.folds import (
    FITS_OF_FOLDS,
    Trial,
    Trials,
    is_small,
    keep,
    make_trials,
    sample_words,
    subsample,
)
from fieldcraft.baselines.judge import held_loss, one_class, pick
from fieldcraft.records.facts import Task
from fieldcraft.records.streams import stream_seed


@dataclass(frozen=True)
class Setting:
    """One way to grow."""

    rate: float
    leaves: int
    least_leaf: int


SETTINGS = (Setting(0.1, 31, 20), Setting(0.05, 8, 10), Setting(0.05, 63, 20))
TREES = 3_000
"""Rounds, at most."""
TUNED_TREES, TUNING_SHARE = 300, 0.5
"""Rounds on which settings are told apart, and the share of the time for that; the best one is then grown on."""
FIRST_TREES = 10
PATIENCE = 2
"""Growth steps without improvement."""
PROBE_TREES = 3
WANTED_TREES = 50
"""A sample is affordable when so many rounds of it fit into the time."""
FIRST_SAMPLE = 500
HOPELESS = 2.0
"""Times its share of the time that the first rounds may take before they are not begun."""
FEWEST_COLUMNS, FIRST_SHARE = 64, 0.5
"""Where that is too long: least columns to look at instead, and the share of the time for the first rounds on them."""
PROBED_COLUMNS = 1_024
"""Of wider samples, those that a tree is timed on."""
FOLDED_CELLS = 200_000
"""Numbers, times the trees of a round, up to which cross-validation is worth its time."""
FIXED_CELLS = 4_000_000
"""Numbers that are looked at when no time is given."""
MANY_COLUMNS = 256
"""From here on columns are taken for pixels: coarser bins and a fifth of the columns a split, several times faster."""


@dataclass(frozen=True, eq=False)
class _Grown:
    estimators: tuple[Any, ...]
    """One a trial, at the best number of rounds."""
    loss: float
    trees: int
    stalled: bool
    """Whether held-out samples stopped improving."""
    in_time: bool
    """Whether the time did not end it."""
    seconds: float
    losses: tuple[float, ...] = ()
    """Of each trial, whose mean the loss is."""


def fit_boosting(
    features: Features,
    targets: Rows,
    task: Task,
    outputs: int,
    *,
    deadline: Deadline,
    seed: int,
    groups: Rows | None,
    validation: tuple[Features, Rows] | None,
) -> Fitted:
    """Tune and fit one estimator (one a label or target) on as many samples as the time allows."""
    total, width = features.shape
    columns = _columns(targets, task, outputs)
    if deadline.timed and width > MANY_COLUMNS:
        allowed = deadline.left
        least = least_seconds(features, targets, task, outputs, deadline, seed)
        if least > HOPELESS * allowed:
            why = f"the first rounds on all {width:,} numbers would take {least:.1f} s, and it may take {allowed:.1f} s"
            seen = _affordable_columns(features, targets, task, outputs, deadline, seed)
            if not seen:
                return _not_grown(features, targets, task, outputs, why)
            held = None if validation is None else (validation[0][:, seen], validation[1])
            fewer = fit_boosting(
                features[:, seen], targets, task, outputs, deadline=deadline, seed=seed, groups=groups, validation=held
            )
            note = f"on {len(seen)} numbers a sample, evenly apart: {why}; {fewer.note}"
            return replace(fewer, note=note, columns=tuple(seen))
    size, slack = affordable(features, targets, task, deadline.share(1 / len(columns)), seed)
    work = features.size * (outputs if task == "single-label" else 1)
    cross_validate = size == total and is_small(features) and work <= FOLDED_CELLS and slack >= FITS_OF_FOLDS
    kept = keep(features, targets, groups, validation, size, seed)
    trials = make_trials(kept, cross_validate=cross_validate, seed=seed)
    fitted = [
        _fit_one(kept.features, kept.targets, trials, task, column, deadline.share(1 / (len(columns) - index)), seed)
        for index, column in enumerate(columns)
    ]
    note = "; ".join((trials.words, *dict.fromkeys(note for _, note, _ in fitted)))
    return Fitted(
        "boosting", tuple(one for one, _, _ in fitted), sample_words(size, total), note, task, outputs,
        folds=trials.each_fold([losses for _, _, losses in fitted]),
    )  # fmt: skip


def _affordable_columns(
    features: Features, targets: Rows, task: Task, outputs: int, deadline: Deadline, seed: int
) -> list[int]:
    """Columns, evenly apart, of which the first rounds take a small part of the time; none where even few are too many.

    Neighbouring pixels say much the same, so that a grid of them keeps most of what trees could use.
    """
    count = MANY_COLUMNS
    while count >= FEWEST_COLUMNS:
        seen = np.linspace(0, features.shape[1] - 1, count).round().astype(int).tolist()
        if least_seconds(features[:, seen], targets, task, outputs, deadline, seed) <= FIRST_SHARE * deadline.left:
            return [int(one) for one in seen]
        count //= 2
    return []


def _columns(targets: Rows, task: Task, outputs: int) -> tuple[int | None, ...]:
    """Of the targets, those that get an estimator of their own; None: one for all there is."""
    return (None,) if task == "single-label" or targets.ndim == 1 else tuple(range(outputs))


def _not_grown(features: Features, targets: Rows, task: Task, outputs: int, why: str) -> Fitted:
    """Class shares or means, whatever the sample."""
    total = len(features)
    constant = tuple(
        (DummyRegressor() if task == "regression" else DummyClassifier(strategy="prior")).fit(
            features, pick(targets, column)
        )
        for column in _columns(targets, task, outputs)
    )
    return Fitted("boosting", constant, sample_words(total, total), f"not grown: {why}", task, outputs)


def least_seconds(features: Features, targets: Rows, task: Task, outputs: int, deadline: Deadline, seed: int) -> float:
    """What probing and the first few rounds cost together, from one tree: a round grows one for each class.

    Of more than `PROBED_COLUMNS` columns the tree looks at so many; the time goes with their number.
    """
    kept = subsample(targets, min(len(features), FIRST_SAMPLE), seed)
    first = pick(targets, None if targets.ndim == 1 else 0)[kept]
    width = features.shape[1]
    some = features[kept, : min(width, PROBED_COLUMNS)]
    start = deadline.now()
    tree = _estimator(SETTINGS[0], "regression", width, seed)
    tree.set_params(max_iter=1).fit(some, first.astype(np.float64))
    trees = 1 if task == "single-label" and outputs == 2 else outputs
    seconds = deadline.now() - start
    times: float = max(1.0, width / PROBED_COLUMNS) * trees * 2 * PROBE_TREES
    return seconds * times


def affordable(features: Features, targets: Rows, task: Task, deadline: Deadline, seed: int) -> tuple[int, float]:
    """Samples of which `WANTED_TREES` rounds can be grown in time, from fits on two sizes; and how many times over.

    Without a deadline: as many as make `FIXED_CELLS` numbers.
    """
    total, width = features.shape
    if not deadline.timed:
        return max(min(total, FIRST_SAMPLE), min(total, FIXED_CELLS // width)), float("inf")
    small, large = min(total, FIRST_SAMPLE), min(total, 4 * FIRST_SAMPLE)
    allowed = 0.8 * deadline.left / WANTED_TREES
    fast = _seconds_a_round(features, targets, task, small, deadline, seed)
    if small == total:
        return total, allowed / fast
    slow = _seconds_a_round(features, targets, task, large, deadline, seed)
    slope = max(slow - fast, 0.1 * slow) / (large - small)
    whole = slow + slope * (total - large)
    return (total, allowed / whole) if whole <= allowed else (max(small, int(large + (allowed - slow) / slope)), 1.0)


def _seconds_a_round(features: Features, targets: Rows, task: Task, size: int, deadline: Deadline, seed: int) -> float:
    start = deadline.now()
    probe(features, targets, task, size, seed)
    return max(deadline.now() - start, 1e-6) / PROBE_TREES


def probe(features: Features, targets: Rows, task: Task, size: int, seed: int) -> None:
    """A quick fit on a sample, to be timed."""
    kept = subsample(targets, size, seed)
    first = pick(targets, None if targets.ndim == 1 else 0)[kept]
    if not one_class(first, task):
        estimator = _estimator(SETTINGS[0], task, features.shape[1], seed)
        estimator.set_params(max_iter=PROBE_TREES).fit(features[kept], first)


def _estimator(setting: Setting, task: Task, width: int, seed: int) -> Any:
    kind = HistGradientBoostingRegressor if task == "regression" else HistGradientBoostingClassifier
    many = width > MANY_COLUMNS
    return kind(
        learning_rate=setting.rate,
        max_leaf_nodes=setting.leaves,
        min_samples_leaf=setting.least_leaf,
        max_bins=32 if many else 255,
        max_features=0.2 if many else 1.0,
        early_stopping=False,
        warm_start=True,
        random_state=stream_seed(seed, "boosting") % 2**32,
    )


def _fit_one(
    features: Features, targets: Rows, trials: Trials, task: Task, column: int | None, deadline: Deadline, seed: int
) -> tuple[Any, str, tuple[float, ...]]:
    """The estimator, a note on it, and its loss on the held-out samples of each trial."""
    mine = pick(targets, column)
    if one_class(mine, task):
        return DummyClassifier(strategy="prior").fit(features, mine), "a class that has no rival is constant", ()
    usable = [trial for trial in trials.trials if not one_class(pick(trial.targets, column), task)]
    setting, grown = _tune(usable, task, column, deadline.share(0.75 if trials.again else 1), seed)
    estimator = grown.estimators[-1] if grown.estimators else _estimator(setting, task, features.shape[1], seed)
    if trials.again:
        estimator = _estimator(setting, task, features.shape[1], seed)
        estimator.set_params(max_iter=grown.trees).fit(features, mine)
    note = f"{grown.trees} rounds at rate {setting.rate} with {setting.leaves} leaves"
    return estimator, note if grown.in_time else f"{note}; stopped at its share of the time", grown.losses


def _tune(trials: list[Trial], task: Task, column: int | None, deadline: Deadline, seed: int) -> tuple[Setting, _Grown]:
    """The best setting, grown on; the next one is tried only when those before it ended in time, with time to spare."""
    tuning, few = deadline.share(TUNING_SHARE), min(TUNED_TREES, TREES)
    setting, grown = SETTINGS[0], _grow(_fresh(SETTINGS[0], trials, task, seed), trials, task, column, tuning, few)
    for other in SETTINGS[1:]:
        if not grown.in_time or tuning.left < grown.seconds:
            break
        tried = _grow(_fresh(other, trials, task, seed), trials, task, column, tuning, few)
        if tried.loss < grown.loss:
            setting, grown = other, tried
    done = grown.stalled or deadline.over
    return setting, grown if done else _grow(grown, trials, task, column, deadline, TREES)


def _fresh(setting: Setting, trials: list[Trial], task: Task, seed: int) -> _Grown:
    """Nothing grown yet."""
    estimators = tuple(_estimator(setting, task, trial.features.shape[1], seed) for trial in trials)
    return _Grown(estimators, np.inf, 0, False, True, 0.0)


def _grow(begun: _Grown, trials: list[Trial], task: Task, column: int | None, deadline: Deadline, most: int) -> _Grown:
    """Go on from what was grown, up to so many rounds."""
    if not trials:
        return replace(begun, trees=FIRST_TREES, stalled=True)
    start = deadline.now()
    running = copy.deepcopy(begun.estimators)
    best, worse, in_time = begun, 0, True
    trees, step = begun.trees, min(_first_step(deadline), most - begun.trees)
    while trees < most and worse < PATIENCE:
        began = deadline.now()
        trees += step
        losses = []
        for estimator, trial in zip(running, trials, strict=True):
            estimator.set_params(max_iter=trees).fit(trial.features, pick(trial.targets, column))
            losses.append(held_loss(estimator, trial.held_features, pick(trial.held_targets, column), task))
        loss = float(np.mean(losses))
        if loss < best.loss or not best.trees:
            # A loss that is not a number is as bad as none.
            best, worse = replace(best, estimators=copy.deepcopy(running), loss=min(best.loss, loss), trees=trees), 0
            best = replace(best, losses=tuple(losses))
        else:
            worse += 1
        seconds_each = (deadline.now() - began) / step
        step = min(max(FIRST_TREES, trees // 3), most - trees)
        if deadline.timed and seconds_each > 0:
            step = min(step, int(deadline.left / seconds_each))
        if step < 1:
            in_time = trees >= most or worse == PATIENCE
            break
    return replace(best, stalled=worse == PATIENCE, in_time=in_time, seconds=begun.seconds + deadline.now() - start)


def _first_step(deadline: Deadline) -> int:
    return 3 if deadline.timed else FIRST_TREES
