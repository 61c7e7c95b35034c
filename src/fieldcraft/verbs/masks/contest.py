"""The candidates of a ladder for images with masks."""

from dataclasses import dataclass

from fieldcraft.plan.schema import Baseline, Plan
from fieldcraft.records.facts import Facts
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.ensemble import concluded
from fieldcraft.verbs.masks.baseline import fit_null
from fieldcraft.verbs.masks.ensemble import average_masks
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.masks.rung import train_masks
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.work import Work


@dataclass(frozen=True, kw_only=True, eq=False)
class MaskContest:
    """Candidates for images with masks."""

    plan: Plan
    facts: Facts
    samples: MaskSamples
    work: Work

    @property
    def judge(self) -> MaskJudge:
        """By overlap, case by case."""
        return MaskJudge(plan=self.plan, samples=self.samples)

    @property
    def training_samples(self) -> int:
        """Cases."""
        return len(self.samples.parts.train)

    def baseline(self, name: Baseline, judged: list[Judged]) -> Judged:
        """The mean shape, or boosted trees over filters."""
        return fit_null(name, self.plan, self.judge, judged, self.work)

    def rung(self, index: int, judged: list[Judged]) -> Judged:
        """A network of masks."""
        return train_masks(index, self.plan, self.facts, self.judge, judged, self.work)

    def average(self, judged: list[Judged]) -> Judged | None:
        """Networks together, each with the same weight."""
        found = average_masks(judged, self.plan, self.judge, self.work)
        return concluded(found, self.judge.metric, self.work)
