"""Training ended while the network was still getting better.

Why: when the last looks at validation are each better than the one before, the budget ended, not the learning.

Instead: more minutes (`--budget`), a smaller network that gets further in the same time, smaller images first.

Leave it: under a schedule that anneals to nothing, most of the gain comes at the end; then it is a remark, no fault.
Source: Smith and Topin 2019, arXiv:1708.07120.
"""

from collections.abc import Iterator
from itertools import pairwise

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import gained

LAST = 3
SURE = 2.0


def see(record: TrainingRecord) -> Iterator[Finding]:
    """A remark when each of the last values beats the one before, by more than noise in all."""
    values = record.validation.values[-LAST:]
    if len(values) < LAST or record.noise <= 0 or record.gap is None:
        return
    rising = all(gained(record, new, old) > 0 for old, new in pairwise(values))
    gain = gained(record, values[-1], values[0])
    still = gained(record, record.gap.training, record.gap.validation) < SURE * record.gap.noise
    if rising and gain > SURE * record.noise and still:
        yield WATCH.finding(
            record,
            f"{record.metric} still rose from {values[0]:.4g} to {values[-1]:.4g} over the last {LAST} looks, with no "
            "gap between training and validation",
            remedy="give more time (--budget), or a smaller network",
            numbers={"gain": gain},
        )


WATCH = Watch(code="FC113", name="unfinished-training", severity=Severity.INFO, see=see)
