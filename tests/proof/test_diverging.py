import numpy as np
import pytest
from tests.proof.proofs import journal, setting

from fieldcraft.proof.diverging import beyond_doubt, further_pairs, more_often
from fieldcraft.proof.pairing import Both, pairs_of


def pairs(base: list[float | None], changed: list[float | None]) -> tuple[Both, ...]:
    return pairs_of(setting(), list(journal(base, dropout=changed)), "confirm", factor="dropout")


def test_either_arm_can_be_the_one_that_diverges() -> None:
    well, badly = [0.8] * 9, [None] * 9
    assert more_often(pairs(well, badly), 0.01) == 1
    assert more_often(pairs(badly, well), 0.01) == -1
    assert more_often(pairs(badly, badly), 0.01) == more_often(pairs(well, well), 0.01) == 0


def test_what_was_beyond_doubt_stays() -> None:
    changed = [None] * 9 + [0.8] * 40
    assert more_often(pairs([0.8] * 49, changed), 0.01) == 1


def test_foretold_pairs_are_those_that_it_takes() -> None:
    missing = further_pairs(pairs([0.8] * 3, [None] * 3), 0.01)
    assert more_often(pairs([0.8] * (3 + missing), [None] * (3 + missing)), 0.01) == 1
    assert more_often(pairs([0.8] * (2 + missing), [None] * (2 + missing)), 0.01) == 0


@pytest.mark.parametrize("chance", [0.1, 0.25])
def test_false_alarms_are_rarer_than_alpha(chance: float) -> None:
    """5,000 rows of 100 pairs: the share of rows that ever raise an alarm is at most alpha, within four errors."""
    alpha, rows = 0.05, 5_000
    only_one = np.random.default_rng(1).random((rows, 100)) < chance
    seen = only_one.cumsum(axis=1)
    alarms = np.zeros(rows, dtype=bool)
    for n in range(1, 101):
        counts = np.arange(n + 1)
        doubtless = np.array([beyond_doubt(int(count), n, alpha) for count in counts])
        alarms |= doubtless[seen[:, n - 1]]
    assert alarms.mean() <= alpha + 4 * (alpha / rows) ** 0.5
