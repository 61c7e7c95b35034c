"""One linear layer of the flattened map holds most of the parameters.

Why: it has a weight for each position, channel and output, so that it grows with the map, learns every place anew and
overfits, where pooling before it would need one weight for each channel and output.

Example:
    nn.Flatten(), nn.Linear(512 * 7 * 7, 4096)  # 103 of VGG-16's 138 million

Instead:
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)

Leave it: when the place itself is the answer (key points, boards), or the network is small all the same.
Rewrite: pooled-head averages over the positions; the function changes.
Source: Lin et al. 2013, arXiv:1312.4400, section 3.2.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.flat_heads import flat_heads
from fieldcraft.tips.rules.graph import by_times

MOST = 0.5


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the heaviest such layer."""
    heads = list(flat_heads(anatomy))
    head = max(heads, key=lambda one: one.row.cost.parameters, default=None)
    if head is None:
        return
    held = head.row.cost.parameters
    share = held / max(1, anatomy.parameter_count)
    if share < MOST:
        return
    yield RULE.finding(
        f"{named_rows([head.row])} holds {held:,} of {anatomy.parameter_count:,} parameters ({share:.0%}), because it "
        f"reads all {by_times(head.map)} positions of {head.channels} channels",
        remedy="pool over the positions before it: globally, or to a small pyramid",
        rows=[head.row],
        numbers={"parameters": held, "share": share},
    )


RULE = Rule(code="FC026", name="heavy-head", severity=Severity.WARNING, check=check, rewrite="pooled-head")
