"""What is filed of a proof: its verdicts on tips, with errors that can be pooled, and nothing of the data."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from tests.proof.made_up_evidence import FACTS, PLAN
from tests.report.made_up_proof import EFFECTS, Asked, made_up

from fieldcraft.errors import RunError
from fieldcraft.proof.filing import Ground, filed, standard_error
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.proof import Between

TIPS = dict.fromkeys(EFFECTS, "v1")
GROUND = Ground(facts=FACTS, plan=PLAN, tips=TIPS, versions={"torch": "2"}, name="")


def test_each_tested_tip_gets_a_line_with_the_numbers_of_its_verdict() -> None:
    proof = made_up()
    lines = filed(proof, GROUND, on="2026-01-31")
    assert [one.tip for one in lines] == list(proof.setting.factors)
    for one, verdict in zip(lines, proof.verdicts, strict=True):
        assert one.effect is not None and verdict.effect is not None
        assert (one.effect.value, one.effect.pairs, one.word) == (
            verdict.effect.value,
            verdict.effect.pairs,
            verdict.word,
        )
        assert one.planned == (verdict.factor in proof.setting.base)
        assert one.level == pytest.approx(0.93, abs=0.02)
        assert set(one.costs) == {"seconds", "memory_mib", "parameters", "latency_ms"}
        assert (one.processor, one.cores, one.controls, one.date) == ("made-up", 2, ("placebo", "poison"), "2026-01-31")


def test_lines_hold_nothing_of_the_data_but_its_digest() -> None:
    text = json.dumps(TypeAdapter(list[Evidence]).dump_python(list(filed(made_up(), GROUND)), mode="json"))
    assert "patients" not in text
    assert "3f1c" not in text  # what the setting keeps is only part of a digest
    assert all(one.name == "digits" for one in filed(made_up(), replace(GROUND, name="digits")))


def test_a_proof_that_goes_on_stays_the_same_proof_and_another_one_is_another() -> None:
    short, long, other = made_up(Asked(pairs=4)), made_up(Asked(pairs=9)), made_up(Asked(metric="f1"))
    ids = [filed(one, GROUND)[0].proof for one in (short, long, other)]
    assert ids[0] == ids[1] != ids[2]
    elsewhere = replace(FACTS, data=replace(FACTS.data, digest="e"))
    assert filed(short, replace(GROUND, facts=elsewhere))[0].proof != ids[0]


def test_a_failed_control_keeps_a_proof_out() -> None:
    with pytest.raises(RunError, match=r"not filed, since it is not to be trusted.*poison"):
        filed(made_up(Asked(poison=0.004)), GROUND)


def test_a_proof_of_ones_own_switches_says_nothing_of_tips() -> None:
    with pytest.raises(RunError, match="says nothing of a tip"):
        filed(made_up(Asked(effects={"my-switch": 0.1, "another": 0.0})), GROUND)
    one = filed(made_up(Asked(effects={"my-switch": 0.1, "one-cycle": 0.0})), GROUND)
    assert [line.tip for line in one] == ["one-cycle"]


def test_open_ends_are_kept_as_such_and_tips_without_an_effect_are_not_filed() -> None:
    proof = made_up()
    first = replace(proof.verdicts[0], effect=Between(value=0.1, low=-math.inf, high=math.inf, pairs=2))
    second, third = (replace(one, effect=None, differences=(), word="cannot tell yet") for one in proof.verdicts[1:3])
    lines = filed(replace(proof, verdicts=(first, second, third, *proof.verdicts[3:])), GROUND)
    assert lines[0].effect is not None
    assert lines[0].effect.low is lines[0].effect.high is None
    assert [one.tip for one in lines] == [first.factor, *(one.factor for one in proof.verdicts[3:])]
    diverged = replace(second, word="paid")
    (line,) = filed(replace(proof, verdicts=(diverged, third)), GROUND)
    assert (line.word, line.effect) == ("paid", None)
    with pytest.raises(RunError, match="knows nothing of any tip yet"):
        filed(replace(proof, verdicts=(second, third)), GROUND)


# ---------------------------------------------------------------- standard errors


WITH_METRIC = {metric: made_up(Asked(metric=metric)) for metric in ("rmse", "accuracy")}


def of(
    differences: tuple[float, ...], metric: str = "rmse", overlap: float = 0.0, seen: float | None = None
) -> float | None:
    proof = WITH_METRIC[metric]
    proof = replace(proof, setting=replace(proof.setting, overlap=overlap))
    return standard_error(replace(proof.verdicts[0], effect=None, differences=differences, overlap=seen), proof)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9).filter(lambda values: np.ptp(values) > 1e-6))
def test_without_overlap_it_is_the_error_of_a_mean(values: list[float]) -> None:
    assert of(tuple(values)) == pytest.approx(np.std(values, ddof=1) / math.sqrt(len(values)))


def test_overlapping_training_parts_widen_it() -> None:
    values = (0.1, 0.2, 0.3, 0.4)
    plain, wide = of(values), of(values, overlap=0.25)
    assert plain is not None and wide is not None
    assert wide / plain == pytest.approx(math.sqrt((1 / 4 + 0.25) / (1 / 4)))


def test_what_was_seen_of_it_outranks_what_is_assumed() -> None:
    values = (0.1, 0.2, 0.3, 0.4)
    assert of(values, overlap=0.25, seen=0.0) == of(values)
    assert of(values, overlap=0.25, seen=0.1) == of(values, overlap=0.1)


def test_pairs_that_agree_by_rounding_are_not_taken_for_certain() -> None:
    """Differences between shares of 1,000 samples, rounded from something finer, vary by a sixth of a squared step."""
    found = of((0.0, 0.0, 0.0), "accuracy")
    assert found == pytest.approx(1 / 1000 / math.sqrt(6) / math.sqrt(3))
    rng = np.random.default_rng(0)
    fine = rng.uniform(0.8, 0.9, (100_000, 2))
    errors = np.round(fine * 1000) / 1000 - fine
    assert np.var(errors[:, 0] - errors[:, 1]) == pytest.approx(1 / 1000**2 / 6, rel=0.02)


def test_too_few_or_equal_pairs_have_none() -> None:
    assert of((0.1,)) is None
    assert of(()) is None
    assert of((0.1, 0.1, 0.1)) is None
