"""The network knows its training samples much better than others.

Why: what lies between the two is learnt by heart. As long as validation still rises this is how networks learn; when
validation falls while training goes on, more steps make the model worse.

Instead: augmentation that the data bears, weight decay, dropout or stochastic depth in moderation, label smoothing,
fewer steps (early stop); more samples help most.

Leave it: where validation was best at the end: the gap alone does no harm.
Source: Zhang et al. 2017, arXiv:1611.03530.
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import best_index, gained

SURE = 2.0
"""Standard errors from which on a difference is taken for one."""
LEAST_LOOKS = 3


def see(record: TrainingRecord) -> Iterator[Finding]:
    """A warning when validation fell again; else a remark on a gap beyond its noise."""
    values = record.validation.values
    if len(values) >= LEAST_LOOKS and record.noise > 0:
        best = best_index(record, values)
        lost = gained(record, values[best], values[-1])
        if lost > SURE * record.noise:
            yield WATCH.finding(
                record,
                f"validation was best at step {record.validation.steps[best]:,} ({record.metric} {values[best]:.4g}) "
                f"and ended at {values[-1]:.4g}, {lost / record.noise:.1f} standard errors below",
                remedy="fewer steps or early stop, augmentation, weight decay, dropout in moderation, more samples",
                numbers={"best": values[best], "last": values[-1], "noise": record.noise},
            )
            return
    if record.gap is not None:
        gap = gained(record, record.gap.training, record.gap.validation)
        if gap > SURE * record.gap.noise:
            yield WATCH.finding(
                record,
                f"{record.metric} is {record.gap.training:.4g} on training samples and {record.gap.validation:.4g} on "
                f"validation, {gap:.3g} ± {record.gap.noise:.2g} apart",
                remedy="more samples, augmentation or regularisation may close it; by itself it does no harm",
                numbers={"gap": gap, "noise": record.gap.noise},
                severity=Severity.INFO,
            )


WATCH = Watch(code="FC108", name="overfitting", severity=Severity.WARNING, see=see)
