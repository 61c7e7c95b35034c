"""When a proof looks, and an interval that holds at all its looks together, for few pairs and an unknown spread.

Looks are after 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, ... pairs, without end: a budget that is extended needs no other
rule. Of alpha, the share (1 - 2 / n)^3 is spent until n pairs: hardly anything at three, where a t interval is hopeless
anyway, a half until ten. The level of each look's t interval is such that the chance of having missed the truth at any
look so far is just what is spent, by the joint law of the t statistics (`crossing`). After 64 pairs each look gets
what is newly spent as its level, which is a little wide and needs no joint law.

Chosen against a union bound over the same looks (up to a sixth wider) and against the scale-invariant mixture of t
tests that may be looked at after every pair (Lai 1976; Perez-Ortiz et al., arXiv:2208.07610; Wang and Ramdas,
arXiv:2310.03722), which is wider from 6 pairs on for every prior that was tried. `benchmarks/proof_method.py` has the
widths. The price: nothing is decided between looks.
Source of spending: Lan and DeMets 1983. It hurts when differences have heavy tails: t intervals of few pairs rely on
differences that are about normal.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import count, takewhile

from scipy.stats import t

from fieldcraft.proof.crossing import Numbers, cut, start, step

FIRST = 3
"""Pairs at the first look."""
JOINT_UNTIL = 64
"""The last look of which the level is from the joint law."""


def looks() -> Iterator[int]:
    """Numbers of pairs at which a proof looks; endless."""
    yield FIRST
    for doubling in count():
        yield from (4 * 2**doubling, 5 * 2**doubling, 6 * 2**doubling)


def last_look(pairs: int) -> int:
    """The last look that so many pairs have reached; 0 before the first."""
    return max(takewhile(lambda look: look <= pairs, looks()), default=0)


def next_look(pairs: int) -> int:
    """The first look with more pairs than that."""
    return next(look for look in looks() if look > pairs)


def spent(look: int) -> float:
    """Share of alpha that is spent up to and with a look."""
    return (1 - 2 / look) ** 3 if look else 0.0


@lru_cache(maxsize=4096)
def _reached(alpha: float, look: int) -> tuple[float, Numbers]:
    """Level of a look, and the mass of t statistics that have crossed no bound up to it."""
    before = last_look(look - 1)
    if before:
        _, mass = _reached(alpha, before)
        for n in range(before, look):
            mass = step(mass, n)
    else:
        mass = start()
    return cut(mass, alpha * (spent(look) - spent(before)))


def level(alpha: float, look: int) -> float:
    """Two-sided level of the plain t interval at a look, such that all looks together miss with a chance of alpha."""
    if look > JOINT_UNTIL:
        return alpha * (spent(look) - spent(last_look(look - 1)))
    return _reached(alpha, look)[0]


@lru_cache(maxsize=4096)
def bound(alpha: float, look: int, observations: int | None = None) -> float:
    """How far the t statistic of a look may be from 0 before alpha is against it.

    `observations`: how many differences its spread is taken for, when that is less than there are pairs.
    """
    return float(t.isf(level(alpha, look) / 2, (observations or look) - 1))
