"""The sentences of a verdict: what stands in them must be what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from fieldcraft.records.results import Candidate, Estimate, Interval, Member, Sure, Test
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.endings import between, passed_over
from fieldcraft.verbs.judge import Comparison
from fieldcraft.verbs.verdict import PICKED, Between, verdict

LINEAR = Candidate(name="linear", kind="baseline", validation=0.9, noise=0.0, seconds=1.0, sample="all")


def said(n: int, tested: int, metric: str = "accuracy") -> str:
    found = Test(look=1, metrics={"accuracy": Estimate(value=0.9, low=0.8, high=0.95, n=n)})
    return verdict(LINEAR, metric, None, found, tested)[1]


def test_samples_are_counted_as_samples() -> None:
    assert said(160, 160).startswith("On 160 test samples: accuracy 0.9 ")


def test_groups_are_said_beside_the_samples() -> None:
    assert said(4, 160).startswith("On 160 test samples in 4 groups: accuracy 0.9 ")


def test_metrics_have_their_names_and_as_many_digits_as_asked_for() -> None:
    network = replace(LINEAR, name="small", kind="rung", validation=0.88531)
    found = Test(look=1, metrics={"dice": Estimate(value=0.85316, low=0.84127, high=0.8609, n=9)})
    assert verdict(network, "dice", None, found, 9, digits=3) == (
        "small is returned: Dice 0.885 on validation.",
        "On 9 test samples: Dice 0.853 (95 % interval 0.841 to 0.861); this was the first look at them.",
    )
    assert verdict(network, "balanced-accuracy", None, None, 0)[0].endswith(": balanced accuracy 0.8853 on validation.")


def test_one_group_has_no_interval() -> None:
    assert "in 1 group: accuracy 0.9 (one group: no interval)" in said(1, 160)


def candidate(name: str, kind: Literal["baseline", "rung"] = "rung") -> Judged:
    record = Candidate(name=name, kind=kind, validation=0.9, noise=0.0, seconds=1.0, sample="all")
    return Judged(candidate=record, outputs=np.zeros((1, 1)))


@dataclass(frozen=True)
class SmallFirst:
    """A judge for whom no network beats another, as it can be when differences are as large as their noise."""

    metric = "accuracy"
    higher_is_better = True

    def best(self, judged: Sequence[Judged]) -> Judged:
        return judged[0]

    def compare(self, new: object, old: object) -> Comparison:
        return Comparison(gain=0.1, noise=0.01, better=True, words="+0.1 ± 0.01 accuracy, more than the noise")

    def is_worse_over_folds(self, new: object, old: object) -> bool:
        return False


def test_the_network_that_is_said_to_win_is_the_one_that_is_returned() -> None:
    linear, small, large = candidate("linear", "baseline"), candidate("small"), candidate("large")
    told = between([linear, small, large], large, SmallFirst())  # type: ignore[arg-type]
    sentence = verdict(large.candidate, "accuracy", told, None, 0)[0]
    assert sentence == (
        "The network large wins: accuracy 0.9 on validation. The best baseline, linear, reached 0.9 "
        "(+0.1 ± 0.01 accuracy, more than the noise)."
    )


def test_a_baseline_that_wins_comes_first() -> None:
    linear, small = candidate("linear", "baseline"), candidate("small")
    told = between([linear, small], linear, SmallFirst())  # type: ignore[arg-type]
    sentence = verdict(linear.candidate, "accuracy", told, None, 0)[0]
    assert sentence.startswith("A baseline wins: linear, accuracy 0.9 on validation. The best network, small, reached")
    assert sentence.endswith("The baseline is returned.")


def test_with_one_kind_only_there_is_nothing_to_compare() -> None:
    small = candidate("small")
    assert between([small], small, SmallFirst()) is None  # type: ignore[arg-type]
    assert verdict(small.candidate, "accuracy", None, None, 0) == (
        "small is returned: accuracy 0.9 on validation.",
        "There is no test part, so nothing is known about samples that took no part in any choice.",
    )


def share(value: float) -> Estimate:
    return Estimate(value=value, low=value - 0.05, high=value + 0.05, n=160)


def sure(reached: bool) -> str:
    found = Sure(
        wanted=0.99, threshold=0.875, reached=reached, validation_accuracy=0.99, validation_coverage=0.7,
        accuracy=share(0.95), coverage=share(0.75),
    )  # fmt: skip
    return verdict(LINEAR, "accuracy", None, Test(look=3, metrics={}, sure=found), 160)[-1]


def test_what_sure_means_is_said() -> None:
    assert sure(reached=True) == (
        "75.0% of the test samples are called sure (probability at least 0.875); 95.0% (95 % interval 90.0% to 100.0%) "
        "of those are right (wanted: 99.0%)."
    )


def test_a_threshold_that_was_not_reached_is_no_promise() -> None:
    assert sure(reached=False).startswith("No threshold made the sure predictions 99.0% accurate on validation; ")
    assert "flags 25% of the test samples unsure" in sure(reached=False)


def test_later_looks_are_numbered() -> None:
    found = Test(look=3, metrics={"accuracy": share(0.9)})
    assert "this was look 3 at them" in verdict(LINEAR, "accuracy", None, found, 160)[1]


def test_intervals_are_held_against_what_was_wanted() -> None:
    band = Interval(wanted=0.9, half_width=(1.0,), sigma=(0.5,), coverage=share(0.85))
    found = Test(look=1, metrics={}, interval=band)
    assert verdict(LINEAR, "rmse", None, found, 160)[-1] == (
        "Intervals made to hold 90% of the values held 85.0% (95 % interval 80.0% to 90.0%) of them on test."
    )


def test_with_a_metric_of_ones_own_the_test_part_is_still_told_of() -> None:
    assert "test samples: accuracy 0.9 " in said(160, 160, "mypackage.metrics:worst_recall")


def test_a_better_looking_candidate_that_is_not_returned_is_named() -> None:
    small, large = candidate("small"), candidate("large")
    large = replace(large, candidate=replace(large.candidate, validation=0.95))
    told = passed_over([small, large], small, SmallFirst())  # type: ignore[arg-type]
    assert told == ("large reached accuracy 0.95, yet small is returned: +0.1 ± 0.01 accuracy, more than the noise",)
    assert passed_over([small, large], large, SmallFirst()) == ()  # type: ignore[arg-type]


def test_an_average_names_its_members_and_says_where_the_best_alone_looks_better() -> None:
    members = (
        Member(name="linear", weight=0.6),
        Member(name="large", weight=0.2),
        Member(name="large-2", weight=0.2, copy_of="large"),
    )
    average = replace(LINEAR, name="ensemble", kind="ensemble", validation=0.91, members=members)

    def first(gain: float) -> str:
        found = Comparison(gain=gain, noise=0.02, better=False, words="as compared")
        return verdict(average, "accuracy", Between(average, LINEAR, found), None, 0)[0]

    told = (
        "An average of 3 models wins (0.6 linear and 2 x 0.2 large): accuracy 0.91 on validation. The best one alone, "
        "linear, reached 0.9 (as compared)."
    )
    assert first(0.01) == told
    assert first(-0.01) == told.replace("wins", "is returned") + PICKED
