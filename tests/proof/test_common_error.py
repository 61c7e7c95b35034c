"""What differences of pairs have in common, where it is known."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proof.proofs import journal, setting

from fieldcraft.proof.common_error import BLOCKS, overlap, packed, unpacked
from fieldcraft.proof.pairing import Both, pairs_of
from fieldcraft.proof.verdict import verdicts
from fieldcraft.records.proof import Outcome

ASSUMED = 0.25
SAMPLES, FOLD = 640, 128


def pairs(gain: np.ndarray, count: int, seed: int, noise: float = 1.0) -> list[Both]:
    """Pairs of which each sample of a fold gains what it always gains, and noise of that pair; folds drawn anew."""
    drawn = np.random.default_rng(seed)
    on, off, shares = [], [], []
    for _ in range(count):
        fold = drawn.permutation(SAMPLES)[:FOLD]
        gained = gain[fold] + noise * drawn.standard_normal(FOLD)
        share = np.zeros(BLOCKS)
        np.add.at(share, fold % BLOCKS, (gained - gained.mean()) / FOLD)
        on.append(0.5 + float(gained.mean()))
        off.append(0.5)
        shares.append(share)
    ended = list(journal(off, dropout=on))
    kept = [packed(share) for share in shares]
    with_blocks = [
        replace(one, blocks=packed(np.zeros(BLOCKS)) if one.trial.arm.kind == "base" else kept[one.trial.pair])
        for one in ended
    ]
    return list(pairs_of(setting(), with_blocks, "confirm", factor="dropout"))


def spread(some: list[Both]) -> float:
    return float(np.std([one.on.score - one.off.score for one in some], ddof=1))  # type: ignore[operator]


def test_it_is_the_variance_of_what_samples_always_gain() -> None:
    """Means of two folds have the covariance var(gain) / samples; it is given once more for what is trained on."""
    gain = np.random.default_rng(1).standard_normal(SAMPLES) * 0.6
    found = [overlap(some := pairs(gain, 24, seed), spread(some), ASSUMED) for seed in range(40)]
    variance_of_one = (gain.var() * (1 - FOLD / SAMPLES) + 1) / FOLD
    assert np.mean(found) == pytest.approx(2 * gain.var() / SAMPLES / variance_of_one, rel=0.1)


def test_noise_of_each_pair_alone_is_no_common_error() -> None:
    found = [overlap(some := pairs(np.zeros(SAMPLES), 12, seed), spread(some), ASSUMED) for seed in range(40)]
    assert np.mean(found) < 0.02


def test_it_is_never_more_than_assumed_and_assumed_where_nothing_was_kept() -> None:
    many = pairs(np.random.default_rng(1).standard_normal(SAMPLES), 6, 0, noise=0.01)
    assert overlap(many, 1e-9, ASSUMED) == ASSUMED
    without = [replace(many[0], on=replace(many[0].on, blocks="")), *many[1:]]
    assert overlap(without, spread(many), ASSUMED) == ASSUMED
    assert overlap(many[:1], 1.0, ASSUMED) == overlap([], 1.0, ASSUMED) == overlap(many, 0.0, ASSUMED) == ASSUMED


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=BLOCKS, max_size=BLOCKS))
def test_blocks_come_back_from_a_journal(values: list[float]) -> None:
    found = unpacked(packed(np.array(values)))
    assert found is not None and found.tolist() == values


@pytest.mark.parametrize("text", ["", "?", "AAAA", packed(np.full(BLOCKS, np.nan)), packed(np.zeros(3))])
def test_what_is_no_blocks_is_none(text: str) -> None:
    assert unpacked(text) is None


def test_a_verdict_sees_it_in_the_pairs_of_its_last_look() -> None:
    asked = replace(setting(), overlap=ASSUMED)
    some = pairs(np.zeros(SAMPLES), 9, 0)
    ended: list[Outcome] = [end for both in some for end in (both.base, both.changed)]
    found = next(one for one in verdicts(asked, ended) if one.factor == "dropout")
    assert found.effect is not None and found.effect.pairs == 8
    assert found.overlap == overlap(some[:8], spread(some[:8]), ASSUMED) < ASSUMED
    in_turn = next(one for one in verdicts(replace(asked, folds=4), ended) if one.factor == "dropout")
    assert in_turn.overlap == ASSUMED
