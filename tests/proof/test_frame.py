"""The frame of a proof: a line for each factor and control."""

import pandas as pd
import pytest
from tests.report.made_up_proof import Asked, all_kinds, made_up

from fieldcraft.proof.frame import proof_frame


@pytest.mark.parametrize("name", list(all_kinds()))
def test_it_has_a_line_for_each_factor_and_control(name: str) -> None:
    proof = all_kinds()[name]
    frame = proof_frame(proof)
    assert list(frame["factor"]) == [*proof.setting.factors, "placebo", "poison"]
    assert list(frame["control"]) == [*[""] * len(proof.verdicts), "placebo", "poison"]
    assert frame["verdict"].notna().all()


def test_numbers_are_those_of_the_verdicts() -> None:
    proof = made_up()
    frame = proof_frame(proof)
    for line, verdict in zip(frame.to_dict("records"), proof.verdicts, strict=False):
        assert verdict.effect is not None
        assert verdict.cost.seconds is not None
        assert (line["effect"], line["low"], line["high"]) == pytest.approx(
            (verdict.effect.value, verdict.effect.low, verdict.effect.high)
        )
        assert line["seconds_high"] == verdict.cost.seconds.high
        assert line["planned"] == (verdict.factor in proof.setting.base)
        assert pd.isna(line["pairs_needed"]) == (verdict.pairs_needed is None)
    assert frame["effect"].dtype == frame["pairs_needed"].dtype == "float64"


def test_a_failed_control_marks_every_line() -> None:
    assert proof_frame(made_up())["trusted"].all()
    assert not proof_frame(made_up(Asked(poison=0.004)))["trusted"].any()
