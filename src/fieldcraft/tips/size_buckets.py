"""Size buckets: keep images in proportion, in a few sizes chosen from those that came, every batch being of one.

Each image goes to the size that fits it best: it is scaled until it covers that, and what lies beyond is cut off at
both ends. No bucket has more pixels than the one size would have, so that steps take about as long. Baselines, facts
and pictures stay with one size.

Helps: shapes that are squeezed out of their proportions otherwise, most of all where classes differ by proportions;
images of very different sizes, which need not all be blown up or shrunk.
Hurts: batch norm with tiny batches, which sees one bucket at a time and averages over all; few images a bucket, which
then meet each other in every batch; classes that are as good as told by the size of their images. Evening out classes
(`batch.sampling`) works within each bucket alone. A head that pools is needed: the mean, the maximum or a pyramid
(`ladder.rungs.NAME.network.head=pyramid`).
What it gains in accuracy was not measured yet; benchmarks/mixed_sizes.py compares it with one size.
Cost: a second decoding, of every image into its bucket, and memory (or disk) for that.
Source: He et al. 2014, arXiv:1406.4729, section 3.1 (several sizes, one at a time); buckets by proportion as in NovelAI
2022, "NovelAI improvements on Stable Diffusion".
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fieldcraft.plan.buckets import cut_off, misfit, nearest
from fieldcraft.plan.schema import Bucket, Cnn, ImageInput, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.records.facts import CommonSize
from fieldcraft.tips.interface import Applied, Skipped, Tip

MOST = 6
"""Buckets."""
STEP_PX = 8
"""Sides are multiples of this, or of the whole where images are smaller."""
LEAST_DISTORTION = 0.1
"""Mean change of proportions by forcing all into one size, from which on sizes really vary: 0.1 is 10 %."""
LEAST_BATCHES = 4
"""Batches of training images that every bucket must fill."""
LEAST_GAIN = 0.01
"""Of the mean misfit that one more bucket must take away."""
LEAST_BUDGET_S = 60.0
"""Shorter runs have no time to decode everything twice."""
LEAST_TOGETHER = 16
"""Images that batch norm must see at once."""
LEAST_MAP_PX = 2
"""The last map keeps at least so many positions a side."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Choose buckets where proportions really vary and each would be filled."""
    sample = plan.input
    if not isinstance(sample, ImageInput) or brief.images is None:
        return Skipped(because="rows of a table have no size")
    if sample.progressive:
        return Skipped(because="training images grow on the way (input.progressive): one thing or the other")
    if brief.images.sizes is None:
        return Skipped(because="which heights and widths come together is not known")
    sizes = brief.images.sizes.value
    squeezed = _mean(sizes, lambda one: _distortion(one, sample))
    if len(sizes) < 2 or squeezed < LEAST_DISTORTION:
        told = "all images are of one size" if len(sizes) < 2 else f"one size changes proportions by {squeezed:.0%}"
        return Skipped(because=f"{told}: nothing to gain by several")
    if why := _unfit(brief, plan, sample):
        return Skipped(because=f"one size changes proportions by {squeezed:.0%} on average, but {why}")
    least = LEAST_BATCHES * plan.batch.size * brief.data.samples / max(1, brief.data.train)
    buckets = chosen(sizes, sample.height * sample.width, least, _least_side(plan))
    if len(buckets) < 2:
        told = f"no two sizes would each fill {LEAST_BATCHES} batches of {plan.batch.size}"
        return Skipped(because=f"one size changes proportions by {squeezed:.0%} on average, but {told}")
    lost = _mean(sizes, lambda one: cut_off(one.height, one.width, buckets[nearest(one.height, one.width, buckets)]))
    shown = ", ".join(f"{one.height}x{one.width}" for one in buckets)
    because = f"one size changes proportions by {squeezed:.0%} on average; {shown} keep them and cut {lost:.1%} off"
    return Applied(plan=replace(plan, input=replace(sample, buckets=buckets)), because=because)


