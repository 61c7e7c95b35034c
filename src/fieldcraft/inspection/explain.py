"""Explain a finding: the page of its rule."""

from fieldcraft.errors import InspectError
from fieldcraft.inspection.selection import all_rules, unknown


def explain(code_or_name: str) -> str:
    """What the finding means, why it matters, what to do instead, when to leave it, and its source.

    Raises: InspectError when no finding has that code or name, naming those that are near.
    """
    rules = all_rules()
    asked = code_or_name.strip()
    rule = next((one for one in rules if asked.upper() == one.code or asked.lower() == one.name), None)
    if rule is None:
        raise InspectError(unknown(asked, rules))
    mends = f"; `--rewrite {rule.rewrite}` mends it" if rule.rewrite else ""
    needs = "; needs weights" if rule.needs_weights else ""
    return f"{rule.code} {rule.name} ({rule.severity}{needs}{mends})\n\n{rule.card}"
