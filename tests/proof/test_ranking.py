"""Ranking: planted effects come out, aliases are what the rows say, lost rows are stated."""

from collections.abc import Callable

import numpy as np
import pytest

from fieldcraft.proof.design import Kind, screening
from fieldcraft.proof.ranking import rank
from fieldcraft.records.proof import Outcome, Setting, Trial

NAMES = tuple("abcdefghij")


def setting(factors: tuple[str, ...] = NAMES, higher_is_better: bool = True) -> Setting:
    return Setting(factors=factors, base=factors, metric="score", higher_is_better=higher_is_better)


def outcomes(
    kind: Kind, score: Callable[[Trial], float | None], factors: tuple[str, ...] = NAMES, diverged: bool = False
) -> list[Outcome]:
    found = []
    for trial in screening(setting(factors), kind):
        value = score(trial)
        found.append(
            Outcome(trial=trial, score=value, diverged=diverged and value is None, error="" if value else "no")
        )
    return found


def additive(trial: Trial) -> float:
    """Effects of 0.3 (c), -0.2 (a), 0.1 (f) and a level of the pair's own."""
    on = trial.arm.on
    return 0.3 * ("c" in on) - 0.2 * ("a" in on) + 0.1 * ("f" in on) + 0.7 * (trial.pair % 3)


@pytest.mark.parametrize("kind", ["Plackett-Burman", "resolution IV"])
def test_planted_effects_come_out_whole_and_in_their_order(kind: Kind) -> None:
    found = rank(setting(), outcomes(kind, additive)).ranked
    assert [one.factor for one in found[:3]] == ["c", "a", "f"]
    assert [one.effect for one in found[:3]] == pytest.approx([0.3, -0.2, 0.1])
    assert [one.effect for one in found[3:]] == pytest.approx([0.0] * 7)
    assert len(found) == len(NAMES)


def test_where_less_is_better_effects_turn() -> None:
    found = rank(setting(higher_is_better=False), outcomes("resolution IV", additive)).ranked
    assert {one.factor: one.effect for one in found}["c"] == pytest.approx(-0.3)


def test_interactions_move_main_effects_only_without_the_mirror() -> None:
    def crossed(trial: Trial) -> float:
        return additive(trial) + 0.4 * (("b" in trial.arm.on) == ("d" in trial.arm.on))

    plain = {one.factor: one.effect for one in rank(setting(), outcomes("Plackett-Burman", crossed)).ranked}
    mirrored = {one.factor: one.effect for one in rank(setting(), outcomes("resolution IV", crossed)).ranked}
    assert abs(plain["j"]) > 0.05
    assert mirrored["j"] == pytest.approx(0, abs=1e-9)
    assert mirrored["c"] == pytest.approx(0.3)


def test_an_interaction_is_seen_with_what_it_cannot_be_told_from() -> None:
    rng = np.random.default_rng(0)

    def crossed(trial: Trial) -> float:
        both = ("a" in trial.arm.on) == ("c" in trial.arm.on)
        return additive(trial) + 0.4 * both + float(rng.normal(0, 0.005))

    (first, *_) = rank(setting(), outcomes("resolution IV", crossed)).interactions
    assert set(first.factors) == {"a", "c"}
    assert first.effect == pytest.approx(0.4, abs=0.05)
    assert first.error is not None and first.error < 0.05


def test_noise_alone_shows_interactions_no_oftener_than_said() -> None:
    rng = np.random.default_rng(1)
    seen = sum(
        bool(rank(setting(), outcomes("resolution IV", lambda _: float(rng.normal()))).interactions) for _ in range(100)
    )
    assert seen <= 12  # 5 expected; more than 12 has a chance of 0.1 %


def test_aliases_are_computed_from_the_rows_that_ran() -> None:
    whole = outcomes("resolution IV", additive)
    assert all(one.aliases == () for one in rank(setting(), whole).ranked)
    some = rank(setting(), whole[:-5]).ranked
    assert any(one.aliases for one in some)
    plain = rank(setting(), outcomes("Plackett-Burman", additive)).ranked
    first = next(one for one in plain if one.factor == "f")
    assert first.aliases[0] == "a × c"
    assert first.aliases[-1].endswith("more")


def test_errors_cover_the_truth_in_nineteen_of_twenty() -> None:
    rng = np.random.default_rng(2)
    inside = []
    for _ in range(60):
        found = rank(setting(), outcomes("resolution IV", lambda trial: additive(trial) + float(rng.normal(0, 0.1))))
        inside += [abs(one.effect) <= 2.2 * (one.error or 0) for one in found.ranked if one.factor not in "acf"]
    assert 0.9 < np.mean(inside) < 0.99  # t(11 degrees of freedom) at 2.2: 95 %


def test_no_freedom_left_means_no_error() -> None:
    factors = tuple("abcdefghijk")
    found = rank(setting(factors), outcomes("Plackett-Burman", additive, factors))
    assert all(one.error is None for one in found.ranked)
    assert any("nothing over" in note for note in found.notes)


def test_diverged_rows_are_left_out_and_what_they_share_is_stated() -> None:
    def breaks(trial: Trial) -> float | None:
        return None if "h" in trial.arm.on and "b" in trial.arm.on else additive(trial)

    rows = outcomes("resolution IV", breaks, diverged=True)
    found = rank(setting(), rows)
    assert {one.factor: one.effect for one in found.ranked}["c"] == pytest.approx(0.3)
    (note,) = [note for note in found.notes if "diverged" in note]
    assert "on in all of them: b, h" in note
    assert "left out" in note
    worst = rank(setting(), rows, lost="worst")
    assert "h" in [one.factor for one in worst.ranked[:4]]
    assert any("worst score" in note for note in worst.notes)


def test_a_factor_with_which_every_row_diverges_leads() -> None:
    rows = outcomes("resolution IV", lambda trial: None if "e" in trial.arm.on else additive(trial), diverged=True)
    found = rank(setting(), rows)
    assert [one.factor for one in found.ranked[:2]] == ["e", "c"]
    assert found.ranked[0].error is None


def test_failed_rows_are_left_out_and_named() -> None:
    rows = outcomes("resolution IV", lambda trial: None if trial.arm.name == "screen 2" else additive(trial))
    found = rank(setting(), rows)
    assert {one.factor: one.effect for one in found.ranked}["c"] == pytest.approx(0.3)
    assert any("screen 2" in note for note in found.notes)


def test_factors_that_too_few_rows_tell_apart_are_named() -> None:
    found = rank(setting(), outcomes("Plackett-Burman", additive)[:6])
    assert any("too few rows" in note for note in found.notes)
    assert len(found.ranked) == len(NAMES)


def test_before_anything_ran_there_is_no_ranking() -> None:
    assert rank(setting(), []).ranked == ()
