"""What evidence adds up to: like with like, each set once, and a high bar for leaving a tip out."""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proof.made_up_evidence import line, on_sets

from fieldcraft.proof.weigh import signed, weigh
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.prior import Prior, TipPrior

VERSIONS = {"dropout": "v1"}
HURTS = (-0.012, -0.010, -0.011, -0.009, -0.013)


def one(lines: tuple[Evidence, ...] | list[Evidence]) -> TipPrior:
    (found,) = weigh(lines, VERSIONS).tips
    return found


def test_nothing_on_file_says_nothing() -> None:
    assert weigh((), VERSIONS) == Prior()
    assert Prior().of("dropout", "image", "accuracy") is None


def test_harm_on_five_sets_leaves_a_tip_out_and_on_four_does_not() -> None:
    found = one(on_sets(HURTS))
    assert found.standing == "left out"
    assert found.high is not None and found.high < 0
    assert found.value == pytest.approx(-0.011)
    assert found.because.startswith("-1.1 points [-1.") and found.because.endswith("over 5 sets")
    few = one(on_sets(HURTS[:4]))
    assert few.standing == "open"
    assert few.because == "-1.05 points (too few sets for an interval) over 4 sets"


def test_harm_that_is_not_certain_removes_nothing() -> None:
    assert one(on_sets((-0.03, 0.01, -0.02, 0.015, -0.01))).standing == "open"
    assert one(on_sets((-0.01,) * 5, error=0.02)).standing == "open"


@given(st.lists(st.floats(-0.1, 0.1), min_size=5, max_size=9))
def test_cannot_tell_removes_nothing_unless_the_upper_end_is_below_zero(values: list[float]) -> None:
    found = one(on_sets(values))
    assert found.high is not None
    assert found.standing == ("left out" if found.high < 0 else "open")


@pytest.mark.parametrize(
    ("nothing", "hurt", "told"), [(3, 0, "no default"), (2, 1, "no default"), (2, 0, "open"), (0, 2, "open")]
)
def test_the_default_is_lost_where_most_sets_say_so(nothing: int, hurt: int, told: str) -> None:
    rest = 5 - nothing - hurt
    words = [*["no effect that matters"] * nothing, *["hurt"] * hurt, *["cannot tell yet"] * rest]
    lines = [replace(each, word=word) for each, word in zip(on_sets((0.001,) * 5), words, strict=True)]
    found = one(lines)
    assert (found.nothing, found.hurt, found.paid, found.standing) == (nothing, hurt, 0, told)
    if told == "no default":
        assert found.because == f"of 5 sets it hurt on {hurt}, had no effect that matters on {nothing} and paid on 0"


def test_four_sets_never_lose_a_default() -> None:
    assert one(on_sets((0.0,) * 4, word="no effect that matters")).standing == "open"


# ---------------------------------------------------------------- like with like


def test_an_earlier_version_of_a_tip_is_not_held_against_it() -> None:
    lines = on_sets(HURTS)
    assert weigh(lines, {"dropout": "v2"}).tips == ()
    assert weigh(lines, {}).tips == ()
    assert weigh([replace(each, version="") for each in lines], {"dropout": ""}).tips == ()
    assert weigh(lines, {"dropout": "v2"}).digest


def test_other_samples_metrics_and_effects_are_pooled_apart() -> None:
    lines = [
        *on_sets(HURTS),
        *(replace(each, kind="table") for each in on_sets(HURTS[:2])),
        *(replace(each, metric="auroc") for each in on_sets(HURTS[:3])),
        *(replace(each, measures="direct") for each in on_sets((0.5,) * 5)),
        *(replace(each, equal="steps") for each in on_sets((0.5,) * 5)),
        *(replace(each, metric="my.own:metric") for each in on_sets((0.5,) * 5)),
    ]
    lines = [replace(each, proof=f"{number}") for number, each in enumerate(lines)]
    found = weigh(lines, VERSIONS)
    assert {(each.kind, each.family, each.sets) for each in found.tips} == {
        ("image", "accuracy", 5),
        ("table", "accuracy", 2),
        ("image", "auroc", 3),
    }
    known = found.of("dropout", "image", "balanced-accuracy")
    assert known is not None and known.sets == 5
    assert found.of("dropout", "table", "rmse") is None
    assert found.of("dropout", "image", object()) is None


@given(st.lists(st.floats(0.1, 1e4), min_size=5, max_size=5))
def test_errors_are_pooled_as_a_relative_change_whatever_their_units(units: list[float]) -> None:
    lines = [
        line(0.05 * unit, error=0.01 * unit, level=unit, metric="rmse", set=f"{number}")
        for number, unit in enumerate(units)
    ]
    found = one(lines)
    assert (found.family, found.value, found.spread) == ("error", pytest.approx(0.05), pytest.approx(0, abs=1e-6))
    assert found.because.startswith("+5 % less error")


def test_what_rounding_leaves_of_zero_is_zero() -> None:
    assert [signed(value) for value in (-2.8e-17, 0.01234, -1.0)] == ["+0", "+0.0123", "-1"]


def test_an_error_without_a_level_is_not_pooled() -> None:
    assert one([line(0.1, metric="rmse", level=None)]).value is None


@pytest.mark.parametrize("change", [{"error": None}, {"pairs": 2}])
def test_what_has_no_error_of_its_own_is_counted_but_not_pooled(change: dict[str, object]) -> None:
    found = one([*on_sets(HURTS), line(**{"set": "f", "value": 9.0, "word": "paid", **change})])
    assert (found.sets, found.paid) == (5, 1)
    assert found.value == pytest.approx(-0.011)


# ---------------------------------------------------------------- each set once


def test_a_tip_without_which_training_diverges_counts_as_paid_without_an_effect() -> None:
    found = one([*on_sets(HURTS[:4], word="hurt"), replace(line(set="e", word="paid"), effect=None)])
    assert (found.sets, found.paid, found.hurt) == (4, 1, 4)


def test_a_set_that_was_proved_again_and_again_counts_once() -> None:
    lines = on_sets(HURTS)
    again = [replace(lines[0], proof=f"again {number}") for number in range(9)]
    alone, more = one(lines), one([*lines, *again])
    assert (more.sets, more.value, more.high) == (5, pytest.approx(alone.value), pytest.approx(alone.high))


def test_subsets_with_one_public_name_are_one_set() -> None:
    lines = list(on_sets(HURTS))
    lines[1:3] = [replace(each, name="mnist") for each in lines[1:3]]
    assert one(lines).sets == 4
    unnamed = replace(lines[1], name="", proof="another")
    assert one([*lines, unnamed]).sets == 4


def test_proofs_of_a_set_that_disagree_cannot_be_told() -> None:
    found = one([line(word="paid"), line(word="hurt", proof="another"), line(proof="a third")])
    assert (found.paid, found.hurt, found.nothing) == (0, 0, 0)
    found = one([line(word="paid"), line(proof="another")])
    assert found.paid == 1


# ---------------------------------------------------------------- order and digest


@given(st.lists(st.floats(-0.1, 0.1), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(values: list[float], random: Random) -> None:
    lines = list(on_sets(values))
    mixed = [*lines, *lines[:2]]
    random.shuffle(mixed)
    assert weigh(mixed, VERSIONS) == weigh(lines, VERSIONS)


def test_the_digest_is_of_what_was_read() -> None:
    lines = on_sets(HURTS)
    digests = {weigh(some, VERSIONS).digest for some in (lines, lines[:4], (*lines[:4], line(0.1, set="set 4")))}
    assert len(digests) == 3
