from dataclasses import replace

import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_rungs

from fieldcraft.plan.schema import AdamW, Sgd
from fieldcraft.tips.weight_decay import ADAMW_DECAY, SGD_DECAY, TIP


@pytest.mark.parametrize(("optimiser", "decay"), [(Sgd(momentum=0.5), SGD_DECAY), (AdamW(beta1=0.8), ADAMW_DECAY)])
def test_weights_decay_and_norms_and_biases_do_not(optimiser, decay):
    plan = replace(with_rungs(start(CIFAR10), OWN), optimiser=optimiser)
    expected = replace(optimiser, weight_decay=decay, decay_norms_and_biases=False)
    assert applied(TIP, CIFAR10, plan).optimiser == expected


def test_it_stays_out_of_an_empty_ladder():
    skipped(TIP, CIFAR10, start(CIFAR10))
