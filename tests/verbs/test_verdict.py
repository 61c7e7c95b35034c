"""The sentences of a verdict: what stands in them must be what was measured."""

from fieldcraft.records.results import Candidate, Estimate, Test
from fieldcraft.verbs.verdict import verdict

LINEAR = Candidate(name="linear", kind="baseline", validation=0.9, noise=0.0, seconds=1.0, sample="all")


def said(n: int, tested: int) -> str:
    found = Test(look=1, metrics={"accuracy": Estimate(value=0.9, low=0.8, high=0.95, n=n)})
    return verdict(LINEAR, "accuracy", None, found, tested)[1]


def test_samples_are_counted_as_samples() -> None:
    assert said(160, 160).startswith("On 160 test samples: accuracy 0.9 ")


def test_groups_are_said_beside_the_samples() -> None:
    assert said(4, 160).startswith("On 160 test samples in 4 groups: accuracy 0.9 ")
