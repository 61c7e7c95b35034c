"""The same parameter stands at several places of the network.

Why: it is often meant (the embedding and the output of a language model), and then the numbers count once; but a module
that was built once and listed twice shares its weights without a word, and its depth is less than it looks.

Example:
    block = Block(64)
    self.blocks = nn.Sequential(block, block, block)

Instead:
    self.blocks = nn.Sequential(*(Block(64) for _ in range(3)))

Leave it: when it is meant.
Source: Press and Wolf 2017, "Using the output embedding to improve language models", arXiv:1608.05859 (when it helps).
"""

from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.tips.rule import Circumstances, Rule, named
from fieldcraft.tips.rules.source_lines import owner


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for the network."""
    shared = [one for one in anatomy.parameters if one.aliases]
    if not shared:
        return
    count = sum(one.count for one in shared)
    would = sum(one.count * len(one.aliases) for one in shared)
    pairs = tuple(f"{one.name} = {' = '.join(one.aliases)}" for one in shared)
    layers = dict.fromkeys(name.rpartition(".")[0] for one in shared for name in (one.name, *one.aliases))
    yield RULE.finding(
        f"{len(shared)} parameter{'' if len(shared) == 1 else 's'} of {count:,} numbers in all "
        f"stand{'s' * (len(shared) == 1)} "
        f"at more than one place, which saves {would:,}: {named(pairs)}",
        remedy="when it is not meant, build a module for each place",
        layers=tuple(layers),
        numbers={"parameters": count, "saved": would},
        location=owner(anatomy, _common([name for one in shared for name in (one.name, *one.aliases)])),
    )


def _common(names: list[str]) -> str:
    """The path of the smallest submodule around all of them."""
    common = names[0].split(".")[:-1]
    for name in names:
        parts = name.split(".")
        while common != parts[: len(common)]:
            common.pop()
    return ".".join(common)


RULE = Rule(code="FC030", name="shared-parameters", severity=Severity.INFO, check=check)
