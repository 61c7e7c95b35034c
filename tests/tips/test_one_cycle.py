import pytest
from tests.tips.known_briefs import CIFAR10, OWN, applied, skipped, start, with_budget, with_rungs

from fieldcraft.plan.schema import OneCycle
from fieldcraft.tips.one_cycle import END, START, TIP, WARM_UP


def test_every_ladder_gets_it():
    plan = applied(TIP, CIFAR10, with_rungs(start(CIFAR10), OWN))
    assert plan.schedule == OneCycle(warm_up=WARM_UP, start=START, end=END, shape="cosine")


@pytest.mark.parametrize(("seconds", "words"), [(180.0, "budget of 180 s"), (None, "fixed number of epochs")])
def test_the_reason_says_what_fixes_the_end(seconds, words):
    assert words in TIP.decide(with_budget(CIFAR10, seconds), with_rungs(start(CIFAR10), OWN)).because


def test_it_stays_out_of_an_empty_ladder():
    skipped(TIP, CIFAR10, start(CIFAR10))
