"""How it was decided: the setting, what was not tested, and what had to stay the same."""

from dataclasses import dataclass

from fieldcraft.records.proof import Proof
from fieldcraft.report.metrics import metric
from fieldcraft.report.page import Absent, Table, columns, pairs
from fieldcraft.report.proof.history import STAGES
from fieldcraft.report.proof_words import margin_shown
from fieldcraft.report.wording import number, percent, plural, seconds, whole


@dataclass(frozen=True)
class Rules:
    """Settings, versions and notes."""

    settings: Table
    wanted: Table | None
    notes: tuple[str, ...]


def not_tested(proof: Proof) -> Table | Absent:
    """Tips that were left aside, and why."""
    if not proof.not_tested:
        return Absent("Everything that was asked for was tested.")
    return Table("Not tested, and why.", columns("Tip", "Why"), tuple(proof.not_tested.items()))


def rules(proof: Proof) -> Rules:
    """All that was settled before the first trial."""
    setting = proof.setting
    rows = [
        ("Metric", f"{metric(setting.metric).label}, {'more' if setting.higher_is_better else 'less'} is better"),
        ("Effect", "total: the other tips decide again" if setting.effect == "total" else "direct: all else pinned"),
        ("Arms are equal in", "planned minutes" if setting.equal == "minutes" else "optimiser steps"),
        ("Smallest effect that matters", margin_shown(proof)),
        ("Chance of any wrong “paid” or “hurt”", f"at most {percent(setting.alpha)}, over all factors and all looks"),
        ("Overlap of folds", _overlap(setting.overlap)),
        *(
            (f"A trial of the stage “{STAGES[stage][0]}”", f"{seconds(value)} planned")
            for stage, value in setting.trial_s.items()
        ),
        ("A fit of the plan", f"{seconds(setting.planned_s)} planned" if setting.planned_s else "not known"),
        ("Workers", whole(setting.workers)),
        ("Seed", str(setting.seed)),
        (
            "Factors",
            f"{plural(len(setting.base), 'factor')} in the plan, {len(setting.factors) - len(setting.base)} beside it",
        ),
    ]
    wanted = pairs("The proof goes on only while these stay the same.", tuple(setting.wanted.items()))
    return Rules(pairs("Settled before the first trial.", rows), wanted if setting.wanted else None, proof.notes)


def _overlap(share: float) -> str:
    if not share:
        return "none: pairs share no data"
    told = f"{number(share)} samples of a fold over samples trained on"
    return f"{told}; intervals are widened by what differences were seen to err together, and by no more than this"
