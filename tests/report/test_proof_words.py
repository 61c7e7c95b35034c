"""Units, sentences and the scales of a proof's drawings."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.made_up_proof import Asked, all_kinds, made_up

from fieldcraft.records.proof import Between
from fieldcraft.report.charts.forest import Effect, scale_for
from fieldcraft.report.charts.timeline import time_ticks
from fieldcraft.report.proof_words import (
    Units,
    class_sentences,
    cost_difference,
    joined,
    lead,
    ordered,
    undecided,
    units_of,
)


@pytest.mark.parametrize(
    ("value", "shown"), [(0.00824, "+0.82"), (-0.0011, "−0.11"), (0.00001, "0.00"), (-0.00001, "0.00"), (0.0, "0.00")]
)
def test_points_carry_their_sign(value: float, shown: str) -> None:
    assert Units(100.0, "points", 2).signed(value) == shown


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_what_is_written_is_the_number_rounded(value: float, decimals: int) -> None:
    text = Units(1.0, "", decimals).signed(value).replace("−", "-").replace(",", "")
    assert math.isclose(float(text), value, abs_tol=0.51 * 10.0**-decimals)
    assert text.startswith("+") == (float(text) > 0)


@pytest.mark.parametrize(("margin", "decimals"), [(0.002, 2), (0.01, 1), (0.00005, 4)])
def test_decimals_follow_the_margin(margin: float, decimals: int) -> None:
    proof = made_up()
    assert units_of(replace(proof, setting=replace(proof.setting, margin=margin))).decimals == max(decimals, 0)


def test_the_best_stands_first_and_the_unknown_last() -> None:
    effects = [one.effect.value for one in ordered(made_up()) if one.effect]
    assert effects == sorted(effects, reverse=True)
    assert [one.effect for one in ordered(all_kinds()["first pair"])][-1] is None


def test_leads() -> None:
    assert lead(made_up()) == "Of 7 factors, 3 paid and 1 hurt; 3 cannot be told yet."
    assert lead(all_kinds()["one"]) == "label-smoothing paid."
    assert lead(all_kinds()["cannot tell"]) == "It cannot be told yet whether any of the 7 factors paid."
    still = made_up(Asked(effects={"a": 0.0, "b": 0.0}, noise=0.0004, crash=0, full=()))
    assert lead(still) == "Of 2 factors, 2 have no effect that matters."


def test_sentences_count_what_they_do_not_name() -> None:
    told = dict(class_sentences(all_kinds()["forty"]))
    counts = {word: sum(one.word == word for one in all_kinds()["forty"].verdicts) for word in told}
    for word, sentence in told.items():
        assert f"{counts[word] - 6} more" in sentence or counts[word] <= 6
    assert class_sentences(all_kinds()["failed poison"]) == ()


def test_nothing_is_open_when_all_is_decided() -> None:
    assert undecided(made_up(Asked(effects={"a": 0.02, "b": -0.02}, full=()))) == ()
    first = all_kinds()["first pair"]
    assert "2 more pairs" in " ".join(undecided(first))
    unknown = replace(first, verdicts=tuple(replace(one, pairs_needed=None) for one in first.verdicts))
    assert "too few pairs for an interval" in " ".join(undecided(unknown))


def test_costs() -> None:
    known = Between(value=1.234, low=0.9, high=1.5, pairs=4)
    assert cost_difference(known, "s").replace("\N{NO-BREAK SPACE}", " ") == "+1.23 s (0.90 to 1.50)"
    exact = Between(value=1800.0, low=1800.0, high=1800.0, pairs=4)
    assert cost_difference(exact, "") == "+1,800"
    assert cost_difference(None, "s") == "–"


def test_joined() -> None:
    assert [joined(["a"]), joined("ab"), joined("abc")] == ["a", "a and b", "a, b and c"]


@given(
    st.lists(st.tuples(st.floats(-50, 50), st.floats(0, 1e4), st.floats(0, 1e4)), min_size=1, max_size=9),
    st.floats(0.01, 5),
)
def test_the_scale_shows_every_effect_the_margin_and_zero(
    rows: list[tuple[float, float, float]], margin: float
) -> None:
    scale = scale_for([Effect((value, value - below, value + above)) for value, below, above in rows], margin)
    for value in (*(row[0] for row in rows), -margin, 0.0, margin):
        assert not scale.outside(value)
        assert 0 <= scale.at(value) <= 100
    largest = max(*(abs(row[0]) for row in rows), 1.6 * margin)
    assert scale.high - scale.low <= 6.6 * largest, "one wide interval must not flatten the rest"


@given(st.floats(0.2, 1e8))
def test_time_ticks_are_few_and_even(end: float) -> None:
    found = time_ticks(end)
    assert 2 <= len(found) <= 6
    assert found[0] == 0
    assert found[-1] <= end
