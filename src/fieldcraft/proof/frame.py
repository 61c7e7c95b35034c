"""A proof's verdicts as a pandas frame."""

from typing import TYPE_CHECKING

from fieldcraft.records.proof import Between, Proof, Verdict

if TYPE_CHECKING:
    import pandas as pd

COSTS = ("seconds", "memory_mib", "parameters", "latency_ms")


def proof_frame(proof: Proof) -> "pd.DataFrame":
    """A line for each factor, in the order of the proof's; then one for each control, whose `control` says which.

    Units: `effect`, `low` and `high` in the metric's units, positive where it was better with the factor; costs are on
    minus off, each with its own `_low` and `_high`. NaN where nothing was measured. `trusted` is of the whole proof.
    """
    import pandas as pd

    base = set(proof.setting.base)
    lines = [_line(one, "", one.factor in base) for one in proof.verdicts]
    lines += [_line(one.verdict, one.kind, None) for one in proof.controls]
    return pd.DataFrame(lines).assign(trusted=proof.trusted)


def _line(verdict: Verdict, control: str, planned: bool | None) -> dict[str, object]:
    return {
        "factor": verdict.factor,
        "control": control,
        "planned": planned,
        "verdict": verdict.word,
        **_ends("effect", verdict.effect, "low", "high"),
        "pairs": verdict.effect.pairs if verdict.effect else len(verdict.differences),
        "stage": verdict.stage,
        "trial_s": _number(verdict.trial_s),
        **{
            key: value
            for name in COSTS
            for key, value in _ends(name, getattr(verdict.cost, name), f"{name}_low", f"{name}_high").items()
        },
        "pairs_needed": _number(verdict.pairs_needed),
        "seconds_needed": _number(verdict.seconds_needed),
        "failed": len(verdict.failed),
        "because": verdict.because,
    }


def _ends(name: str, one: Between | None, low: str, high: str) -> dict[str, float]:
    nan = float("nan")
    return {name: one.value, low: one.low, high: one.high} if one else {name: nan, low: nan, high: nan}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
