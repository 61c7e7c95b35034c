"""Which factors to confirm first: main effects of all of them from the rows of a screening that ran.

Least squares with one level for each pair (seed and fold) and one effect for each factor. Errors come from what is left
over; there interactions hide as well, so they are rather too large than too small. Nothing is excluded here: effects
are averages over plans in which half of the factors are off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from fieldcraft.records.proof import Interaction, Outcome, Ranked, Setting

Table = NDArray[np.float64]
Lost = Literal["worst", "drop"]
"""A diverged row counts as the worst score that was seen in the screening, or it is left out of the fit."""
SHOWN = 5
"""Aliases that are named; of the others the number is said."""
SEEN = 0.05
"""Chance of seeing an interaction where there is none, shared over all that can be told apart."""
MOST_INTERACTIONS = 3
TINY = 1e-8


@dataclass(frozen=True)
class Ranking:
    """Factors from the one to confirm first, and what else the screening showed."""

    ranked: tuple[Ranked, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Rows:
    """What is fitted: scores where more is better, +1 or -1 for each factor, and indicators of the pairs."""

    scores: Table
    levels: Table
    pairs: Table


def rank(setting: Setting, outcomes: Sequence[Outcome], lost: Lost = "drop") -> Ranking:
    """Main effects (on minus off, positive is better), largest first; empty before two rows of a screening ran.

    Rows that diverged or failed are left out of the fit and noted. Taking a diverged row for the worst score of the
    others (`lost="worst"`) was tried: what two factors do together then hides what single ones do, and far fewer of
    the factors that matter came to the front (benchmarks/proof_design.py). Only a factor with which, or without which,
    every row diverged leads the ranking.
    """
    rows = [one for one in outcomes if one.trial.stage == "screen"]
    scored = [one for one in rows if one.score is not None and not one.diverged]
    if len(scored) < 2:
        return Ranking(notes=_lost_notes(setting, rows, lost))
    sign = 1.0 if setting.higher_is_better else -1.0
    worst = min(sign * one.score for one in scored if one.score is not None)
    diverged = [one for one in rows if one.diverged and lost == "worst"]
    fitted = _rows(
        setting, [*scored, *diverged], [*(sign * (one.score or 0.0) for one in scored), *[worst] * len(diverged)]
    )
    found = _ranking(setting, fitted, _lost_notes(setting, rows, lost))
    first = _breaking(setting, rows)
    return replace(found, ranked=tuple(sorted(found.ranked, key=lambda one: one.factor not in first)))


def _breaking(setting: Setting, rows: Sequence[Outcome]) -> tuple[str, ...]:
    """Factors with which every row diverged, or without which every row did, and not so the other way round."""

    def broke(name: str, on: bool) -> bool:
        there = [one.diverged for one in rows if (name in one.trial.arm.on) == on]
        return bool(there) and all(there)

    return tuple(name for name in setting.factors if broke(name, True) != broke(name, False))


def _rows(setting: Setting, outcomes: Sequence[Outcome], scores: Sequence[float]) -> _Rows:
    levels = np.array([[1.0 if name in one.trial.arm.on else -1.0 for name in setting.factors] for one in outcomes])
    numbers = sorted({one.trial.pair for one in outcomes})
    pairs = np.array([[float(one.trial.pair == number) for number in numbers] for one in outcomes])
    return _Rows(np.array(scores), levels, pairs)


def _ranking(setting: Setting, rows: _Rows, notes: tuple[str, ...]) -> Ranking:
    names, count = setting.factors, rows.pairs.shape[1]
    design = np.hstack([rows.pairs, rows.levels])
    inverse = np.linalg.pinv(design, rtol=TINY)
    fitted = inverse @ rows.scores
    left = rows.scores - design @ fitted
    freedom = len(rows.scores) - round(float(np.trace(inverse @ design)))
    variance = float(left @ left) / freedom if freedom > 0 else None
    effects = 2 * fitted[count:]
    couples = list(combinations(range(len(names)), 2))
    products = np.array([rows.levels[:, a] * rows.levels[:, b] for a, b in couples]).T.reshape(len(left), -1)
    mixed = (inverse @ products)[count:]
    confounded = (inverse @ design)[count:, count:]
    spread = np.sqrt(np.diag(inverse @ inverse.T))[count:]
    told_apart = [bool(abs(confounded[place, place] - 1) < TINY) for place in range(len(names))]
    ranked = [
        Ranked(
            factor=name,
            effect=float(effects[place]),
            error=2 * sqrt(variance) * float(spread[place]) if variance is not None and told_apart[place] else None,
            aliases=_aliases(place, names, effects, confounded[place], mixed[place], couples),
        )
        for place, name in enumerate(names)
    ]
    lost = tuple(name for name, apart in zip(names, told_apart, strict=True) if not apart)
    if lost:
        notes = (*notes, f"too few rows ran to tell these from other factors: {', '.join(lost)}.")
    if freedom <= 0:
        notes = (*notes, "the screening leaves nothing over to judge its own error by.")
    order = sorted(range(len(names)), key=lambda place: (-abs(effects[place]), place))
    seen = _interactions(names, effects, products, design @ inverse, left, freedom, couples)
    return Ranking(tuple(ranked[place] for place in order), seen, notes)


def _aliases(
    place: int,
    names: Sequence[str],
    effects: Table,
    confounded: Table,
    mixed: Table,
    couples: Sequence[tuple[int, int]],
) -> tuple[str, ...]:
    """What an effect cannot be told from: other factors first, then interactions of factors that did much."""
    mains = [other for other in range(len(names)) if other != place and abs(confounded[other]) > TINY]
    likely = [
        (abs(mixed[one]) * sqrt(abs(effects[a] * effects[b])), one)
        for one, (a, b) in enumerate(couples)
        if abs(mixed[one]) > TINY
    ]
    likely.sort(key=lambda pair: (-pair[0], pair[1]))
    written = [names[other] for other in mains]
    written += [f"{names[couples[one][0]]} × {names[couples[one][1]]}" for _, one in likely]
    return (*written[:SHOWN], *([f"and {len(written) - SHOWN} more"] if len(written) > SHOWN else []))


def _interactions(
    names: Sequence[str],
    effects: Table,
    products: Table,
    hat: Table,
    left: Table,
    freedom: int,
    couples: Sequence[tuple[int, int]],
) -> tuple[Interaction, ...]:
    """Forward selection from what main effects and pairs leave over.

    An effect is half of what the other factor changes in the effect of the one.

    Of interactions that share a column the one whose factors did most is named, the others are in its note.
    """
    columns = products - hat @ products
    lengths = np.sqrt((columns**2).sum(axis=0))
    usable = [one for one in range(len(couples)) if lengths[one] > 1e-3 * sqrt(len(left))]
    if not usable or freedom < 2:
        return ()
    units = columns[:, usable] / lengths[usable]
    strings = len(np.unique(np.round(units * np.where(_leading(units) < 0, -1, 1), 6), axis=1).T)
    found: list[Interaction] = []
    while len(found) < MOST_INTERACTIONS and freedom - 1 >= 1:
        along = units.T @ left
        best = int(np.argmax(np.abs(along)))
        rest = float(left @ left) - float(along[best]) ** 2
        error = sqrt(max(rest, 0.0) / (freedom - 1))
        if (
            abs(along[best]) <= TINY
            or 2 * stats.t.sf(abs(along[best]) / max(error, 1e-300), freedom - 1) > SEEN / strings
        ):
            break
        same = [usable[one] for one in range(len(usable)) if abs(float(units[:, one] @ units[:, best])) > 1 - 1e-6]
        same.sort(key=lambda one: -abs(effects[couples[one][0]] * effects[couples[one][1]]))
        named, scale = couples[same[0]], lengths[same[0]]
        turn = 1.0 if float(columns[:, same[0]] @ units[:, best]) > 0 else -1.0
        others = [f"{names[couples[one][0]]} × {names[couples[one][1]]}" for one in same[1:]]
        found.append(
            Interaction(
                factors=(names[named[0]], names[named[1]]),
                effect=2 * turn * float(along[best]) / scale,
                error=2 * error / scale,
                note=_same_column(others),
            )
        )
        direction = units[:, best].copy()
        left = left - along[best] * direction
        units = units - np.outer(direction, direction @ units)
        sizes = np.sqrt((units**2).sum(axis=0))
        units = np.where(sizes > 1e-3, units / np.maximum(sizes, 1e-3), 0.0)
        freedom -= 1
    return tuple(found)


def _leading(units: Table) -> Table:
    """The first entry of each column that is not zero, so that columns of opposite sign count once."""
    first: Table = units[np.argmax(np.abs(units) > TINY, axis=0), np.arange(units.shape[1])]
    return first


def _same_column(others: Sequence[str]) -> str:
    if not others:
        return ""
    more = f" and {len(others) - SHOWN} more" if len(others) > SHOWN else ""
    return f"this design cannot tell it from {', '.join(others[:SHOWN])}{more}"


def _lost_notes(setting: Setting, rows: Sequence[Outcome], lost: Lost) -> tuple[str, ...]:
    diverged = [one for one in rows if one.diverged]
    failed = [one for one in rows if one.score is None and not one.diverged]
    notes = []
    if diverged:
        on = [name for name in setting.factors if all(name in one.trial.arm.on for one in diverged)]
        off = [name for name in setting.factors if all(name not in one.trial.arm.on for one in diverged)]
        how = "count as the worst score seen" if lost == "worst" else "are left out"
        notes.append(
            f"{len(diverged)} of {len(rows)} screening runs diverged and {how}; on in all of them: "
            f"{', '.join(on) or 'nothing'}; off in all of them: {', '.join(off) or 'nothing'}."
        )
    if failed:
        which = ", ".join(sorted({one.trial.arm.name for one in failed}))
        notes.append(f"{len(failed)} of {len(rows)} screening runs failed and are left out ({which}).")
    return tuple(notes)
