"""The page of the evidence that comes with the package: what proofs on known data sets say of each tip."""

from collections import Counter

from fieldcraft.proof.evidence import latest, ours
from fieldcraft.proof.weigh import signed, weigh
from fieldcraft.records.evidence import Evidence
from fieldcraft.tips import ALL
from fieldcraft.tips.version import version

HEAD = """# Evidence

Proofs of fieldcraft's own tips on known data sets, made and filed by `benchmarks/evidence.py`; `fieldcraft evidence`
prints the same beside your own. Effects are with the tip minus without it, in units of the metric and turned so that
positive is better, at equal planned minutes of short trainings. Intervals hold whenever one looks, all tips of a proof
together. Most verdicts are open: nothing could be told in the minutes that a proof was given, and nothing is left out
for it.
"""


def evidence_page() -> str:
    """Markdown of the store; nothing in it is written by hand."""
    lines = latest(ours().read())
    if not lines:
        return f"{HEAD}\nNothing is on file yet.\n"
    versions = {tip.name: version(tip) for tip in ALL}
    words = Counter(line.word for line in lines)
    sets = sorted({line.name for line in lines})
    told = ", ".join(f"{count} {word}" for word, count in words.most_common())
    return "\n".join(
        [
            HEAD,
            f"{len(lines)} verdicts on {len(sets)} data sets ({', '.join(sets)}): {told}.",
            "",
            "## All together",
            "",
            "Random-effects means over data sets; an interval from five sets on. Only a tip's present code counts.",
            "",
            "| tip | samples | metric | sets | all together | paid | hurt | no effect | place in plans |",
            "|---|---|---|---:|---|---:|---:|---:|---|",
            *(
                f"| {_linked(one.tip)} | {one.kind} | {one.family} | {one.sets} | {one.because} | {one.paid} "
                f"| {one.hurt} | {one.nothing} | {one.standing} |"
                for one in weigh(lines, versions).tips
            ),
            "",
            "## Set by set",
            "",
            "| tip | set | metric | with it minus without | pairs | seconds of a training | verdict |",
            "|---|---|---|---|---:|---:|---|",
            *(_row(line) for line in sorted(lines, key=lambda line: (line.tip, line.name))),
            "",
        ]
    )


def _row(line: Evidence) -> str:
    effect = line.effect
    told = "diverged" if effect is None else f"{signed(effect.value)} ({_end(effect.low)} to {_end(effect.high)})"
    pairs = "" if effect is None else str(effect.pairs)
    seconds = "" if line.trial_s is None else f"{line.trial_s:.1f}"
    return f"| {_linked(line.tip)} | {line.name} | {line.metric} | {told} | {pairs} | {seconds} | {line.word} |"


def _linked(tip: str) -> str:
    return f"[{tip}](tips/{tip}.md)" if any(one.name == tip for one in ALL) else tip


def _end(value: float | None) -> str:
    return "open" if value is None else signed(value)
