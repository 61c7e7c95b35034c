"""What evidence says of each tip: its effect over data sets, and whether the tip keeps its place in drafts."""

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from pydantic import TypeAdapter

from fieldcraft.proof.evidence import latest
from fieldcraft.proof.pooled import LEAST_SETS, Measured, Pooled, pooled, same_set
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.prior import FAMILIES, Family, Kind, Prior, Standing, TipPrior

LEAST_PAIRS = 3
"""Fewer pairs give no standard error to weigh by."""
UNITS: Mapping[Family, tuple[float, str]] = {
    "accuracy": (100.0, " points"),
    "auroc": (100.0, " points of AUROC"),
    "r2": (1.0, " of R2"),
    "log-loss": (1.0, " nats of log-loss"),
    "error": (100.0, " % less error"),
    "dice": (1.0, " of Dice"),
    "iou": (1.0, " of IoU"),
}


def weigh(lines: Iterable[Evidence], versions: Mapping[str, str]) -> Prior:
    """All that the lines say of tips as they decide now; `versions` by name of the tip.

    Pooled are total effects at equal minutes, of the tip's present version, from the same kind of samples and metrics
    of the same family. A set that was proved several times counts once.
    """
    groups: dict[tuple[str, Kind, Family], list[Evidence]] = {}
    known = latest(lines)
    for line in known:
        family = FAMILIES.get(line.metric)
        default = line.measures == "total" and line.equal == "minutes"
        if family and default and line.version and line.version == versions.get(line.tip):
            groups.setdefault((line.tip, line.kind, family), []).append(line)
    found = tuple(_weighed(*key, groups[key]) for key in sorted(groups))
    return Prior(digest=_digest(known) if known else "", tips=found)


def measured(line: Evidence, family: Family) -> Measured | None:
    """The effect as it can be pooled; None with too few pairs, or where they all gave the same."""
    effect = line.effect
    if effect is None or effect.error is None or effect.pairs < LEAST_PAIRS:
        return None
    unit = 1.0
    if family == "error":
        if not line.level or line.level <= 0:
            return None
        unit = line.level
    one = Measured(value=effect.value / unit, error=effect.error / unit)
    return one if one.error > 0 and math.isfinite(one.value) and math.isfinite(one.error) else None


def sets_of(lines: Sequence[Evidence]) -> dict[str, list[Evidence]]:
    """Lines by data set: those with one public name are of one set, also where they took different samples of it."""
    names = {line.data: line.name for line in sorted(lines, key=lambda line: line.name) if line.name}
    found: dict[str, list[Evidence]] = {}
    for line in lines:
        found.setdefault(names.get(line.data, line.data), []).append(line)
    return found


def _weighed(tip: str, kind: Kind, family: Family, lines: Sequence[Evidence]) -> TipPrior:
    by_set = sets_of(lines)
    proofs = [[one for line in same if (one := measured(line, family))] for _, same in sorted(by_set.items())]
    mean = pooled([same_set(some) for some in proofs if some])
    words = Counter(_word(same) for same in by_set.values())
    standing = _standing(mean, words, len(by_set))
    return TipPrior(
        tip=tip,
        kind=kind,
        family=family,
        sets=mean.sets if mean else 0,
        value=mean.value if mean else None,
        low=mean.low if mean else None,
        high=mean.high if mean else None,
        spread=mean.spread if mean else None,
        paid=words["paid"],
        hurt=words["hurt"],
        nothing=words["no effect that matters"],
        standing=standing,
        because=_because(standing, mean, words, len(by_set), family),
    )


def _word(proofs: Sequence[Evidence]) -> str:
    """The verdict on one set: what its decided proofs agree on, else that it cannot be told."""
    decided = {line.word for line in proofs} - {"cannot tell yet"}
    return decided.pop() if len(decided) == 1 else "cannot tell yet"


def _standing(mean: Pooled | None, words: Counter[str], sets: int) -> Standing:
    if mean is not None and mean.high is not None and mean.high < 0:
        return "left out"
    if sets >= LEAST_SETS and 2 * (words["hurt"] + words["no effect that matters"]) > sets:
        return "no default"
    return "open"


def _because(standing: Standing, mean: Pooled | None, words: Counter[str], sets: int, family: Family) -> str:
    if standing == "no default":
        return (
            f"of {sets} sets it hurt on {words['hurt']}, had no effect that matters on "
            f"{words['no effect that matters']} and paid on {words['paid']}"
        )
    if mean is None:
        return f"on {sets} set{'s' * (sets != 1)} nothing could be pooled"
    return f"{effect_in_words(mean, family)} over {mean.sets} set{'s' * (mean.sets != 1)}"


def effect_in_words(mean: Pooled | TipPrior, family: Family) -> str:
    """Such as "-0.41 points [-0.72, -0.10]"; "too few sets for an interval" below five sets."""
    assert mean.value is not None
    scale, unit = UNITS[family]
    told = f"{signed(scale * mean.value)}{unit}"
    if mean.low is None or mean.high is None:
        return f"{told} (too few sets for an interval)"
    return f"{told} [{signed(scale * mean.low)}, {signed(scale * mean.high)}]"


def signed(value: float) -> str:
    """Three digits and a sign; what rounding left of zero is zero."""
    return f"{round(value, 9) + 0.0:+.3g}"


def _digest(lines: Sequence[Evidence]) -> str:
    body = TypeAdapter(tuple[Evidence, ...]).dump_python(tuple(lines), mode="json")
    return blake2b(json.dumps(body, sort_keys=True, allow_nan=False).encode(), digest_size=16).hexdigest()
