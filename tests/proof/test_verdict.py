from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel
from tests.proof.proofs import journal, outcome, setting

from fieldcraft.proof.looks import FIRST, level
from fieldcraft.proof.rules import rules_of, word
from fieldcraft.proof.verdict import controls, verdicts
from fieldcraft.records.proof import Between, Outcome, Setting, Verdict

OPPOSITE = {"paid": "hurt", "hurt": "paid"}


def of(found: tuple[Verdict, ...], factor: str) -> Verdict:
    return next(one for one in found if one.factor == factor)


def noisy(effect: float, pairs: int, seed: int = 0, noise: float = 0.002) -> tuple[list[float], list[float]]:
    """Scores of a base and of an arm whose mean is that much higher."""
    drawn = np.random.default_rng(seed)
    base = drawn.normal(0.8, 0.02, pairs)
    return base.tolist(), (base + effect + drawn.normal(0, noise, pairs)).tolist()


def test_the_first_look_is_the_paired_t_test_of_scipy() -> None:
    asked = setting()
    base, other = noisy(0.01, FIRST)
    found = of(verdicts(asked, list(journal(base, dropout=other))), "dropout").effect
    assert found is not None and found.pairs == FIRST
    alpha = rules_of(asked, 3).alpha
    reference = ttest_rel(other, base).confidence_interval(1 - level(alpha, FIRST))
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_a_factor_of_the_plan_pays_when_the_plan_is_worse_without_it() -> None:
    base, other = noisy(-0.03, 12)
    found = verdicts(setting(), list(journal(base, smoothing=other, dropout=other)))
    assert [one.word for one in found] == ["paid", "cannot tell yet", "hurt"]
    assert found[0].effect is not None and found[0].effect.value > 0 and min(found[0].differences) > 0
    assert found[1].effect is None and found[1].pairs_needed == FIRST


def test_less_is_better_turns_the_sign() -> None:
    base, other = noisy(-0.03, 12)
    asked = setting(higher_is_better=False, metric="error")
    assert [one.word for one in verdicts(asked, list(journal(base, smoothing=other, dropout=other)))] == [
        "hurt",
        "cannot tell yet",
        "paid",
    ]


def test_small_and_certain_is_no_effect_that_matters() -> None:
    base, other = noisy(0.0001, 16, noise=0.0004)
    found = of(verdicts(setting(), list(journal(base, dropout=other))), "dropout")
    assert found.word == "no effect that matters" and "less than 0.002 either way" in found.because


def test_nothing_counts_between_looks() -> None:
    base, other = noisy(0.01, 7)
    seven, six = (of(verdicts(setting(), list(journal(base[:n], dropout=other[:n]))), "dropout") for n in (7, 6))
    assert seven.effect == six.effect and len(seven.differences) == 7


def test_screening_makes_no_verdicts() -> None:
    base, other = noisy(0.1, 16)
    (found, *_) = verdicts(setting(), list(journal(base, "screen", smoothing=other)))
    assert found.word == "cannot tell yet" and not found.differences


def test_what_ends_early_waits_for_the_pairs_before_it() -> None:
    base, other = noisy(0.1, 8)
    ended = [one for one in journal(base, dropout=other) if (one.trial.arm.kind, one.trial.pair) != ("base", 3)]
    found = of(verdicts(setting(), ended), "dropout")
    assert len(found.differences) == 3
    later = of(verdicts(setting(), [*ended, outcome("base", 3, base[3])]), "dropout")
    assert len(later.differences) == 8


def test_a_repeated_trial_counts_once_with_its_first_score() -> None:
    base, other = noisy(0.1, 3)
    ended = [outcome("dropout", 1, None, error="killed"), *journal(base, dropout=other), outcome("dropout", 1, 0.0)]
    found = of(verdicts(setting(), ended), "dropout")
    assert found.differences == pytest.approx(np.subtract(other, base)) and not found.failed


