from itertools import takewhile

import numpy as np
import pytest
from scipy.stats import norm, t

from fieldcraft.proof import crossing
from fieldcraft.proof.looks import FIRST, JOINT_UNTIL, bound, last_look, level, looks, next_look, spent

SHOWN = [3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80]


def test_the_looks_go_on_without_end() -> None:
    assert list(takewhile(lambda look: look <= 80, looks())) == SHOWN
    assert [last_look(n) for n in (0, 2, 3, 7, 8, 9, 1000)] == [0, 0, 3, 6, 8, 8, 768]
    assert [next_look(n) for n in (0, 3, 6, 64)] == [3, 4, 8, 80]


def test_alpha_is_never_spent_altogether() -> None:
    shares = [spent(look) for look in takewhile(lambda look: look < 10**6, looks())]
    assert shares == sorted(shares) and shares[0] > 0 and shares[-1] < 1
    assert shares[-1] == pytest.approx(1, abs=1e-4)


def test_the_first_look_is_a_plain_t_test() -> None:
    for alpha in (0.05, 0.05 / 8, 0.05 / 32):
        assert level(alpha, FIRST) == pytest.approx(alpha * spent(FIRST), rel=2e-3)
        assert bound(alpha, FIRST) == pytest.approx(t.isf(alpha * spent(FIRST) / 2, FIRST - 1), rel=2e-3)


def test_levels_lie_between_what_is_newly_spent_and_alpha() -> None:
    before = 0.0
    for look in takewhile(lambda look: look <= JOINT_UNTIL, looks()):
        new, before = spent(look) - before, spent(look)
        assert 0.05 * new * 0.999 <= level(0.05, look) <= 0.05


def test_less_alpha_never_makes_an_interval_narrower() -> None:
    alphas = 0.05 / np.arange(1, 40)
    for look in takewhile(lambda look: look <= 80, looks()):
        assert np.all(np.diff([bound(alpha, look) for alpha in alphas]) > 0)


@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_chance_of_crossing_against_simulated_pairs(alpha: float) -> None:
    """The slow reference: normal differences, as many as 100,000 proofs; counts within four standard errors."""
    proofs, last = 100_000, 24
    drawn = np.random.default_rng(7)
    total, squares = np.zeros(proofs), np.zeros(proofs)
    crossed = np.zeros(proofs, dtype=bool)
    for n in range(1, last + 1):
        values = 3.0 * drawn.standard_normal(proofs)
        total, squares = total + values, squares + values**2
        if last_look(n) == n:
            statistic = total / n**0.5 / np.sqrt((squares - total**2 / n) / (n - 1))
            crossed |= np.abs(statistic) > bound(alpha, n)
            expected = alpha * spent(n)
            assert crossed.mean() == pytest.approx(expected, abs=4 * (expected / proofs) ** 0.5)


def test_without_bounds_the_chain_keeps_the_law_of_t() -> None:
    mass = crossing.start()
    for n in range(3, 20):
        mass = crossing.step(mass, n)
    beyond = np.cumsum(mass[::-1])[::-1]
    scores = crossing.EDGES
    for cell in np.flatnonzero((scores > 0) & (scores < 4)):
        assert -0.005 < beyond[cell] / (2 * norm.sf(scores[cell])) - 1 < 0.025  # wide rather than narrow
    assert mass.sum() == pytest.approx(1)
