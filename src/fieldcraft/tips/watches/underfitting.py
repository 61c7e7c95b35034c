"""The network has not learnt what simple models learn.

Why: a network that ends no better than a constant has not begun to learn; one that ends below a linear model on the
same columns was trained too briefly, too gently, or is broken.

Instead: look at what else was found (gradients, dead units, updates); then a higher rate, more steps, a norm; check
that inputs are scaled and labels belong to their samples.

Leave it: where the target is noise; then nothing beats a constant, baselines included.
Source: the null of every task; Karpathy 2019, "A recipe for training neural networks".
"""

from collections.abc import Iterator

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch
from fieldcraft.tips.watches.typical import gained

SURE = 2.0


def see(record: TrainingRecord) -> Iterator[Finding]:
    """An error below the best constant where something else does better, a warning below another baseline."""
    if record.gap is None or not record.baselines:
        return
    reached, noise = record.gap.validation, max(record.noise, 1e-12)
    best = max(record.baselines, key=lambda name: gained(record, record.baselines[name], 0.0))
    ahead = gained(record, record.baselines[best], reached)
    constant = record.baselines.get("majority")
    if constant is not None and gained(record, reached, constant) < SURE * noise and ahead > SURE * noise:
        yield WATCH.finding(
            record,
            f"{record.metric} {reached:.4g} on validation is no better than a constant's {constant:.4g}; {best} "
            f"reaches {record.baselines[best]:.4g}",
            remedy="look at the other findings first; then the rate, the number of steps, the scaling of inputs",
            numbers={"reached": reached, "constant": constant, "best_baseline": record.baselines[best]},
        )
    elif ahead > SURE * noise and gained(record, record.baselines[best], record.gap.training) > 0:
        yield WATCH.finding(
            record,
            f"{record.metric} is {record.gap.training:.4g} even on training samples; the {best} baseline reaches "
            f"{record.baselines[best]:.4g} on validation",
            remedy="more steps, a higher rate, a larger network",
            numbers={"training": record.gap.training, "best_baseline": record.baselines[best]},
            severity=Severity.WARNING,
        )


WATCH = Watch(code="FC109", name="underfitting", severity=Severity.ERROR, see=see)
