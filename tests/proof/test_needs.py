from dataclasses import replace

import numpy as np
import pytest

from fieldcraft.proof.interval import half_width
from fieldcraft.proof.looks import last_look
from fieldcraft.proof.needs import chance_decided, expected_decided, further_pairs
from fieldcraft.proof.rules import Rules

RULES = Rules(alpha=0.05, alpha_diverging=0.005, margin=0.5, overlap=0.0)


def test_further_pairs_reach_a_look_at_which_the_effect_would_be_certain() -> None:
    missing = further_pairs(1.0, 1.0, 5, RULES)
    assert missing is not None and last_look(5 + missing) == 5 + missing
    assert half_width(5 + missing, RULES) < 1.0 <= half_width(last_look(5 + missing - 1), RULES)


def test_nought_needs_the_interval_within_the_margin() -> None:
    missing = further_pairs(0.0, 1.0, 5, RULES)
    assert missing is not None and half_width(5 + missing, RULES) <= 0.5
    wider = further_pairs(0.0, 1.0, 5, replace(RULES, margin=0.7))
    assert wider is not None and wider < missing


def test_shared_training_data_can_make_a_word_unreachable() -> None:
    assert further_pairs(1.0, 1.0, 5, replace(RULES, overlap=0.3)) is None
    assert further_pairs(5.0, 1.0, 5, replace(RULES, overlap=0.3)) is not None


def test_chance_of_a_word_grows_with_effect_and_pairs() -> None:
    by_effect = [chance_decided(effect, 1.0, 16, RULES) for effect in (0.6, 1.0, 2.0)]
    by_pairs = [chance_decided(1.0, 1.0, pairs, RULES) for pairs in (2, 4, 8, 16, 32)]
    assert by_effect == sorted(by_effect) and by_pairs == sorted(by_pairs)
    assert by_pairs[0] == 0 and by_pairs[-1] > 0.95


def test_chance_against_simulated_proofs() -> None:
    """The slow reference: one proof after the other; shares within four standard errors of both simulations."""
    drawn = np.random.default_rng(3)
    count, hits = 1_000, 0
    for _ in range(count):
        differences = drawn.normal(1.0, 1.0, 8)
        for look in (3, 4, 5, 6, 8):
            half = half_width(look, RULES) * differences[:look].std(ddof=1)
            value = abs(differences[:look].mean())
            if (value > half and value >= 0.5) or value + half <= 0.5:
                hits += 1
                break
    assert hits / count == pytest.approx(
        chance_decided(1.0, 1.0, 8, RULES), abs=4 * (0.25 / count + 0.25 / 2_000) ** 0.5
    )


def test_expected_words_are_the_sum_of_chances() -> None:
    effects, noises = (0.0, 3.0), (1.0, 1.0)
    found = expected_decided(effects, noises, 16, RULES)
    assert 1 <= found <= 2 and expected_decided((), (), 16, RULES) == 0