def chosen(sizes: Sequence[CommonSize], area_px: int, least: float, least_side_px: int) -> tuple[Bucket, ...]:
    """Sizes of at most `area_px` pixels that take away most misfit, one after the other; small to large.

    Each has at least `least` of the images nearest to it and no side below `least_side_px`. Nothing where no size has.
    """
    candidates = sorted({_bucket(one, area_px, least_side_px) for one in sizes}, key=_in_order)
    found: tuple[Bucket, ...] = ()
    before = float("inf")
    while len(found) < MOST:
        open_ = [(*found, one) for one in candidates if one not in found]
        filled = [some for some in open_ if min(_filled(sizes, some)) >= least]
        if not filled:
            break
        best = min(filled, key=lambda some: _misfit(sizes, some))
        after = _misfit(sizes, best)
        if before - after < LEAST_GAIN:
            break
        found, before = best, after
    return tuple(sorted(found, key=_in_order))


def _bucket(one: CommonSize, area_px: int, least_side_px: int) -> Bucket:
    """A size as a bucket: scaled down to so many pixels where it has more, to whole steps."""
    scale = min(1.0, (area_px / (one.height * one.width)) ** 0.5)
    height, width = (_whole(scale * side, least_side_px) for side in (one.height, one.width))
    return Bucket(height=height, width=width)


def _whole(side: float, least_px: int) -> int:
    rounded = round(side / STEP_PX) * STEP_PX if side >= 2 * STEP_PX else round(side)
    return max(least_px, 1, min(4096, rounded))


def _in_order(bucket: Bucket) -> tuple[int, int]:
    return bucket.height * bucket.width, bucket.height


def _filled(sizes: Sequence[CommonSize], buckets: Sequence[Bucket]) -> list[int]:
    """Images of each bucket."""
    counts = [0] * len(buckets)
    for one in sizes:
        counts[nearest(one.height, one.width, buckets)] += one.count
    return counts


def _misfit(sizes: Sequence[CommonSize], buckets: Sequence[Bucket]) -> float:
    return _mean(sizes, lambda one: min(misfit(one.height, one.width, bucket) for bucket in buckets))


def _mean(sizes: Sequence[CommonSize], of: Callable[[CommonSize], float]) -> float:
    return sum(one.count * of(one) for one in sizes) / max(1, sum(one.count for one in sizes))


def _distortion(one: CommonSize, sample: ImageInput) -> float:
    """How far proportions are changed when both sides are scaled for themselves; 0.5: half as long again."""
    ratio = (one.width * sample.height) / (one.height * sample.width)
    return max(ratio, 1 / ratio) - 1


def _unfit(brief: Brief, plan: Plan, sample: ImageInput) -> str:
    """Why this plan cannot have buckets; empty when it can."""
    budget_s = brief.budget.seconds
    if budget_s is not None and budget_s < LEAST_BUDGET_S:
        return f"a budget of {budget_s:.0f} s has no time to decode twice"
    if not plan.ladder.rungs:
        return "the ladder has no networks"
    if alone := next((rung.name for rung in plan.ladder.rungs if not _any_size(rung.network)), None):
        return f"{alone} takes one size only"
    if sample.augment.quarter_turns or "quarter-turns" in plan.prediction.tta:
        return "quarter turns need square images"
    together = min(plan.batch.size, plan.batch.micro or plan.batch.size)
    normed = any(isinstance(rung.network, Cnn | ResNet) and rung.network.norm == "batch" for rung in plan.ladder.rungs)
    if normed and together < LEAST_TOGETHER:
        return f"batch norm would see {together} images of one bucket at once, under {LEAST_TOGETHER}"
    return ""


def _any_size(network: Network) -> bool:
    return isinstance(network, Cnn | ResNet) and network.head != "flatten" and network.padding == "same"


def _least_side(plan: Plan) -> int:
    """Side that leaves every network of the ladder a last map."""
    stages = max(len(rung.network.widths) for rung in plan.ladder.rungs if isinstance(rung.network, Cnn | ResNet))
    return int(LEAST_MAP_PX * 2 ** (stages - 1))


TIP = Tip(name="size-buckets", decide=decide)
