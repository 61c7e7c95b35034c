"""`fieldcraft evidence`: what proofs on file say of the tips; `add` files another one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fieldcraft.cli.console import say, tell, tell_columns

if TYPE_CHECKING:
    from fieldcraft.records.evidence import Evidence
    from fieldcraft.records.prior import TipPrior
    from fieldcraft.verbs.evidence import Known

evidence = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False
)


@evidence.callback()
def show(
    ctx: typer.Context,
    tip: Annotated[str | None, typer.Option(metavar="NAME", help="Only this tip.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything on file, as JSON on standard output.")] = False,
) -> None:
    """Show what proofs on file say of the tips: set by set, and all together."""
    if ctx.invoked_subcommand is not None:
        return
    from fieldcraft.verbs.evidence import evidence as find

    known = find(tip)
    if as_json:
        _json(known)
        return
    if not known.lines:
        tell("No proof is on file" + (f" that tested {tip}." if tip else "."))
        return
    tell_columns([("tip", "set", "metric", "effect", "pairs", "verdict"), *map(_row, known.lines)])
    tell("")
    tell_columns([("tip", "samples", "sets", "between sets", "all together"), *map(_sum, known.tips)])
    if old := sorted({line.tip for line in known.lines} & known.stale):
        say(f"Not pooled, since the tip has changed: some lines of {', '.join(old)}.")


@evidence.command()
def add(
    proof: Annotated[
        Path, typer.Argument(metavar="RUN|PROOF", help="The folder of a proof, or the run that it is of.")
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What the data set is known by in public, if it is.")] = "",
) -> None:
    """File the verdicts of a proof: later plans can rest on them. No data is kept."""
    from fieldcraft.verbs.evidence import keep_evidence

    kept = keep_evidence(proof, name=name)
    if kept.new:
        tell(f"{kept.new} verdict{'s' * (kept.new != 1)} filed in {kept.folder}.")
    else:
        tell(f"Nothing new: all {len(kept.lines)} verdicts are in {kept.folder} already.")


def _row(line: "Evidence") -> tuple[str, ...]:
    from fieldcraft.proof.weigh import signed

    effect = line.effect
    named = line.tip, line.name or line.data[:8], line.metric
    if effect is None:
        return *named, "diverged", "", line.word
    low, high = ("open" if end is None else signed(end) for end in (effect.low, effect.high))
    told = f"{signed(effect.value)} [{low}, {high}]"
    return *named, told, str(effect.pairs), line.word


def _sum(one: "TipPrior") -> tuple[str, ...]:
    from fieldcraft.proof.weigh import UNITS

    scale, unit = UNITS[one.family]
    spread = "" if one.spread is None else f"{scale * one.spread:.2g}{unit}"
    standing = "" if one.standing == "open" else f"; {one.standing}"
    return one.tip, one.kind, str(one.sets), spread, f"{one.because}{standing}"


def _json(known: "Known") -> None:
    from pydantic import TypeAdapter

    from fieldcraft.records.evidence import Evidence
    from fieldcraft.records.prior import TipPrior
    from fieldcraft.records.versions import stamp

    body = {
        "digest": known.digest,
        "lines": TypeAdapter(tuple[Evidence, ...]).dump_python(known.lines, mode="json"),
        "tips": TypeAdapter(tuple[TipPrior, ...]).dump_python(known.tips, mode="json"),
        "stale": sorted(known.stale),
    }
    tell(json.dumps(stamp("evidence", body), indent=1, allow_nan=False))
