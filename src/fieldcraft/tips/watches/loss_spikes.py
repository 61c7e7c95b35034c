"""The loss jumps, or stops being a number.

Why: a jump undoes many steps of learning; several of them say that the rate is at the edge of what the network bears,
or that some samples are damaged.

Instead: a lower peak rate, a longer warm-up, gradient clipping; and a look at the samples of the step, which the notes
name.

Leave it: a single jump early on that training recovers from by itself.
Source: Cohen et al. 2021, arXiv:2103.00065 (the edge of stability).
"""

from collections.abc import Iterator
from statistics import median

from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import TrainingRecord
from fieldcraft.tips.watch import Watch

WINDOW = 8
JUMP = 2.0
"""Times the median of the last few values."""
UNDONE = 0.2
"""Share of the loss at the beginning by which a jump must rise: small losses double by chance."""
LEAST_SPIKES = 2


def see(record: TrainingRecord) -> Iterator[Finding]:
    """One finding for back-offs, or else for jumps of the logged loss."""
    if record.backed_off:
        yield WATCH.finding(
            record,
            f"training went back {len(record.backed_off)} times: {record.backed_off[0]}",
            remedy="a lower peak rate, a longer warm-up or clipping; and look at the samples that the notes name",
            numbers={"times": len(record.backed_off)},
            severity=Severity.ERROR,
        )
        return
    values = record.loss.values
    before = {place: median(values[place - WINDOW : place]) for place in range(WINDOW, len(values))}
    least = UNDONE * abs(median(values[:WINDOW])) if values else 0.0
    spikes = [place for place, usual in before.items() if values[place] > max(JUMP * abs(usual), usual + least)]
    if len(spikes) >= LEAST_SPIKES:
        most = max(values[place] / abs(before[place]) for place in spikes)
        yield WATCH.finding(
            record,
            f"the loss jumped {len(spikes)} times, to {most:.1f} times what it was, first at step "
            f"{record.loss.steps[spikes[0]]:,}",
            remedy="a lower peak rate, a longer warm-up or gradient clipping",
            numbers={"spikes": len(spikes), "largest_jump": most},
        )


WATCH = Watch(code="FC107", name="loss-spikes", severity=Severity.ERROR, see=see)
