"""Confidence that is far from accuracy.

Why: networks trained to the end of their loss are surer than they are right. Whoever acts on the probability is misled.

Instead: one temperature, fitted on validation (`prediction.calibrate`); label smoothing, mixup, or fewer steps.

Leave it: where calibration is on: what is served is calibrated, the report shows both.
Source: Guo et al. 2017, arXiv:1706.04599.
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch

FAR = 0.05


def see(record: TrainingRecord) -> Iterator[Finding]:
    """A remark when the calibration error before calibration is large."""
    if record.ece is not None and record.ece > FAR:
        how = "surer than it is right" if record.overconfident else "less sure than it could be"
        yield WATCH.finding(
            record,
            f"before calibration the network is {how}: expected calibration error {record.ece:.3f}",
            remedy="keep prediction.calibrate on; label smoothing or mixup bring raw probabilities nearer",
            numbers={"ece": record.ece},
        )


WATCH = Watch(code="FC110", name="miscalibrated", severity=Severity.INFO, see=see)
