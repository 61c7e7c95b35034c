from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, DIABETES, applied, brief, found, images, skipped, start, with_outputs

from fieldcraft.plan.schema import CrossEntropy, Imported, SingleLabel
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import DeepFacts, Noise
from fieldcraft.tips.interface import Applied, Skipped
from fieldcraft.tips.label_smoothing import LEAST_CLASSES, MOST, SHARE, TIP


def test_targets_of_many_classes_are_smoothed():
    assert applied(TIP, CIFAR10, start(CIFAR10)).task == SingleLabel(loss=CrossEntropy(label_smoothing=SHARE))


@pytest.mark.parametrize(("classes", "kind"), [(LEAST_CLASSES - 1, Skipped), (LEAST_CLASSES, Applied)])
def test_few_classes_are_left_alone(classes, kind):
    known = with_outputs(CIFAR10, classes)
    decision = TIP.decide(known, start(known))
    assert isinstance(decision, kind)
    assert decision.because.startswith(f"{classes} ")


def test_the_shares_in_the_reason_add_up():
    because = TIP.decide(CIFAR10, start(CIFAR10)).because
    assert "keeps 0.91" in because
    assert "0.01 each" in because
    assert pytest.approx(1) == 0.91 + 9 * 0.01


def test_it_stays_out_of_other_targets():
    labels = brief(images(32, 32, 3), train=1_000, task="multi-label")
    assert "multi-label" in skipped(TIP, labels, start(labels))
    assert "regression" in skipped(TIP, DIABETES, start(DIABETES))


def test_it_stays_out_of_ones_own_loss():
    plan = replace(start(CIFAR10), task=SingleLabel(loss=Imported(target="mine.losses:loss")))
    assert "mine.losses:loss" in skipped(TIP, CIFAR10, plan)


@pytest.mark.parametrize(
    ("low", "high", "share"),
    [(0.0, 0.3, SHARE), (0.05, 0.2, SHARE), (0.18, 0.25, 0.2), (0.4, 0.5, MOST)],
)
def test_the_share_follows_the_noise_that_is_certain(low, high, share):
    noise = Noise(labels=found((low + high) / 2), labels_95=(low, high), curve=None)
    data = replace(CIFAR10.facts.data, deep=DeepFacts(noise=noise))
    noisy = Brief(facts=replace(CIFAR10.facts, data=data))
    decision = TIP.decide(noisy, start(CIFAR10))
    assert decision.plan.task.loss.label_smoothing == pytest.approx(share)
    assert ("are wrong" in decision.because) == (share != SHARE)
