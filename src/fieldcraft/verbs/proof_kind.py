"""What a proof does in its own way for each kind of samples."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fieldcraft.data.dataset import Dataset
from fieldcraft.data.splits import Parts
from fieldcraft.plan.schema import Plan
from fieldcraft.proof.engine import Run
from fieldcraft.records.facts import Facts
from fieldcraft.records.proof import FinalLook, Setting
from fieldcraft.tips.interface import Tip
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.shelf import Shelf


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What the trials of a proof have in common."""

    pool: Dataset
    """Samples that folds are drawn from."""
    base: Plan
    """What a trial of the plan as it stands follows."""
    changes: tuple[str, ...]
    """Factors, and what is set by hand: what arms may differ in."""
    shelf: Shelf
    facts: Facts
    setting: Setting
    folder: Path
    """Where workers of this machine may find a file."""
    travels: bool
    """Whether workers are on machines that may not see the folder."""


class ProofKind(Protocol):
    """A proof of one kind of samples."""

    @property
    def overhead(self) -> float:
        """Of a trial, as a factor on its training."""

    @property
    def beside_s(self) -> float:
        """Seconds beside training after which a trial may be stopped."""

    @property
    def own_metrics(self) -> tuple[str, ...]:
        """What folds may be scored by, though no plan chooses by it."""

    @property
    def steps(self) -> Tip:
        """That decides how many steps a trial has."""

    def deepened(self, facts: Facts, budget_s: float) -> Facts:
        """With what takes longer to find out, within its share of a budget."""

    def higher_is_better(self, plan: Plan, metric: str) -> bool:
        """Of a metric that folds are scored by."""

    def margin(self, metric: str, pool: Dataset) -> float:
        """A difference that does not matter."""

    def notes(self, pool: Dataset, fold: Parts) -> tuple[str, ...]:
        """How pairs are parted, and what their figures mean. `fold`: of the first pair."""

    def maker(self, trials: Trials) -> Callable[[], Run]:
        """What workers are given to carry out trials."""

    def look(
        self, planned: Plan, proven: Plan, facts: Facts, setting: Setting, ledger: Ledger, command: tuple[str, ...]
    ) -> FinalLook:
        """Both plans compared on the test part. Raises: FieldcraftError when one of them does not train."""
