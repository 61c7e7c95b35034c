"""The forward pass never reads some of the parameters.

Why: they take memory, in the optimiser and in the file too, get no gradient, and make DistributedDataParallel wait or
fail. Mostly they are left over from an edit, or a layer was built and never called.

Example:
    self.old_head = nn.Linear(512, 10)  # forward calls self.head only

Instead:
    take the line away

Leave it: when another method uses them, or they work in training only (auxiliary heads and mask tokens; those called
so are left out here): the pass that is looked at is one in evaluation.
Source: PyTorch documentation of DistributedDataParallel, `find_unused_parameters`; Li et al. 2020, arXiv:2006.15704.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Parameter
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule, named
from fieldcraft.tips.rules.source_lines import owner

TRAINING_ONLY = ("aux", "mask_token")
"""What auxiliary heads, and the token in place of what is hidden, are called everywhere."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    used = {name for row in anatomy.rows for name in row.parameters}
    used |= {anatomy.values[value].name for value in anatomy.outputs}
    unused = [one for one in anatomy.parameters if used.isdisjoint((one.name, *one.aliases)) and not _for_training(one)]
    if not unused or (anatomy.untraced and not used):
        return
    layers = _outermost(unused, anatomy)
    count = sum(one.count for one in unused)
    yield RULE.finding(
        f"the forward pass never reads {count:,} of {anatomy.parameter_count:,} parameters: {named(layers)}",
        remedy="take the layers away, call them, or exclude them from training",
        layers=tuple(dict.fromkeys(one.name.rpartition(".")[0] for one in unused)),
        numbers={"parameters": count, "share": count / max(1, anatomy.parameter_count)},
        location=owner(anatomy, layers[0].rpartition(".")[0]),
    )


def _for_training(one: Parameter) -> bool:
    return any(part.lower().startswith(TRAINING_ONLY) for part in one.name.split("."))


def _outermost(unused: list[Parameter], anatomy: Anatomy) -> tuple[str, ...]:
    """The largest submodules of which nothing is read, and single parameters beside them."""
    names = {one.name for one in unused}
    read = {one.name for one in anatomy.parameters} - names
    alive = {"", *(name[:at] for name in read for at, sign in enumerate(name) if sign == ".")}
    found: dict[str, None] = {}
    for one in unused:
        parts = one.name.split(".")
        paths = [".".join(parts[: length + 1]) for length in range(len(parts))]
        found[next(path for path in paths if path not in alive)] = None
    return tuple(found)


RULE = Rule(code="FC029", name="unused-parameters", severity=Severity.WARNING, check=check)
