from dataclasses import replace

import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    DIABETES,
    DIGITS,
    OWN,
    applied,
    found,
    settle,
    skipped,
    start,
    with_rungs,
    with_train,
)

from fieldcraft.plan.schema import Cnn, Linear, Mlp
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import DeepFacts, LearningCurve, Noise
from fieldcraft.tips.interface import Applied
from fieldcraft.tips.worth_a_network import LEAST_LEARNT, LEAST_TRAIN, TIP

LADDER = Mlp(widths=(32,)), Mlp(widths=(64, 64))


def with_flexible(known: Brief, flexible: float, learnt: int = LEAST_LEARNT) -> Brief:
    curve = LearningCurve(
        samples=(learnt // 2, learnt), error=(0.2, 0.1), doubling=0.5, doubling_95=(0.4, 0.6), flexible=flexible
    )
    noise = Noise(labels=None, labels_95=None, curve=found(curve))
    return Brief(facts=replace(known.facts, data=replace(known.data, deep=DeepFacts(noise=noise))))


def networks(known: Brief) -> list[object]:
    plan = with_rungs(start(known), *LADDER)
    decision, _ = settle(TIP, known, plan)
    return [rung.network for rung in (decision.plan if isinstance(decision, Applied) else plan).ladder.rungs]


@pytest.mark.parametrize(("train", "left"), [(LEAST_TRAIN, LADDER), (LEAST_TRAIN - 1, ())])
def test_a_handful_of_samples_is_for_baselines(train, left):
    assert networks(with_train(BREAST_CANCER, train)) == list(left)


@pytest.mark.parametrize(("flexible", "words"), [(0.12, "12% below"), (-0.3, "30% above")])
def test_what_a_flexible_probe_is_worth_on_a_table_is_told_and_takes_no_network_away(flexible, words):
    assert f"{words} a linear one's" in skipped(
        TIP, with_flexible(DIABETES, flexible), with_rungs(start(DIABETES), *LADDER)
    )


def test_images_and_probes_that_learnt_from_few_samples_tell_nothing():
    assert "probe" not in skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), *LADDER))
    few = with_flexible(BREAST_CANCER, -0.3, learnt=LEAST_LEARNT - 1)
    assert "probe" not in skipped(TIP, few, with_rungs(start(BREAST_CANCER), *LADDER))
    assert "probe" not in skipped(TIP, with_flexible(DIGITS, -0.5), with_rungs(start(DIGITS), Cnn(), Cnn()))


def test_one_s_own_network_and_ladders_without_baselines_stay():
    tiny = with_train(BREAST_CANCER, 5)
    skipped(TIP, tiny, with_rungs(start(tiny), OWN))
    plan = with_rungs(start(tiny), Linear())
    skipped(TIP, tiny, replace(plan, ladder=replace(plan.ladder, baselines=())))
    assert applied(TIP, tiny, plan).ladder.rungs == ()
