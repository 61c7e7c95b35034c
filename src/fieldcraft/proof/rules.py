"""The rules by which one factor is judged, with its share of alpha."""

from dataclasses import dataclass, replace

from fieldcraft.records.proof import Between, Setting, Word

DIVERGENCE_SHARE = 0.1
"""Of a factor's alpha, for the word that one arm diverges more than the other; the rest is for the mean difference."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the interval of one factor is made with, and what it is held against."""

    alpha: float
    """Two-sided, over all looks."""
    alpha_diverging: float
    margin: float
    overlap: float
    folds: int = 0
    """Different folds that pairs take in turn; 0 where each has its own."""
    least: float = 0.0
    """The standard deviation of differences is taken for no less."""


def rules_of(setting: Setting, factors: int) -> Rules:
    """Alpha is shared equally over so many factors (Bonferroni).

    A proof shares it over all its factors, whichever of them screening lets through: a budget that is extended can
    bring in any of them, and screening trains on the same data, so that its choice is not independent of what is
    confirmed. Holm's sharper steps would gain little, some 4 % of the width when half of the factors are decided, and
    the intervals would no longer hold together.
    """
    each = setting.alpha / factors
    return Rules(
        alpha=each * (1 - DIVERGENCE_SHARE),
        alpha_diverging=each * DIVERGENCE_SHARE,
        margin=setting.margin,
        overlap=setting.overlap,
        folds=setting.folds,
    )


def with_resolution(rules: Rules, one_sample: float | None, seen_step: float) -> Rules:
    """The same for a metric that moves in steps: of one validation sample, or as is seen where that is not known.

    No effect below one sample matters. Differences that move between two neighbouring steps have a deviation of at
    most half a step, so that no smaller one is believed: equal differences in three pairs are luck, not precision.
    """
    if one_sample is None:
        return replace(rules, least=seen_step / 2)
    return replace(rules, margin=max(rules.margin, one_sample), least=one_sample / 2)


def word(effect: Between, margin: float) -> Word:
    """What an interval says.

    Paid: better for certain (the interval is above 0), and by the margin or more at the best guess. Hurt: mirrored.
    No effect that matters: the whole interval is within the margin. No interval says two of these. "Paid" does not
    claim that the effect is beyond the margin for certain: that takes an interval above the margin, and is seen there.
    """
    if -margin <= effect.low and effect.high <= margin:
        return "no effect that matters"
    if effect.low > 0 and effect.value >= margin:
        return "paid"
    if effect.high < 0 and effect.value <= -margin:
        return "hurt"
    return "cannot tell yet"
