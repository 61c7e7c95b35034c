from dataclasses import replace

import pytest
from tests.tips.known_briefs import (
    CIFAR10,
    DIABETES,
    DIGITS,
    MNIST,
    PHOTOGRAPHS,
    applied,
    cnn_plan,
    found,
    settle,
    skipped,
    start,
    with_budget,
    with_rungs,
    with_train,
)

from fieldcraft.plan.schema import AdamW, Batch, Cnn, Plan, Pretrained, Sgd
from fieldcraft.records.brief import Brief
from fieldcraft.records.weights import Wants, WeightsFacts
from fieldcraft.tips import choice_of_weights, epochs, gradual_unfreezing, layer_wise_rates, linear_probe, transfer
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, TransferScore

IMAGENET = WeightsFacts(
    name="imagenet", file="/weights/imagenet.npz", digest="a" * 32, family="squeezenet", model="1.0",
    wants=Wants(height=227, width=227, order="bgr", mean=(104.0, 117.0, 123.0), std=(1.0,) * 3, full_scale=255.0),
    any_size=True, features=512, parameters=735_424, parts=9, norms=0, matched=50,
)  # fmt: skip
SMALL = replace(
    IMAGENET, name="small", file="/weights/small.th", digest="b" * 32, family="cifar-resnet", model="20",
    wants=Wants(height=32, width=32, order="rgb", mean=(0.5,) * 3, std=(0.2,) * 3, full_scale=1.0), norms=19,
)  # fmt: skip
FIXED = replace(IMAGENET, name="fixed", digest="c" * 32, any_size=False)


def given(known: Brief, *weights: WeightsFacts) -> Brief:
    return Brief(facts=replace(known.facts, weights=weights))


OFFICE = with_train(PHOTOGRAPHS, 60)


def network(plan: Plan) -> Pretrained:
    last = plan.ladder.rungs[-1].network
    assert isinstance(last, Pretrained)
    return last


def taken_over(known: Brief = OFFICE, *weights: WeightsFacts, plan: Plan | None = None) -> Plan:
    return applied(transfer.TIP, given(known, *(weights or (IMAGENET,))), plan or cnn_plan(known))


# ---------------------------------------------------------------- whether at all


def test_nothing_happens_without_weights() -> None:
    assert "no pretrained weights" in skipped(transfer.TIP, OFFICE, cnn_plan(OFFICE))
    for tip in (choice_of_weights, layer_wise_rates, gradual_unfreezing, linear_probe):
        assert "no network is taken over" in skipped(tip.TIP, OFFICE, cnn_plan(OFFICE))


def test_a_rung_is_added_above_the_others() -> None:
    before = cnn_plan(OFFICE)
    plan = taken_over(plan=before)
    assert plan.ladder.rungs[:-1] == before.ladder.rungs and plan.ladder.rungs[-1].name == "pretrained"
    assert (network(plan).weights, network(plan).digest) == (IMAGENET.file, IMAGENET.digest)
    assert network(plan).full_scale == 255.0 and network(plan).order == "bgr"


def test_many_samples_a_class_need_no_weights() -> None:
    assert "5,100 samples a class" in skipped(transfer.TIP, given(MNIST, SMALL), cnn_plan(MNIST))
    assert isinstance(settle(transfer.TIP, given(CIFAR10, SMALL), cnn_plan(CIFAR10))[0], Applied)


def test_tiny_images_are_not_blown_up() -> None:
    assert "28 times" in skipped(transfer.TIP, given(DIGITS, IMAGENET), cnn_plan(DIGITS))
    assert network(taken_over(DIGITS, IMAGENET, SMALL)).digest == SMALL.digest


def test_tables_have_no_pretrained_networks() -> None:
    assert "for images" in skipped(transfer.TIP, given(DIABETES, IMAGENET), start(DIABETES))


def test_a_pretrained_network_set_by_hand_stays() -> None:
    plan = taken_over()
    assert "already" in skipped(transfer.TIP, given(OFFICE, SMALL), plan)


# ---------------------------------------------------------------- how images are shown


@pytest.mark.parametrize(
    ("side", "weights", "shown"),
    [
        (224, IMAGENET, 224),
        (300, IMAGENET, 227),
        (96, IMAGENET, 96),
        (32, IMAGENET, 91),
        (96, FIXED, 227),
        (96, SMALL, 32),
    ],
)
def test_the_size_is_kept_between_two_fifths_and_what_the_weights_want(
    side: int, weights: WeightsFacts, shown: int
) -> None:
    plan = cnn_plan(OFFICE)
    plan = replace(plan, input=replace(plan.input, height=side, width=side))  # type: ignore[arg-type]
    chosen = network(taken_over(OFFICE, weights, plan=plan))
    assert (chosen.height, chosen.width) == (shown, shown)


def test_the_shape_of_images_is_kept() -> None:
    plan = cnn_plan(OFFICE)
    plan = replace(plan, input=replace(plan.input, height=48, width=96))  # type: ignore[arg-type]
    chosen = network(taken_over(OFFICE, IMAGENET, plan=plan))
    assert (chosen.height, chosen.width) == (91, 182)


# ---------------------------------------------------------------- norms and rates


