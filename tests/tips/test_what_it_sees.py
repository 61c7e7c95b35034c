"""The tips about what a network sees and how often: each branch of their decisions."""

from dataclasses import replace

import pytest
from tests.tips.known_briefs import BREAST_CANCER, CIFAR10, DIGITS, applied, found, settle, skipped, start, with_budget

from fieldcraft.plan.edit import edit
from fieldcraft.plan.schema import (
    Augment,
    Cnn,
    CrossEntropy,
    Ladder,
    MultiLabel,
    ResNet,
    Rung,
    SingleLabel,
    SmallerImages,
)
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import DeepFacts, Symmetry
from fieldcraft.tips import (
    class_imbalance,
    mixup_and_cutmix,
    progressive_resizing,
    test_time_augmentation,
    trivial_augment,
)
from fieldcraft.tips.interface import Applied
from fieldcraft.tips.phases import at_size, phases

NET = Rung(name="net", network=ResNet(), steps=100, lr=0.1)


def looking(network=None):
    plan = start(CIFAR10)
    rung = replace(NET, network=network or NET.network)
    return replace(plan, ladder=Ladder(rungs=(rung,)))


def with_symmetry(known, **verdicts):
    every = tuple(
        Symmetry(transform=name.replace("_", "-"), survives=verdict, gain=0.0, low=-0.01, high=0.01, margin=0.02)
        for name, verdict in verdicts.items()
    )
    return Brief(facts=replace(known.facts, data=replace(known.data, deep=DeepFacts(symmetry=found(every)))))


def with_imbalance(known, ratio):
    data = known.data
    return Brief(facts=replace(known.facts, data=replace(data, target=replace(data.target, imbalance=found(ratio)))))


# ---------------------------------------------------------------- class imbalance


@pytest.mark.parametrize(
    ("metric", "ratio", "adjusted"),
    [("accuracy", 50.0, False), ("balanced-accuracy", 50.0, True), ("f1", 3.0, True), ("f1", 1.5, False),
     ("log-loss", 9.0, False), ("auroc", 9.0, False)],
)  # fmt: skip
def test_the_metric_decides_about_imbalance(metric, ratio, adjusted):
    plan = replace(start(CIFAR10), task=SingleLabel(metric=metric))
    known = with_imbalance(CIFAR10, ratio)
    if adjusted:
        assert applied(class_imbalance.TIP, known, plan).task.loss == CrossEntropy(logit_adjustment=1.0)
    else:
        assert f"{ratio:.3g}" in skipped(class_imbalance.TIP, known, plan)


def test_labels_get_weights():
    plan = replace(start(CIFAR10), task=MultiLabel(metric="f1"))
    done = applied(class_imbalance.TIP, with_imbalance(CIFAR10, 9.0), plan)
    assert done.task.loss.class_weights == "square-root"


# ---------------------------------------------------------------- views


def mirroring(plan):
    return replace(plan, input=replace(plan.input, augment=Augment(flip_horizontal=True)))


@pytest.mark.parametrize(("verdict", "views"), [("yes", ("mirror",)), ("no", ()), ("cannot-tell", ())])
def test_only_measured_views_are_averaged(verdict, views):
    known = with_symmetry(CIFAR10, flip_horizontal=verdict)
    done, _ = settle(test_time_augmentation.TIP, known, mirroring(looking()))
    assert (done.plan.prediction.tta if isinstance(done, Applied) else ()) == views
    if views:
        assert "2 times as long" in done.because


def test_views_that_training_does_not_show_are_not_asked():
    skipped(test_time_augmentation.TIP, with_symmetry(CIFAR10, flip_horizontal="yes"), looking())
    assert "not measured" in skipped(test_time_augmentation.TIP, CIFAR10, mirroring(looking()))


@pytest.mark.parametrize("limit", [{"limit_macs": 10**9}, {"limit_ms": 100.0}])
def test_predictions_with_a_limit_are_of_one_view(limit):
    known, plan = with_symmetry(CIFAR10, flip_horizontal="yes"), mirroring(looking())
    limited = replace(plan, prediction=replace(plan.prediction, **limit))
    assert "one more pass" in skipped(test_time_augmentation.TIP, known, limited)


# ---------------------------------------------------------------- what stays out


def test_mixing_and_drawing_stay_out_unless_asked_for():
    assert "300" in skipped(mixup_and_cutmix.TIP, CIFAR10, looking())
    assert "0 changes" in skipped(trivial_augment.TIP, CIFAR10, looking())
    known = with_symmetry(CIFAR10, gray="yes", contrast="yes", blur="no", translation="yes")
    assert "translation, contrast, gray are harmless" in skipped(trivial_augment.TIP, known, looking())
    plan = looking()
    asked = replace(plan, input=replace(plan.input, augment=Augment(cutmix=1.0, trivial=("gray",))))
    for tip in (mixup_and_cutmix.TIP, trivial_augment.TIP):
        assert skipped(tip, CIFAR10, asked).startswith("asked for")


@pytest.mark.parametrize(
    "tip",
    [mixup_and_cutmix.TIP, trivial_augment.TIP, test_time_augmentation.TIP, progressive_resizing.TIP],
    ids=lambda tip: tip.name,
)
def test_tables_have_no_pictures(tip):
    assert "table" in skipped(tip, BREAST_CANCER, start(BREAST_CANCER))


# ---------------------------------------------------------------- smaller images first


def test_where_it_could_pay_it_says_how_to_try_it_and_that_works():
    why = skipped(progressive_resizing.TIP, CIFAR10, looking())
    assert "60% of the steps at 24 px would cost 56% each" in why
    tried = edit(looking(), [why.partition("--set '")[2].rstrip("'")])
    assert tried.input.progressive == (SmallerImages(until=0.6, px=24),)
    assert skipped(progressive_resizing.TIP, CIFAR10, tried).startswith("asked for")


def test_it_stays_out_of_networks_and_images_that_do_not_allow_it():
    for network in (ResNet(head="flatten"), Cnn(padding="none"), Cnn(widths=(8, 8, 8, 8, 8))):
        assert "net takes one size only" in skipped(progressive_resizing.TIP, CIFAR10, looking(network))
    assert "8 px" in skipped(progressive_resizing.TIP, DIGITS, start(DIGITS))
    assert "without a limit" in skipped(progressive_resizing.TIP, with_budget(CIFAR10, None), looking())


def test_phases_share_out_all_steps():
    plan = looking()
    plan = replace(plan, input=replace(plan.input, progressive=(SmallerImages(until=0.6, px=24),)))
    assert phases(plan) == ((0.6, at_size(plan, 24)), (0.4, at_size(plan, None)))
    assert phases(looking()) == ((1.0, looking()),)
