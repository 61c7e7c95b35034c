"""Parameters are in double precision.

Why: they take twice the memory, and a GPU for graphics or inference computes with them 32 to 64 times slower; nothing
in training needs more than single precision. Mostly they come from NumPy, whose numbers are double ones.

Example:
    self.scale = nn.Parameter(torch.from_numpy(np.ones(64)))

Instead:
    self.scale = nn.Parameter(torch.from_numpy(np.ones(64, dtype=np.float32)))

Leave it: for physics, and for tests of gradients by differences.
Source: Micikevicius et al. 2018, "Mixed precision training", arXiv:1710.03740.
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule, named
from fieldcraft.tips.rules.source_lines import owner


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    double = [one for one in anatomy.parameters if one.dtype in ("float64", "complex128")]
    if not double:
        return
    count = sum(one.count for one in double)
    layers = tuple(dict.fromkeys(one.name.rpartition(".")[0] for one in double))
    yield RULE.finding(
        f"{count:,} of {anatomy.parameter_count:,} parameters are in double precision and take "
        f"{4 * count / 2**20:,.1f} MiB "
        f"more than they need: {named(tuple(one.name for one in double))}",
        remedy="make them torch.float32, or call module.float()",
        layers=layers,
        numbers={"parameters": count, "excess_mib": 4 * count / 2**20},
        location=owner(anatomy, layers[0]),
    )


RULE = Rule(code="FC031", name="double-precision", severity=Severity.WARNING, check=check)