def test_statistics_are_kept_for_few_samples_and_small_batches() -> None:
    plan = replace(cnn_plan(CIFAR10), batch=Batch(size=128))
    assert network(taken_over(CIFAR10, SMALL, plan=plan)).tuning.statistics == "adapted"
    assert network(taken_over(with_train(CIFAR10, 900), SMALL, plan=plan)).tuning.statistics == "kept"
    few = replace(plan, batch=Batch(size=128, micro=16))
    assert network(taken_over(CIFAR10, SMALL, plan=few)).tuning.statistics == "kept"
    decision, _ = settle(transfer.TIP, given(CIFAR10, SMALL), plan)
    assert "19 batch norms adapted" in decision.because


@pytest.mark.parametrize(
    ("optimiser", "weights", "rate"), [(Sgd(), SMALL, 0.01), (Sgd(), IMAGENET, 0.002), (AdamW(), IMAGENET, 1e-4)]
)
def test_the_rate_follows_the_optimiser_and_the_norms(
    optimiser: Sgd | AdamW, weights: WeightsFacts, rate: float
) -> None:
    plan = taken_over(OFFICE, weights, plan=replace(cnn_plan(OFFICE), optimiser=optimiser))
    assert plan.ladder.rungs[-1].lr == rate


# ---------------------------------------------------------------- the choice


def scored(known: Brief, plan: Plan, scores: dict[str, float]) -> Brief:
    asked = choice_of_weights.decide(known, plan)
    assert isinstance(asked, Ask) and all(isinstance(one, TransferScore) for one in asked.measurements)
    digests = {one.digest: one.name for one in known.weights}
    answers = {one.key: found(scores[digests[network(one.plan).digest]]) for one in asked.measurements}
    return Brief(facts=replace(known.facts, measured=answers))


def test_the_best_score_is_taken_over() -> None:
    known = given(OFFICE, IMAGENET, SMALL)
    plan = layer_wise_rates.decide(known, taken_over(OFFICE, IMAGENET, SMALL))
    assert isinstance(plan, Applied)
    decision = choice_of_weights.decide(scored(known, plan.plan, {"imagenet": 0.2, "small": 0.5}), plan.plan)
    assert isinstance(decision, Applied) and decision.because.startswith("LogME small 0.500, imagenet 0.200; small ")
    assert network(decision.plan).digest == SMALL.digest and decision.plan.ladder.rungs[-1].lr == 1e-4


def test_what_could_not_be_scored_is_not_chosen() -> None:
    known, plan = given(OFFICE, IMAGENET, SMALL), taken_over(OFFICE, IMAGENET, SMALL)
    infinite = float("inf")
    decision = choice_of_weights.decide(scored(known, plan, {"imagenet": -0.2, "small": infinite}), plan)
    assert isinstance(decision, Applied) and network(decision.plan).digest == IMAGENET.digest
    none = choice_of_weights.decide(scored(known, plan, {"imagenet": infinite, "small": infinite}), plan)
    assert isinstance(none, Skipped) and "imagenet, the first, stays" in none.because


def test_one_candidate_and_weights_by_hand_are_left_alone() -> None:
    assert "one candidate" in skipped(choice_of_weights.TIP, given(OFFICE, IMAGENET), taken_over())
    other = replace(SMALL, digest="d" * 32)
    assert "by hand" in skipped(choice_of_weights.TIP, given(OFFICE, SMALL, FIXED), taken_over(OFFICE, other))


# ---------------------------------------------------------------- how it is tuned


def test_rates_and_thawing_are_laid_down() -> None:
    plan = applied(gradual_unfreezing.TIP, OFFICE, applied(layer_wise_rates.TIP, OFFICE, taken_over()))
    tuning = network(plan).tuning
    assert (tuning.first_rate, tuning.head_until, tuning.thawed_at) == (0.1, 0.1, 0.4)
    assert network(plan).weights == IMAGENET.file


def test_the_probe_takes_what_the_time_allows() -> None:
    known = with_budget(with_train(OFFICE, 12_000), 600.0)
    plan = taken_over(known)
    quick, _ = settle(linear_probe.TIP, known, plan, lambda _: 1.0)
    slow, _ = settle(linear_probe.TIP, known, plan, lambda _: 30_000.0)
    never, _ = settle(linear_probe.TIP, known, plan, lambda _: 10_000_000.0)
    numbers = [network(one.plan).tuning.probe for one in (quick, slow, never) if isinstance(one, Applied)]
    assert numbers[0] == 2_000 > numbers[1] > 16 and numbers[2] == 0
    assert network(applied(linear_probe.TIP, with_budget(known, None), plan)).tuning.probe == 2_000
    few = with_budget(OFFICE, None)
    assert network(applied(linear_probe.TIP, few, taken_over())).tuning.probe == 60


def test_how_it_is_tuned_is_not_timed_again() -> None:
    plan = taken_over()
    tuned = applied(gradual_unfreezing.TIP, OFFICE, plan)
    place = len(plan.ladder.rungs) - 1
    assert tuned != plan and StepTime(plan=plan, rung=place).key == StepTime(plan=tuned, rung=place).key


def test_a_slow_network_from_nothing_makes_room_but_the_pretrained_one_stays() -> None:
    plan = with_rungs(start(OFFICE), Cnn(widths=(8,)), Cnn(widths=(64, 128)))
    plan = taken_over(plan=plan)
    known = with_budget(with_train(OFFICE, 5_000), 60.0)
    changed = applied(epochs.TIP, known, plan, lambda asked: 10.0 if asked.rung == 0 else 5_000.0)
    assert [rung.name for rung in changed.ladder.rungs] == ["rung-0", "pretrained"]
