from dataclasses import replace

import pytest
from tests.tips.known_briefs import (
    BREAST_CANCER,
    CIFAR10,
    DIGITS,
    MNIST,
    applied,
    brief,
    found,
    images,
    settle,
    skipped,
    start,
)

from fieldcraft.plan.schema import Augment
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import DeepFacts, Symmetry
from fieldcraft.tips.augmentation import ERASE, TIP, TURN_DEG


def augmented(height, width, channels, train=50_000):
    known = brief(images(height, width, channels), train=train)
    return applied(TIP, known, start(known)).input.augment


def test_known_sets():
    assert applied(TIP, DIGITS, start(DIGITS)).input.augment == Augment(crop_px=1)
    assert applied(TIP, MNIST, start(MNIST)).input.augment == Augment(crop_px=2, rotate_deg=TURN_DEG)
    assert applied(TIP, CIFAR10, start(CIFAR10)).input.augment == Augment(crop_px=2, flip_horizontal=True)


@pytest.mark.parametrize(
    ("side", "channels", "mirrored"), [(32, 3, True), (31, 3, False), (32, 1, False), (224, 1, False), (64, 4, False)]
)
def test_only_colour_images_of_some_size_are_mirrored(side, channels, mirrored):
    found = augmented(side, side, channels)
    assert found.flip_horizontal is mirrored
    assert not found.flip_vertical


@pytest.mark.parametrize(("side", "channels", "turned"), [(16, 1, True), (15, 1, False), (64, 3, False)])
def test_only_gray_images_are_turned(side, channels, turned):
    assert (augmented(side, side, channels).rotate_deg > 0) is turned


@pytest.mark.parametrize(("train", "side", "share"), [(3_200, 16, ERASE), (3_500, 16, 0.0), (3_200, 15, 0.0)])
def test_only_small_sets_are_erased(train, side, share):
    assert augmented(side, side, 1, train).erase == share


@pytest.mark.parametrize(("side", "px"), [(8, 1), (28, 2), (32, 2), (96, 6), (224, 14), (4096, 64)])
def test_shifts_are_a_sixteenth_of_the_shorter_side(side, px):
    assert augmented(side, 4096, 3).crop_px == px


def measured(known, **verdicts):
    found_all = tuple(
        Symmetry(transform=name.replace("_", "-"), survives=verdict, gain=0.0, low=-0.011, high=0.012, margin=0.02)
        for name, verdict in verdicts.items()
    )
    data = replace(known.data, deep=DeepFacts(symmetry=found(found_all)))
    return Brief(facts=replace(known.facts, data=data))


def test_what_was_measured_overrules_what_is_taken_for_granted():
    no = applied(TIP, measured(CIFAR10, flip_horizontal="no", translation="no"), start(CIFAR10)).input.augment
    assert no == Augment()
    known = measured(CIFAR10, flip_horizontal="yes", flip_vertical="yes", quarter_turns="yes")
    done, _ = settle(TIP, known, start(CIFAR10))
    yes = done.plan.input.augment
    assert yes.flip_horizontal and yes.flip_vertical and yes.quarter_turns
    assert "flip-vertical yes (-1.1 to +1.2 points)" in done.because
    digits = applied(TIP, measured(MNIST, rotation="no", flip_horizontal="no"), start(MNIST)).input.augment
    assert digits == Augment(crop_px=2)


def test_where_the_data_cannot_tell_it_is_as_without_a_measurement():
    names = ("flip_horizontal", "flip_vertical", "quarter_turns", "rotation", "translation", "scale", "brightness")
    for known in (CIFAR10, MNIST, DIGITS):
        unsure = measured(known, **dict.fromkeys(names, "cannot-tell"))
        assert applied(TIP, unsure, start(known)).input.augment == applied(TIP, known, start(known)).input.augment


def test_angle_size_and_look_take_part_in_small_sets_only():
    names = dict.fromkeys(("rotation", "scale", "brightness", "contrast"), "yes")
    small = applied(TIP, measured(brief(images(32, 32, 3), train=2_000), **names), start(CIFAR10)).input.augment
    assert small.rotate_deg and small.scale and small.brightness and small.contrast
    large = applied(TIP, measured(CIFAR10, **names), start(CIFAR10)).input.augment
    assert large == Augment(crop_px=2, flip_horizontal=True)


def test_ones_own_augmentation_stays():
    plan = start(CIFAR10)
    plan = replace(plan, input=replace(plan.input, augment=Augment(own=("mine.augment:noise",))))
    assert applied(TIP, CIFAR10, plan).input.augment.own == ("mine.augment:noise",)


def test_it_stays_out_of_tiny_images_and_rows():
    tiny = brief(images(7, 64, 1), train=5_000)
    assert "7 px" in skipped(TIP, tiny, start(tiny))
    skipped(TIP, BREAST_CANCER, start(BREAST_CANCER))
