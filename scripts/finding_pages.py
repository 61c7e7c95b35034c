"""A page per finding, from the docstring of its rule's module."""

import re

from fieldcraft.tips import ALL
from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rule import HEADINGS, Rule
from fieldcraft.tips.watch import Watch

HEADING = re.compile(rf"^({'|'.join(HEADINGS)}):\s*")
ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
DOI = re.compile(r"doi:(10\.\S+?)(?=[.,;]?(?:\s|$))")


def rules() -> list[tuple[Rule, Tip]]:
    """Every rule with its tip, in the order of the codes."""
    return sorted(((rule, tip) for tip in ALL for rule in tip.checks), key=lambda pair: pair[0].code)


def watches() -> list[tuple[Watch, Tip]]:
    """Every symptom of training with its tip, in the order of the codes."""
    return sorted(((watch, tip) for tip in ALL for watch in tip.watches), key=lambda pair: pair[0].code)


def finding_pages() -> dict[str, str]:
    """Markdown of each finding's page, by its code."""
    return {rule.code: _page(rule, tip) for rule, tip in rules()} | {
        watch.code: _symptom(watch, tip) for watch, tip in watches()
    }


def finding_index() -> str:
    """A table of all findings."""
    rows = [
        f"| [{rule.code}]({rule.code}.md) | [{rule.name}]({rule.code}.md) | {rule.severity} | {rule.rewrite or ''} "
        f"| {rule.card.partition(chr(10))[0]} |"
        for rule, _ in rules()
    ]
    return "\n".join(
        [
            "# Findings",
            "",
            "What `fieldcraft inspect` looks for in a network. Codes are stable; `--select` and `--ignore` take",
            "codes, their beginnings (`FC00`) and names, and a comment `# fieldcraft: ignore[FC001]` on the line, or",
            "on the line of its class, leaves a finding out.",
            "",
            "| code | name | severity | rewrite | what it finds |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "What `fieldcraft doctor` looks for in a run's training; the report shows the same.",
            "",
            "| code | name | severity | what it sees |",
            "|---|---|---|---|",
            *(
                f"| [{watch.code}]({watch.code}.md) | [{watch.name}]({watch.code}.md) | {watch.severity} "
                f"| {watch.card.partition(chr(10))[0]} |"
                for watch, _ in watches()
            ),
            "",
        ]
    )


def _page(rule: Rule, tip: Tip) -> str:
    needs = " Needs weights." if rule.needs_weights else ""
    mends = f" The rewrite `{rule.rewrite}` mends it." if rule.rewrite else ""
    return "\n".join(
        [
            f"# {rule.code} {rule.name}",
            "",
            _body(rule.card),
            "",
            "---",
            "",
            f"Severity: {rule.severity}.{needs}{mends} It belongs to the tip [{tip.name}](../tips/{tip.name}.md).",
            "",
            f"Leave it out with `--ignore {rule.code}` or a comment `# fieldcraft: ignore[{rule.code}]`.",
            "",
        ]
    )


def _symptom(watch: Watch, tip: Tip) -> str:
    return "\n".join(
        [
            f"# {watch.code} {watch.name}",
            "",
            _body(watch.card),
            "",
            "---",
            "",
            f"Severity: at most {watch.severity}. Seen in training; it belongs to the tip "
            f"[{tip.name}](../tips/{tip.name}.md).",
            "",
        ]
    )


def _body(card: str) -> str:
    """Headings in bold, indented lines as code."""
    out: list[str] = []
    code: list[str] = []
    for line in [*card.splitlines(), ""]:
        if line.startswith("    ") or (code and not line.strip() and line != ""):
            code.append(line[4:])
            continue
        if code:
            out += ["", "```python", *code, "```", ""]
            code = []
        if HEADING.match(line):
            out.append("")
        out.append(HEADING.sub(r"**\1.** ", line).rstrip())
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip()
    return DOI.sub(r"[doi:\1](https://doi.org/\1)", ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text))
