"""The benchmark of the method in small: its claims, with the error of the simulation."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import proof_method as method

PROOFS = 4_000
ALPHA = 0.05
ERROR = 4 * (ALPHA * (1 - ALPHA) / PROOFS) ** 0.5
"""Four standard errors of a share of alpha."""


@pytest.mark.parametrize("kind", ["normal", "counted", "common_error", "new_folds_and_seeds", "five_folds_in_turn"])
def test_no_more_than_alpha_is_missed_at_any_look(kind: str) -> None:
    found = method.misses(PROOFS, ALPHA)[kind]
    assert found["by_32"]["share"] <= ALPHA + ERROR  # type: ignore[index]


def test_without_the_correction_much_more_is_missed() -> None:
    found = method.misses(PROOFS, ALPHA)["common_error_uncorrected"]
    assert found["by_32"]["share"] > 5 * ALPHA  # type: ignore[index]


def test_a_t_test_after_every_pair_finds_effects_that_are_not_there() -> None:
    nothing = method.naive(PROOFS)[0]["t_test_after_every_pair"]
    ours = method.power(PROOFS, 1, 0.0)[0]
    assert nothing["paid"]["share"] + nothing["hurt"]["share"] > 4 * ALPHA  # type: ignore[index]
    assert ours["paid"]["by_32"]["share"] + ours["hurt"]["share"] <= ALPHA + ERROR  # type: ignore[index]


def test_the_interval_is_the_narrowest_from_six_pairs_on() -> None:
    for row in method.widths(ALPHA):
        others = [half for name, half in row.items() if name.startswith(("union", "mixture")) and half is not None]
        assert row["pairs"] < 6 or row["proof"] < min(others)  # type: ignore[operator]
        assert row["fixed_n"] < row["proof"]  # type: ignore[operator]


def test_whole_journals_say_nothing_wrong() -> None:
    found = method.proofs(4, 8, 0.0)
    assert found["any_wrong_paid_or_hurt_at_any_look"]["share"] <= 0.25  # type: ignore[index]
    assert found["poison_found"]["share"] == 1  # type: ignore[index]


def test_the_mixture_is_a_fair_bet() -> None:
    """Its evidence has mean 1 while there is nothing to find, so that its bound is what it is said to be."""
    drawn = np.random.default_rng(0).standard_normal((100_000, 6))
    statistic = drawn.mean(axis=1) / drawn.std(axis=1, ddof=1) * 6**0.5
    beyond = float((np.abs(statistic) > method.mixture_bound(6, ALPHA, 1.0)).mean())
    assert 0 < beyond < ALPHA
