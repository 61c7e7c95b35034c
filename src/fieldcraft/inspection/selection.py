"""Which findings are told: `--select`, `--ignore`, and `# fieldcraft: ignore` comments beside the code."""

import linecache
import re
from collections.abc import Sequence
from difflib import get_close_matches

from fieldcraft.errors import InspectError
from fieldcraft.records.anatomy import Anatomy, Location
from fieldcraft.records.finding import Finding
from fieldcraft.tips import ALL
from fieldcraft.tips.outside import with_outside
from fieldcraft.tips.rule import Rule
from fieldcraft.tips.rules.source_lines import enclosing_class, owner
from fieldcraft.tips.watch import Watch

COMMENT = re.compile(r"#\s*fieldcraft:\s*ignore(?:\[(?P<which>[^\]]*)\])?")
PREFIX = re.compile(r"[A-Z]{2}\d{0,3}")
NEAR = 3


def all_rules() -> tuple[Rule, ...]:
    """Every rule of every tip, those of other packages too, in the order of their codes."""
    return tuple(sorted((rule for tip in with_outside(ALL) for rule in tip.checks), key=lambda rule: rule.code))


def chosen(rules: Sequence[Rule], select: Sequence[str], ignore: Sequence[str]) -> tuple[Rule, ...]:
    """The rules that are selected (all, where nothing is) and not ignored.

    Each entry is a code (FC012), the beginning of codes (FC, FC00), a name (bias-before-norm), or several of these with
    commas. Raises: InspectError for one that fits no rule, naming those that are near.
    """
    selected, ignored = listed(select, rules), listed(ignore, rules)
    return tuple(
        rule
        for rule in rules
        if (not selected or any(fits(one, rule) for one in selected)) and not any(fits(one, rule) for one in ignored)
    )


def listed(given: Sequence[str], rules: Sequence[Rule]) -> tuple[str, ...]:
    """The single entries, each of which fits a rule."""
    entries = tuple(entry for text in given for one in text.split(",") if (entry := one.strip()))
    for entry in entries:
        if not any(fits(entry, rule) for rule in rules):
            raise InspectError(unknown(entry, rules))
    return entries


def fits(entry: str, rule: Rule) -> bool:
    """By name, code or the beginning of the code."""
    upper = entry.upper()
    return entry == rule.name or (PREFIX.fullmatch(upper) is not None and rule.code.startswith(upper))


def unknown(entry: str, rules: Sequence[Rule | Watch]) -> str:
    """What to say about an entry that fits no rule."""
    codes = get_close_matches(entry.upper(), [rule.code for rule in rules], n=NEAR, cutoff=0.6)
    names = get_close_matches(entry.lower(), [rule.name for rule in rules], n=NEAR, cutoff=0.5)
    near = [f"{rule.code} {rule.name}" for rule in rules if rule.name in names or (rule.code in codes and not names)]
    hint = f"; near it are {', '.join(near[:NEAR])}." if near else "."
    return f"no finding has the code, the beginning of a code or the name {entry}{hint} There are {len(rules)} of them."


def silenced(finding: Finding, anatomy: Anatomy) -> bool:
    """A comment on the line of the finding, or on the line of the class around it, says to leave it out."""
    return any(_silences(place, finding) for place in _places(finding, anatomy))


def _places(finding: Finding, anatomy: Anatomy) -> tuple[Location, ...]:
    line = finding.location
    around = enclosing_class(line) if line else owner(anatomy, finding.layers[0] if finding.layers else "")
    return tuple(one for one in (line, around) if one is not None)


def _silences(place: Location, finding: Finding) -> bool:
    match = COMMENT.search(linecache.getline(place.file, place.line) if place.line else "")
    if match is None:
        return False
    entries = [one.strip() for one in (match["which"] or "").split(",") if one.strip()]
    return not entries or any(entry == finding.name or finding.code.startswith(entry.upper()) for entry in entries)
