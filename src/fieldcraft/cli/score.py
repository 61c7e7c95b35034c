"""`fieldcraft score RUN`: another look at the test part, written down as such."""

import sys

from fieldcraft.cli.console import tell, tell_columns
from fieldcraft.cli.options import RunPath


def score(run: RunPath) -> None:
    """Measure RUN on its test part once more.

    Every look is counted and kept: the more looks, the less each of them says.
    """
    from fieldcraft.verbs.score import score as measure

    test = measure(run, command=("fieldcraft", *sys.argv[1:]))
    units = max((found.n for found in test.metrics.values()), default=test.samples)
    groups = "" if units == test.samples else f" in {units:,} group{'' if units == 1 else 's'}"
    tell(f"Look {test.look} at the test part: {test.samples:,} samples{groups}.")
    tell_columns(
        (
            name,
            f"{found.value:.4g}",
            "one group: no interval" if found.alone else f"95 % interval {found.low:.4g} to {found.high:.4g}",
        )
        for name, found in test.metrics.items()
    )
