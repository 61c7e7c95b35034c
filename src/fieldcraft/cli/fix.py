"""The part of `fieldcraft inspect` that rewrites: `--fix`, `--unsafe`, `--only`, `--out`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fieldcraft.cli.console import say
from fieldcraft.errors import InspectError

if TYPE_CHECKING:
    from fieldcraft.inspection.rewritten import Rewritten
    from fieldcraft.verbs.inspected import Inspected

EVERY = "all"
"""Instead of a name: whatever mends the findings."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the options ask for."""

    names: tuple[str, ...]
    unsafe: bool
    only: tuple[str, ...]
    out: Path | None

    def check(self) -> None:
        """Raises: InspectError when options do not belong together."""
        if not self.names and (self.unsafe or self.only or self.out is not None):
            raise InspectError("--unsafe, --only and --out belong to a rewrite: give --fix NAME, or --fix all.")
        if self.out is not None and self.out.suffix not in (".py", ".pt2"):
            raise InspectError(f"--out must end in .py or .pt2, but got {self.out.name}.")


def make(found: "Inspected", wish: Wish) -> "Rewritten":
    """Make the rewrites on a copy. Raises: InspectError when one is not known, not allowed, or fits nothing."""
    from fieldcraft.inspection.rewrite import plan_fixes, rewrite
    from fieldcraft.inspection.rewrites.interface import Options

    names = plan_fixes(found.findings, unsafe=wish.unsafe) if wish.names == (EVERY,) else wish.names
    if not names:
        more = "." if wish.unsafe else "; --unsafe allows those that change a function."
        raise InspectError(f"no finding here has a {'rewrite' if wish.unsafe else 'safe rewrite'}{more}")
    return rewrite(found.module, names, found.inputs, unsafe=wish.unsafe, options=Options(only=wish.only))


def write(made: "Rewritten", found: "Inspected", out: Path, source: str, arguments: Sequence[str]) -> None:
    """Write the result to `out`."""
    from fieldcraft.inspection.export import export
    from fieldcraft.inspection.sources.python import parse_arguments

    kept = source if ":" in source else None
    for path in export(made, out, found.inputs, source=kept, arguments=parse_arguments(arguments)):
        say(f"Written: {path}")


def told(made: "Rewritten") -> Iterator[str]:
    """What was changed, what was left, and the cost before and after."""
    from fieldcraft.inspection.words import amount

    kind = "keeps the function" if made.safe else "changes the function"
    apart = "" if made.difference is None else f"; outputs differ by {made.difference:.2g} of their largest"
    yield f"Rewritten with {', '.join(made.names)}: {kind}{apart}"
    for one in made.changes:
        yield f"  {one.path or '(top)'}: {one.what}"
    for one in made.left:
        yield f"  left as it was: {one.path or '(top)'}: {one.what}"
    before, after = made.before, made.after
    yield (
        f"  multiply-adds {amount(before.macs) or 0} to {amount(after.macs) or 0}, parameters {before.parameters:,} to "
        f"{after.parameters:,}, operations {before.rows} to {after.rows}"
    )
