"""The part of `fieldcraft inspect` that rewrites: `--fix`, `--rewrite` and the options that belong to them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fieldcraft.cli.console import say
from fieldcraft.errors import InspectError

if TYPE_CHECKING:
    from fieldcraft.inspection.rewritten import Rewritten
    from fieldcraft.verbs.inspected import Inspected


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the options ask for."""

    found: bool
    """Whatever mends the findings."""
    names: tuple[str, ...]
    unsafe: bool
    only: tuple[str, ...]
    output_stride: int | None
    activation: str | None
    head: Literal["average", "pyramid"] | None
    out: Path | None

    @property
    def any(self) -> bool:
        """Something is to be rewritten."""
        return self.found or bool(self.names)

    def check(self) -> None:
        """Raises: InspectError when options do not belong together."""
        settings = (self.output_stride, self.activation, self.head, self.out)
        if not self.any and (self.unsafe or self.only or any(one is not None for one in settings)):
            raise InspectError(
                "--unsafe, --only, --output-stride, --activation, --head and --out belong to a rewrite: give --fix, or "
                "--rewrite NAME."
            )
        if self.out is not None and self.out.suffix not in (".py", ".pt2"):
            raise InspectError(f"--out must end in .py or .pt2, but got {self.out.name}.")


def make(found: "Inspected", wish: Wish) -> "Rewritten":
    """Make the rewrites on a copy. Raises: InspectError when one is not known, not allowed, or fits nothing."""
    from fieldcraft.inspection.rewrite import check_layers, plan_fixes, rewrite
    from fieldcraft.inspection.rewrites.interface import Options

    check_layers(found.module)
    mending = plan_fixes(found.findings, unsafe=wish.unsafe) if wish.found else ()
    names = (*mending, *wish.names)
    if not names:
        more = "." if wish.unsafe else "; --unsafe allows those that change a function."
        raise InspectError(f"no finding here has a {'rewrite' if wish.unsafe else 'safe rewrite'}{more}")
    usual = Options()
    options = Options(
        output_stride=wish.output_stride or usual.output_stride,
        activation=wish.activation or usual.activation,
        head=wish.head or usual.head,
        only=wish.only,
    )
    return rewrite(found.module, names, found.inputs, unsafe=wish.unsafe, options=options)


def write(made: "Rewritten", found: "Inspected", out: Path, source: str, arguments: Sequence[str]) -> None:
    """Write the result to `out`."""
    from fieldcraft.inspection.export import export
    from fieldcraft.inspection.sources.python import parse_arguments

    kept = source if ":" in source else None
    for path in export(made, out, found.inputs, source=kept, arguments=parse_arguments(arguments)):
        say(f"Written: {path}")


def told(made: "Rewritten") -> Iterator[str]:
    """What was changed, what was left, and the cost before and after."""
    from fieldcraft.inspection.rewrites import ALL
    from fieldcraft.inspection.words import amount

    training_too = all(one.training_too for one in ALL if one.name in made.names)
    kept = "keeps the function" if training_too else "keeps the function in evaluation, not in training"
    kind = kept if made.safe else "changes the function"
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
