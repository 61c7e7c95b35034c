from dataclasses import replace

from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, PHOTOGRAPHS, applied, found, skipped, start, with_rungs

from fieldcraft.plan.schema import Cnn, Mlp
from fieldcraft.records.brief import Brief
from fieldcraft.tips.spatial_pyramid import TIP


def of_sizes(low: int, median: int, high: int) -> Brief:
    inputs = replace(PHOTOGRAPHS.images, height=found((low, median, high)))
    return Brief(facts=replace(PHOTOGRAPHS.facts, data=replace(PHOTOGRAPHS.data, inputs=inputs)))


def test_one_size_needs_no_pyramid():
    assert "32x32 px, loses nothing" in skipped(TIP, CIFAR10, with_rungs(start(CIFAR10), Cnn()))
    assert "a factor of 1.02" in skipped(TIP, of_sizes(222, 224, 226), with_rungs(start(PHOTOGRAPHS), Cnn()))


def test_many_sizes_are_told_with_what_is_done_about_them():
    why = skipped(TIP, of_sizes(100, 224, 500), with_rungs(start(PHOTOGRAPHS), Cnn(widths=(8, 10))))
    assert "heights of 100 to 500" in why and "(a factor of 5) fit any head that pools, in 224x224 px" in why
    assert "21 bins and 630 weights in the last map instead of 30" in why


def test_a_pyramid_that_was_asked_for_stays():
    plan = with_rungs(start(CIFAR10), Cnn(head="pyramid", levels=(1, 2)))
    assert applied(TIP, CIFAR10, plan) == plan


def test_rows_have_no_map():
    skipped(TIP, BREAST_CANCER, with_rungs(start(BREAST_CANCER), Mlp()))