def test_the_full_budget_outranks_once_it_has_a_word() -> None:
    base, better = noisy(0.03, 12)
    _, worse = noisy(-0.03, 12)
    asked = setting(trial_s={"confirm": 10.0, "full": 60.0}, planned_s=60.0)
    short = list(journal(base, dropout=better))
    found = of(verdicts(asked, [*short, *journal(base[:3], "full", dropout=worse[:3])]), "dropout")
    assert (found.word, found.stage) == ("paid", "confirm") and any("full budget" in note for note in found.notes)
    found = of(verdicts(asked, [*short, *journal(base, "full", dropout=worse)]), "dropout")
    assert (found.word, found.stage, found.trial_s) == ("hurt", "full", 60.0)
    undecided = list(journal(base[:3], dropout=better[:3]))
    found = of(verdicts(asked, [*undecided, *journal(base, "full", dropout=worse)]), "dropout")
    assert (found.word, found.stage) == ("cannot tell yet", "confirm")
    found = of(verdicts(asked, list(journal(base, "full", dropout=worse))), "dropout")
    assert (found.word, found.stage) == ("hurt", "full")


def test_a_short_budget_is_named() -> None:
    base, other = noisy(0.03, 12)
    asked = setting(trial_s={"confirm": 10.0}, planned_s=60.0)
    assert "Holds for trainings of 10 s" in of(verdicts(asked, list(journal(base, dropout=other))), "dropout").notes[0]


def test_diverging_in_every_pair_hurts() -> None:
    base, _ = noisy(0.0, 10)
    found = of(verdicts(setting(), list(journal(base, dropout=[None] * 10))), "dropout")
    assert found.word == "hurt" and len(found.failed) == 10 and "In 10 of 10 pairs only 'with dropout'" in found.because
    found = of(verdicts(setting(), list(journal(base, smoothing=[None] * 10))), "smoothing")
    assert found.word == "paid"
    found = of(verdicts(setting(), list(journal(base[:3], dropout=[None] * 3))), "dropout")
    assert found.word == "cannot tell yet" and found.pairs_needed == 4


def test_a_crash_is_listed_and_decides_nothing() -> None:
    base, _ = noisy(0.0, 10)
    ended = [*journal(base), *(outcome("dropout", pair, None, error="out of memory") for pair in range(10))]
    found = of(verdicts(setting(), ended), "dropout")
    assert found.word == "cannot tell yet" and found.failed[0] == "pair 0: with dropout: out of memory"


def test_a_switch_that_changes_nothing() -> None:
    base, _ = noisy(0.0, 3)
    found = of(verdicts(setting(), list(journal(base, dropout=base))), "dropout")
    assert found.word == "no effect that matters" and "the same in all 3 pairs" in found.because


def test_equal_differences_are_not_precision() -> None:
    scores = [(0.80, 0.85), (0.81, 0.86), (0.79, 0.84)]
    ended = [
        outcome(name, pair, score, n=100)
        for pair, two in enumerate(scores)
        for name, score in zip(("base", "dropout"), two, strict=True)
    ]
    found = of(verdicts(setting(), ended), "dropout")
    assert found.word == "cannot tell yet" and found.effect is not None and found.effect.high - found.effect.low > 0.05


def test_a_training_that_ignores_its_seed_gets_no_word() -> None:
    found = of(verdicts(setting(), list(journal([0.7] * 8, dropout=[0.8] * 8))), "dropout")
    assert found.word == "cannot tell yet" and found.effect is None and found.pairs_needed is None
    assert "no spread to judge by" in found.because and any("ignore the seed" in note for note in found.notes)


def test_less_than_one_sample_does_not_matter() -> None:
    base, other = noisy(0.004, 16, noise=0.0005)
    ended = list(journal(base, dropout=other))
    assert of(verdicts(setting(), ended), "dropout").word == "paid"
    small = [replace(one, n=100) for one in ended]
    assert of(verdicts(setting(), small), "dropout").word == "no effect that matters"


