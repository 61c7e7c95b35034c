"""Which candidate is better: the metric above its noise, log-loss below it."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.verbs.made_data import plan
from tests.verbs.made_judged import Validation, candidate

from fieldcraft.plan.schema import Imported, SingleLabel, TaskPlan
from fieldcraft.verbs.endings import passed_over
from fieldcraft.verbs.judge import Judge

TRUTH = np.arange(400) % 2


def judge(task: TaskPlan | str = "single-label", values: npt.NDArray[np.generic] = TRUTH) -> Judge:
    return Judge(plan=plan(task), samples=Validation(values))  # type: ignore[arg-type]


def logits(right: int, sure: float) -> npt.NDArray[np.float64]:
    """Outputs that are right for the first so many samples, each as sure as the others."""
    told = np.where(np.arange(len(TRUTH)) < right, TRUTH, 1 - TRUTH)
    return sure * np.stack([1.0 - told, told], axis=1)


def test_above_its_noise_the_metric_decides() -> None:
    found = judge().compare(logits(380, 1.0), logits(300, 5.0))
    assert found.better and found.gain == pytest.approx(0.2) and found.noise < 0.05
    assert found.words.endswith(", more than the noise")
    worse = judge().compare(logits(300, 5.0), logits(380, 1.0))
    assert not worse.better and worse.gain == pytest.approx(-0.2)


def spread(seed: int, apart: float) -> npt.NDArray[np.float64]:
    """All right; half of them are told apart by little."""
    rng = np.random.default_rng(seed)
    margin = np.where(np.arange(len(TRUTH)) % 4 < 2, apart, 2.0) * rng.uniform(0.8, 1.2, len(TRUTH))
    wrong = np.arange(len(TRUTH)) < 20
    signed = np.where(wrong, -0.2, margin) * np.where(TRUTH == 1, 1, -1)
    return np.stack([-signed / 2, signed / 2], axis=1)


def test_below_the_noise_log_loss_decides() -> None:
    found = judge().compare(spread(0, 2.0), spread(1, 0.1))
    assert found.gain == 0
    assert found.better and "log-loss lower by" in found.words and found.words.endswith("decides")
    other = judge().compare(spread(1, 0.1), spread(0, 2.0))
    assert not other.better and other.words.endswith("does not decide either")


def test_a_temperature_alone_is_no_gain() -> None:
    found = judge().compare(spread(0, 1.0), 3 * spread(0, 1.0))
    assert not found.better


def test_with_log_loss_as_the_metric_nothing_else_is_asked() -> None:
    found = judge(SingleLabel(metric="log-loss")).compare(spread(0, 1.0), spread(0, 1.0))
    assert not found.better and found.words.endswith(", not more than the noise")
    assert judge(SingleLabel(metric="log-loss")).compare(spread(0, 2.0), spread(1, 0.1)).better


def test_where_the_metric_is_the_log_loss_candidates_are_judged_as_they_are_returned() -> None:
    """A network that is four times too sure is calibrated in the end: it is as good as one that is not."""
    by_loss = judge(SingleLabel(metric="log-loss"))
    sure, plain = 4 * spread(0, 1.0), spread(0, 1.0)
    assert by_loss.value(sure) == pytest.approx(by_loss.value(plain), rel=1e-3)
    assert by_loss.compare(sure, spread(1, 0.3)).better
    as_they_are = replace(
        by_loss, plan=replace(by_loss.plan, prediction=replace(by_loss.plan.prediction, calibrate=False))
    )
    assert as_they_are.value(sure) != pytest.approx(as_they_are.value(plain), rel=0.5)


def test_regression_is_judged_by_its_error_alone() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(300, 1))
    near, far = values + rng.normal(0, 0.1, (300, 1)), values + rng.normal(0, 0.5, (300, 1))
    assert judge("regression", values).compare(near, far).better
    assert judge("regression", values).compare(near, far).gain > 0
    tie = judge("regression", values).compare(near, near + 1e-9)
    assert not tie.better and tie.words.endswith(", not more than the noise")
    assert not judge("regression", values).higher_is_better


def test_ones_own_metric_decides_larger_being_better(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SingleLabel(metric=Imported(target="tests.verbs.test_judge:share_of_ones"))
    assert judge(own).higher_is_better and judge(own).metric == "tests.verbs.test_judge:share_of_ones"
    ones, zeros = np.tile([0.0, 1.0], (400, 1)), np.tile([1.0, 0.0], (400, 1))
    assert judge(own).value(ones) == 1.0
    assert judge(own).compare(ones, zeros).better
    assert not judge(own).compare(zeros, ones).better


def share_of_ones(truth: npt.NDArray[np.generic], scores: npt.NDArray[np.float64]) -> float:
    return float(scores.argmax(axis=1).mean())


def test_the_best_is_the_first_that_no_later_one_beats() -> None:
    judged = [candidate("a", logits(300, 1.0)), candidate("b", logits(380, 1.0)), candidate("c", logits(380, 1.0))]
    assert judge().best(judged).candidate.name == "b"
    assert judge().best(judged[:1]).candidate.name == "a"
    assert judge().noise(judged[0].outputs, []) == 0.0
    assert judge().noise(judged[2].outputs, judged[:2]) > 0


def test_groups_are_resampled_whole() -> None:
    few = replace(judge(), samples=Validation(TRUTH, np.repeat(["a", "b", "c", "d"], 100)))  # type: ignore[arg-type]
    better, worse = logits(400, 1.0), logits(300, 1.0)  # all of the difference lies in one group
    assert few.compare(better, worse).noise > 3 * judge().compare(better, worse).noise


@settings(deadline=None, max_examples=15)
@given(a=st.integers(0, 400), b=st.integers(0, 400), sure=st.floats(0.1, 5))
def test_no_two_are_each_better_than_the_other(a: int, b: int, sure: float) -> None:
    one, two = logits(a, sure), logits(b, 1.0)
    assert not (judge().compare(one, two).better and judge().compare(two, one).better)


def test_within_the_noise_both_signs_must_agree_to_be_returned() -> None:
    """A judge whose differences are given: in the metric, then in log-loss."""
    outputs = spread(0, 1.0)

    class Given(Judge):
        pairs: ClassVar[list[tuple[float, float]]] = []

        def _difference(self, *asked: object) -> tuple[float, float]:
            return self.pairs[0] if asked[0] != "log-loss" else self.pairs[1]

    fixed = Given(plan=judge().plan, samples=judge().samples)
    for nats, leans in ((0.1, True), (-0.1, False)):
        Given.pairs = [(0.005, 0.01), (nats, 0.2)]
        found = fixed.compare(outputs, outputs)
        assert (found.better, found.leans) == (False, leans)
    Given.pairs = [(-0.005, 0.01), (0.1, 0.2)]
    assert not fixed.compare(outputs, outputs).leans


LOW, HIGH = (0.2, 0.3, 0.4), (0.3, 0.4, 0.45)


@pytest.mark.parametrize(
    ("metric", "first", "second", "returned"),
    [
        ("log-loss", LOW, HIGH, "linear"),
        ("log-loss", HIGH, LOW, "boosting"),
        ("log-loss", LOW, (0.3, 0.2, 0.41), "boosting"),  # within the noise over folds
        ("log-loss", LOW, (), "boosting"),
        ("log-loss", LOW, HIGH[:2], "boosting"),
        ("accuracy", LOW, HIGH, "boosting"),  # is not what baselines are tuned by
    ],
)
def test_folds_of_the_training_part_outweigh_validation_of_two_baselines(
    metric: str, first: tuple[float, ...], second: tuple[float, ...], returned: str
) -> None:
    by = judge(SingleLabel(metric=metric))  # type: ignore[arg-type]
    linear, boosting = candidate("linear", logits(340, 1.0), first), candidate("boosting", logits(380, 2.0), second)
    assert by.compare(boosting.outputs, linear.outputs).better
    assert by.best([linear, boosting]).candidate.name == returned


def test_a_baseline_that_folds_speak_against_is_told_of_whoever_wins() -> None:
    by = judge(SingleLabel(metric="log-loss"))
    made = [
        candidate("linear", logits(340, 1.0), LOW), candidate("boosting", logits(390, 3.0), HIGH),
        candidate("small", logits(370, 2.0)),
    ]  # fmt: skip
    judged = [replace(one, candidate=replace(one.candidate, validation=by.value(one.outputs))) for one in made]
    winner = by.best(judged)
    assert winner.candidate.name == "small"
    (told,) = passed_over(judged, winner, by)
    assert told.startswith("boosting reached log-loss") and "yet small is returned" in told
    assert told.endswith("but cross-validated on the training part it is worse than linear")
