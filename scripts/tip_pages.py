"""A page per tip, from its card: the docstring of its module."""

import re

from fieldcraft.tips import ALL
from fieldcraft.tips.interface import Tip

HEADING = re.compile(r"^(Helps|Hurts|Cost|Source): ?")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def tip_pages() -> dict[str, str]:
    """Markdown of each tip's page, by the tip's name, in the order in which tips decide."""
    return {tip.name: _page(tip, place) for place, tip in enumerate(ALL, start=1)}


def tip_index() -> str:
    """A table of all tips."""
    rows = [f"| {place} | [{tip.name}]({tip.name}.md) | {_headline(tip)} |" for place, tip in enumerate(ALL, start=1)]
    return "\n".join(
        [
            "# Tips",
            "",
            "What fieldcraft knows, in the order in which the tips decide. Each page is the docstring of the tip's own",
            "file; `fieldcraft tips NAME --plan plan.toml` prints it with what it decided in a plan.",
            "",
            "| | tip | what it does |",
            "|---|---|---|",
            *rows,
            "",
        ]
    )


def _page(tip: Tip, place: int) -> str:
    sections = "\n\n".join(_section(lines) for lines in _sections(tip.card))
    refines = ", ".join(f"[{name}]({name}.md)" for name in tip.refines)
    decide = " ".join(((tip.decide.__doc__ if tip.decide else None) or "It decides nothing in a plan.").split())
    findings = ", ".join(f"[{rule.code} {rule.name}](../findings/{rule.code}.md)" for rule in tip.checks)
    symptoms = ", ".join(f"[{watch.code} {watch.name}](../findings/{watch.code}.md)" for watch in tip.watches)
    return "\n".join(
        [
            f"# {tip.name}",
            "",
            sections,
            "",
            "---",
            "",
            f"Tip {place} of {len(ALL)}. {decide}" + (f" May overwrite: {refines}." if refines else ""),
            "",
            *((f"Looks for {findings}.", "") if findings else ()),
            *((f"Watches training for {symptoms}.", "") if symptoms else ()),
            *((f"Leave it out with `--without {tip.name}`.", "") if tip.decide else ()),
        ]
    )


def _sections(card: str) -> list[list[str]]:
    """The card's lines, a list for each paragraph and each heading."""
    found: list[list[str]] = [[]]
    for line in card.splitlines():
        if not line.strip():
            found.append([])
        elif HEADING.match(line) and found[-1]:
            found.append([line])
        else:
            found[-1].append(line)
    return [lines for lines in found if lines]


def _section(lines: list[str]) -> str:
    text = HEADING.sub(r"**\1.** ", " ".join(line.strip() for line in lines))
    return ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def _headline(tip: Tip) -> str:
    first = tip.card.partition("\n")[0]
    return first.partition(": ")[2] or first
