import pytest
from tests.tips.known_briefs import CIFAR10, applied, settle, skipped, start, with_machine, with_rungs

from fieldcraft.plan.schema import Cnn
from fieldcraft.tips.interface import Applied, Ask, Skipped
from fieldcraft.tips.one_thread import LEAST_GAIN, TIP

TWO = with_machine(CIFAR10, cores=2)
PLAN = with_rungs(start(TWO), Cnn())


def test_both_are_asked_for_together() -> None:
    decision = TIP.decide(TWO, PLAN)
    assert isinstance(decision, Ask)
    assert [question.plan.execution.threads for question in decision.measurements] == [2, 1]


@pytest.mark.parametrize(
    ("one_ms", "kind"), [(1.0, Applied), (10 * (1 - LEAST_GAIN), Applied), (9.9, Skipped), (float("inf"), Skipped)]
)
def test_one_thread_must_save_a_share_of_the_step(one_ms: float, kind: type) -> None:
    decision, _ = settle(TIP, TWO, PLAN, lambda question: one_ms if question.plan.execution.threads == 1 else 10.0)
    assert isinstance(decision, kind)


def test_one_thread_is_set() -> None:
    plan = applied(TIP, TWO, PLAN, lambda question: float(question.plan.execution.threads))
    assert plan.execution.threads == 1


def test_it_stays_out_with_one_core_and_without_networks() -> None:
    assert "one core" in skipped(TIP, with_machine(CIFAR10, cores=1), PLAN)
    assert "no networks" in skipped(TIP, TWO, start(TWO))
