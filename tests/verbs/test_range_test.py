from dataclasses import replace

import pytest
import torch
from tests.verbs.made_data import images, plan

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.tips.interface import RateRange
from fieldcraft.verbs.prepare import Wardrobe, prepare
from fieldcraft.verbs.range_test import range_test


@pytest.fixture
def question() -> RateRange:
    return RateRange(plan=plan(steps=10), rung=0)


@pytest.fixture
def samples(question: RateRange, tmp_path):
    prepared = prepare(images(), ReadOptions(), seed=0, plan=question.plan, edits=())
    return Wardrobe(prepared, tmp_path).samples(question.plan)


def test_it_answers_with_a_rate_inside_its_interval_and_leaves_no_trace(question: RateRange, samples) -> None:
    before = torch.random.get_rng_state()
    found = range_test(question, samples, limit_s=60.0)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert set(found) == {question.key, question.low, question.high}
    assert 1e-5 <= found[question.low].value < found[question.key].value < found[question.high].value
    assert "runs of up to 100 steps" in found[question.key].sample
    again = range_test(question, samples, limit_s=60.0)
    assert again == found


def test_without_the_time_for_it_there_is_no_answer(question: RateRange, samples) -> None:
    assert range_test(question, samples, limit_s=1e-3) == {}


def test_a_network_that_learns_nothing_has_no_answer(question: RateRange, samples) -> None:
    rung = question.plan.ladder.rungs[0]
    stuck = replace(rung, network=replace(rung.network, activation="relu", dropout=0.99))
    asked = replace(question.plan, ladder=replace(question.plan.ladder, rungs=(stuck,)))
    found = range_test(RateRange(plan=asked, rung=0), samples, limit_s=1e-9)
    assert found == {}
