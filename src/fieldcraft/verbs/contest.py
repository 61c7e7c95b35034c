"""Who takes part in a ladder: how its baselines and its networks are trained and judged, whatever the samples are."""

from collections.abc import Sequence
from typing import Protocol

from fieldcraft.plan.schema import Baseline
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.judge import Comparison, Outputs


class Judging(Protocol):
    """What compares candidates on the validation part."""

    @property
    def metric(self) -> str:
        """Name of the plan's metric."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Whether larger values are better."""
        ...

    def compare(self, new: Outputs, old: Outputs) -> Comparison:
        """Is the first better than the second by more than noise?"""
        ...

    def best(self, judged: Sequence[Judged]) -> Judged:
        """The one to return."""
        ...

    def is_worse_over_folds(self, new: Judged, old: Judged) -> bool:
        """Whether folds of the training part speak against the first."""
        ...


class Contest(Protocol):
    """A ladder's candidates, trained when they are asked for."""

    @property
    def judge(self) -> Judging:
        """What compares them."""
        ...

    @property
    def training_samples(self) -> int:
        """Of which a pass over the data is made."""
        ...

    def baseline(self, name: Baseline, judged: list[Judged]) -> Judged:
        """Fit and judge a baseline."""
        ...

    def rung(self, index: int, judged: list[Judged]) -> Judged:
        """Train and judge a network, or go on where it was killed."""
        ...

    def average(self, judged: list[Judged]) -> Judged | None:
        """Several candidates as one; None where that gains nothing."""
        ...