def test_a_few_equal_shares_of_right_answers_are_chance() -> None:
    def notes(pairs: int) -> str:
        ended = [replace(one, n=100) for one in journal([0.9] * pairs, dropout=[0.9, 0.91] * (pairs // 2))]
        return " ".join(of(verdicts(setting(), ended), "dropout").notes)

    assert "ignore the seed" not in notes(6)
    assert "ignore the seed" in notes(8)


def test_overlapping_folds_widen_the_interval() -> None:
    base, other = noisy(0.01, 8)
    ended = list(journal(base, dropout=other))
    plain, wide = (of(verdicts(setting(overlap=overlap), ended), "dropout").effect for overlap in (0.0, 0.25))
    assert plain is not None and wide is not None
    assert (wide.high - wide.low) / (plain.high - plain.low) == pytest.approx(((1 / 8 + 0.25) / (1 / 8)) ** 0.5)


def test_controls() -> None:
    base, same = noisy(0.0, 8)
    _, worse = noisy(-0.2, 8, seed=1)
    placebo, poison = controls(setting(), list(journal(base, placebo=same, poison=worse)))
    assert (placebo.passed, poison.passed) == (True, True)
    placebo, poison = controls(setting(), list(journal(base, placebo=worse, poison=same)))
    assert (placebo.passed, poison.passed) == (False, None)
    assert "a stream that cannot matter" in placebo.because
    _, harmless = noisy(0.01, 8)
    assert controls(setting(), list(journal(base, poison=harmless)))[1].passed is False
    assert [one.passed for one in controls(setting(), [])] == [None, None]
    assert controls(setting(), list(journal(base, placebo=[None] * 8, poison=[None] * 8)))[1].passed is True


@given(value=st.floats(-1, 1), half=st.floats(1e-6, 1), margin=st.floats(1e-6, 1))
def test_words_are_mirrored_and_exclude_one_another(value: float, half: float, margin: float) -> None:
    there = word(Between(value=value, low=value - half, high=value + half, pairs=3), margin)
    back = word(Between(value=-value, low=-value - half, high=-value + half, pairs=3), margin)
    assert back == OPPOSITE.get(there, there)
    inside = abs(value) + half <= margin
    assert not (inside and there in OPPOSITE)


def made(asked: Setting, differences: list[float], base: list[float]) -> Verdict:
    other = [low + gap for low, gap in zip(base, differences, strict=True)]
    return of(verdicts(asked, list(journal(base, dropout=other))), "dropout")


DIFFERENCES = st.lists(st.floats(-0.1, 0.1).map(lambda gap: round(gap, 6)), min_size=3, max_size=9)


@given(differences=DIFFERENCES, scale=st.sampled_from([0.5, 4.0, 1024.0]))
def test_units_of_the_metric_do_not_matter(differences: list[float], scale: float) -> None:
    base = [0.5 + 0.01 * pair for pair in range(len(differences))]
    one = made(setting(), differences, base)
    other = made(setting(margin=0.002 * scale), [scale * gap for gap in differences], [scale * low for low in base])
    assert one.word == other.word
    if one.effect and other.effect:
        assert other.effect.low == pytest.approx(scale * one.effect.low, rel=1e-6, abs=1e-9)


@given(differences=DIFFERENCES, seed=st.integers(0, 100))
def test_the_order_of_pairs_inside_a_look_does_not_matter(differences: list[float], seed: int) -> None:
    upto = max(look for look in (3, 4, 5, 6, 8) if look <= len(differences))
    base = [0.5 + 0.01 * pair for pair in range(len(differences))]
    order = [*np.random.default_rng(seed).permutation(upto), *range(upto, len(differences))]
    one = made(setting(), differences, base)
    other = made(setting(), [differences[place] for place in order], [base[place] for place in order])
    assert one.word == other.word
    if one.effect and other.effect:
        assert other.effect.high == pytest.approx(one.effect.high, abs=1e-9)


def test_outcomes_may_end_in_any_order() -> None:
    base, other = noisy(0.01, 8)
    ended: list[Outcome] = list(journal(base, dropout=other))
    assert verdicts(setting(), ended) == verdicts(setting(), ended[::-1])
