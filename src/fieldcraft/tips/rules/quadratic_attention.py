"""Attention compares each of many tokens with each other: cost and memory grow with the square of their number.

Why: twice the side of an image is four times the tokens and sixteen times the scores. From some thousand tokens on the
scores take more time and memory than everything else.

Example:
    nn.MultiheadAttention(64, 4)  # over the 128 x 128 = 16,384 positions of a map

Instead:
    windows (Swin), keys and values at a lower resolution (SegFormer), larger patches, or attention in late stages only

Leave it: when a fused kernel keeps the scores out of memory and the time is there; such calls are information.
Source: Vaswani et al. 2017, arXiv:1706.03762, table 1; Liu et al. 2021, arXiv:2103.14030.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.attention_scores import Scores, scores

LONG = 4096
"""Tokens; for fewer keys than queries, their geometric mean."""
LARGE_MIB = 256
"""Scores of one layer for one sample, where they are written to memory."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for all such layers."""
    found = [one for one in scores(anatomy) if _is_long(one, anatomy.batch)]
    if not found:
        return
    largest = max(found, key=lambda one: one.bytes)
    mib = largest.bytes / anatomy.batch / 2**20
    macs = sum(one.product.cost.macs or 0 for one in found) * 2 / max(1, anatomy.macs)
    yield RULE.finding(
        f"{len(found)} attention layer{'s' if len(found) > 1 else ''} compare up to {largest.queries:,} tokens with "
        f"{largest.keys:,}: {mib:,.0f} MiB of scores a sample and layer"
        + (", unless a fused kernel keeps them out of memory" if largest.fused else "")
        + f", and about {macs:.0%} of the multiply-adds",
        remedy="attend within windows, to fewer keys, or where the map is smaller",
        rows=[one.row for one in found],
        numbers={"tokens": largest.queries, "keys": largest.keys, "scores_mib": mib, "macs_share": macs},
        severity=Severity.INFO if all(one.fused for one in found) else Severity.WARNING,
    )


def _is_long(one: Scores, batch: int) -> bool:
    large = not one.fused and one.bytes >= LARGE_MIB * 2**20 * batch and one.keys * one.queries >= (LONG // 4) ** 2
    return one.queries * one.keys >= LONG**2 or large


RULE = Rule(code="FC024", name="quadratic-attention", severity=Severity.WARNING, check=check)
