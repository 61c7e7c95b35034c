"""What came out, in sentences; when a baseline wins, that first."""

from dataclasses import dataclass

from fieldcraft.records.results import Candidate, Estimate, Test
from fieldcraft.report.metrics import spoken
from fieldcraft.verbs.ensemble import spoken_members
from fieldcraft.verbs.judge import Comparison

DIGITS = 4
"""Of values in sentences, where nothing else is said."""
PICKED = (
    " The average was judged on samples that its weights were not chosen on; the best one alone was picked by these "
    "very samples."
)


@dataclass(frozen=True)
class Between:
    """The best network against the best baseline; or an average against the best candidate alone."""

    network: Candidate
    baseline: Candidate
    comparison: Comparison


def verdict(
    winner: Candidate, metric: str, between: Between | None, test: Test | None, tested: int, digits: int = DIGITS
) -> tuple[str, ...]:
    """Sentences, the most important first. `between` is None when only networks or only baselines were trained.

    `tested`: how many samples the test part has; an estimate counts groups where there are any. `digits`: of values of
    the metric.
    """
    sentences = [_who_won(winner, spoken(metric), between, digits)]
    if test is None:
        sentences.append("There is no test part, so nothing is known about samples that took no part in any choice.")
    elif test.metrics:
        # A metric of one's own decides between candidates; on test the usual ones stand for it.
        metric = metric if metric in test.metrics else next(iter(test.metrics))
        found = test.metrics[metric]
        look = "the first look" if test.look == 1 else f"look {test.look}"
        groups = "" if found.n == tested else f" in {found.n:,} group{'' if found.n == 1 else 's'}"
        told = f"{spoken(metric)} {_interval(found, digits)}"
        sentences.append(f"On {tested:,} test samples{groups}: {told}; this was {look} at them.")
    if test is not None and test.sure is not None:
        sentences.append(_sure(test))
    if test is not None and test.interval is not None:
        band = test.interval
        sentences.append(
            f"Intervals made to hold {band.wanted:.0%} of the values held {_share(band.coverage)} of them on test."
        )
    return tuple(sentences)


def _who_won(winner: Candidate, metric: str, between: Between | None, digits: int) -> str:
    if between is None:
        return f"{winner.name} is returned: {metric} {winner.validation:.{digits}g} on validation."
    net, plain = between.network, between.baseline
    best, without = (f"{one.validation:.{digits}g}" for one in (net, plain))
    told = f"({between.comparison.words})"
    if winner.kind == "ensemble":
        behind = between.comparison.gain < 0
        return (
            f"An average of {len(winner.members)} models {'is returned' if behind else 'wins'} "
            f"({spoken_members(winner.members)}): {metric} {best} on validation. The best one alone, {plain.name}, "
            f"reached {without} {told}." + (PICKED if behind else "")
        )
    if winner.kind == "baseline":
        return (
            f"A baseline wins: {plain.name}, {metric} {without} on validation. The best network, "
            f"{net.name}, reached {best} {told}. The baseline is returned."
        )
    return (
        f"The network {net.name} wins: {metric} {best} on validation. The best baseline, {plain.name}, "
        f"reached {without} {told}."
    )


def _sure(test: Test) -> str:
    sure = test.sure
    assert sure is not None
    if sure.accuracy.n == 0:
        return "None of the test samples is called sure."
    if not sure.reached:
        return (
            f"No threshold made the sure predictions {sure.wanted:.1%} accurate on validation; the strictest one flags "
            f"{1 - sure.coverage.value:.0%} of the test samples unsure and leaves "
            f"{_share(sure.accuracy)} accuracy among the rest."
        )
    return (
        f"{sure.coverage.value:.1%} of the test samples are called sure (probability at least {sure.threshold:.4g}); "
        f"{_share(sure.accuracy)} of those are right (wanted: {sure.wanted:.1%})."
    )


def _interval(found: Estimate, digits: int) -> str:
    value, low, high = (f"{one:.{digits}g}" for one in (found.value, found.low, found.high))
    return f"{value} (one group: no interval)" if found.alone else f"{value} (95 % interval {low} to {high})"


def _share(found: Estimate) -> str:
    if found.alone:
        return f"{found.value:.1%} (one group: no interval)"
    return f"{found.value:.1%} (95 % interval {found.low:.1%} to {found.high:.1%})"
