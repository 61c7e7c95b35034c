"""What came out, in sentences; when a baseline wins, that first."""

from collections.abc import Sequence

from fieldcraft.records.results import Candidate, Estimate, Test

NOT_SHOWN = "not more than the noise of their difference"


def verdict(
    winner: Candidate,
    candidates: Sequence[Candidate],
    metric: str,
    higher_is_better: bool,
    gain: tuple[float, float] | None,
    test: Test | None,
) -> tuple[str, ...]:
    """Sentences, the most important first. `gain`: of the best network over the best baseline, with its noise."""
    sign = 1 if higher_is_better else -1
    sentences = [_who_won(winner, candidates, metric, sign, gain)]
    if test is None:
        sentences.append("There is no test part, so nothing is known about samples that took no part in any choice.")
    elif metric in test.metrics:
        found = test.metrics[metric]
        look = "the first look" if test.look == 1 else f"look {test.look}"
        sentences.append(f"On {found.n:,} test samples: {metric} {_interval(found)}; this was {look} at them.")
    if test is not None and test.sure is not None:
        sentences.append(_sure(test))
    if test is not None and test.interval is not None:
        band = test.interval
        sentences.append(
            f"Intervals made to hold {band.wanted:.0%} of the values held {_interval(band.coverage, share=True)} "
            "of them on test."
        )
    return tuple(sentences)


def _who_won(
    winner: Candidate, candidates: Sequence[Candidate], metric: str, sign: int, gain: tuple[float, float] | None
) -> str:
    baselines = [one for one in candidates if one.kind == "baseline"]
    networks = [one for one in candidates if one.kind == "rung"]
    if gain is None or not baselines or not networks:
        return f"{winner.name} is returned: {metric} {winner.validation:.4g} on validation; nothing else was trained."
    plain = max(baselines, key=lambda one: sign * one.validation)
    net = max(networks, key=lambda one: sign * one.validation)
    by = f"{gain[0]:+.3g} ± {gain[1]:.2g}"
    if winner.kind == "baseline":
        return (
            f"A baseline wins: {plain.name} reaches {metric} {plain.validation:.4g} on validation, the best network "
            f"({net.name}) {net.validation:.4g}; its gain of {by} is {NOT_SHOWN}. The baseline is returned."
        )
    return (
        f"The network {net.name} wins: {metric} {net.validation:.4g} on validation against {plain.validation:.4g} of "
        f"the best baseline ({plain.name}), a gain of {by}."
    )


def _sure(test: Test) -> str:
    sure = test.sure
    assert sure is not None
    if not sure.reached:
        return (
            f"No threshold made the sure predictions {sure.wanted:.1%} accurate on validation; the strictest one flags "
            f"{1 - sure.coverage.value:.0%} of the test samples unsure and leaves "
            f"{_interval(sure.accuracy, share=True)} accuracy among the rest."
        )
    return (
        f"{sure.coverage.value:.1%} of the test samples are called sure (probability at least {sure.threshold:.3g}); "
        f"{_interval(sure.accuracy, share=True)} of those are right (wanted: {sure.wanted:.1%})."
    )


def _interval(found: Estimate, share: bool = False) -> str:
    if share:
        return f"{found.value:.1%} (95 % interval {found.low:.1%} to {found.high:.1%})"
    return f"{found.value:.4g} (95 % interval {found.low:.4g} to {found.high:.4g})"
