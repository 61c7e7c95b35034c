from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, brief, found, images, start, with_budget, with_rungs

from fieldcraft.plan.buckets import nearest
from fieldcraft.plan.schema import Augment, Batch, Bucket, Cnn, Linear, Plan, ResNet, SmallerImages
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.brief import Brief
from fieldcraft.records.facts import CommonSize
from fieldcraft.tips.interface import Applied, Skipped
from fieldcraft.tips.size_buckets import LEAST_BATCHES, MOST, TIP, chosen

SIZES = (
    CommonSize(height=96, width=144, count=900),
    CommonSize(height=96, width=96, count=800),
    CommonSize(height=144, width=96, count=1_000),
    CommonSize(height=96, width=400, count=5),
)


def known(sizes: tuple[CommonSize, ...] | None, seconds: float | None = 600.0) -> Brief:
    facts = replace(images(96, 96, 3), sizes=None if sizes is None else found(sizes))
    return brief(facts, train=2_000, seconds=seconds)


MIXED = known(SIZES)
PLAN = replace(with_rungs(start(MIXED), Cnn(), ResNet()), batch=Batch(size=32))


def decided(of: Brief = MIXED, plan: Plan = PLAN) -> Applied | Skipped:
    decision = TIP.decide(of, plan)
    assert isinstance(decision, Applied | Skipped)
    return decision


def test_mixed_proportions_get_buckets_in_which_little_is_lost() -> None:
    decision = decided()
    assert isinstance(decision, Applied)
    sample = decision.plan.input
    assert len(sample.buckets) == 3
    area = [one.height * one.width for one in sample.buckets]
    assert max(area) <= 1.1 * 96 * 96 and all(one.height % 8 == one.width % 8 == 0 for one in sample.buckets)
    wide, tall, square = ((96, 144), (144, 96), (96, 96))
    places = [nearest(*size, sample.buckets) for size in (wide, tall, square)]
    assert sorted(places) == [0, 1, 2]
    ratios = [sample.buckets[place].width / sample.buckets[place].height for place in places]
    assert ratios == pytest.approx([1.5, 1 / 1.5, 1.0], rel=0.07)
    assert "and cut " in decision.because and "% off" in decision.because
    assert from_toml(to_toml(decision.plan)).plan == decision.plan
    assert decided(plan=decision.plan) == decision


@pytest.mark.parametrize(
    ("of", "plan", "why"),
    [
        (known((CommonSize(height=96, width=96, count=2_000),)), PLAN, "of one size"),
        (known((SIZES[1], CommonSize(height=96, width=100, count=900))), PLAN, "nothing to gain"),
        (known(None), PLAN, "not known"),
        (with_budget(MIXED, 30.0), PLAN, "decode twice"),
        (MIXED, with_rungs(PLAN, Linear()), "takes one size only"),
        (MIXED, with_rungs(PLAN, OWN), "takes one size only"),
        (MIXED, with_rungs(PLAN, Cnn(head="flatten")), "takes one size only"),
        (MIXED, with_rungs(PLAN), "no networks"),
        (MIXED, replace(PLAN, batch=Batch(size=8)), "batch norm would see 8"),
        (MIXED, replace(PLAN, batch=Batch(size=512)), "would each fill"),
        (MIXED, replace(PLAN, input=replace(PLAN.input, augment=Augment(quarter_turns=True))), "quarter turns"),
        (
            MIXED,
            replace(PLAN, input=replace(PLAN.input, progressive=(SmallerImages(until=0.5, px=48),))),
            "grow on the way",
        ),
    ],
)
def test_it_stays_out_with_a_reason(of: Brief, plan: Plan, why: str) -> None:
    decision = decided(of, plan)
    assert isinstance(decision, Skipped) and why in decision.because


def test_small_batches_are_fine_without_batch_norm() -> None:
    plan = replace(with_rungs(PLAN, Cnn(norm="group")), batch=Batch(size=8))
    assert isinstance(decided(MIXED, plan), Applied)


def test_tables_have_no_size() -> None:
    from tests.tips.known_briefs import BREAST_CANCER

    decision = TIP.decide(BREAST_CANCER, start(BREAST_CANCER))
    assert isinstance(decision, Skipped) and "no size" in decision.because
    assert isinstance(TIP.decide(CIFAR10, with_rungs(start(CIFAR10), Cnn())), Skipped)


def test_every_bucket_fills_its_batches_and_there_are_not_too_many() -> None:
    sizes = tuple(CommonSize(height=40 + 8 * n, width=200 - 8 * n, count=100 + n) for n in range(16))
    for least in (1, 150, 400, 900):
        buckets = chosen(sizes, 96 * 96, least, 16)
        counts = [0] * len(buckets)
        for one in sizes:
            counts[nearest(one.height, one.width, buckets)] += one.count
        assert 1 <= len(buckets) <= MOST and min(counts) >= least
    assert not chosen(sizes, 96 * 96, 10_000, 16)
    assert all(min(one.height, one.width) >= 64 for one in chosen(sizes, 96 * 96, 1, 64))


def test_images_of_two_scales_get_a_bucket_each() -> None:
    sizes = (CommonSize(height=32, width=32, count=500), CommonSize(height=256, width=256, count=500))
    assert chosen(sizes, 128 * 128, LEAST_BATCHES * 16, 8) == (
        Bucket(height=32, width=32), Bucket(height=128, width=128),
    )  # fmt: skip
