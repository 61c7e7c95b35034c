"""Explain a finding: the page of its rule, or of the symptom that training showed."""

from fieldcraft.errors import InspectError
from fieldcraft.inspection.selection import all_rules, unknown
from fieldcraft.tips.rule import Rule
from fieldcraft.tips.symptoms import all_watches
from fieldcraft.tips.watch import Watch


def explain(code_or_name: str) -> str:
    """What the finding means, why it matters, what to do instead, when to leave it, and its source.

    Raises: InspectError when no finding has that code or name, naming those that are near.
    """
    pages: tuple[Rule | Watch, ...] = (*all_rules(), *all_watches())
    asked = code_or_name.strip()
    page = next((one for one in pages if asked.upper() == one.code or asked.lower() == one.name), None)
    if page is None:
        raise InspectError(unknown(asked, pages))
    if isinstance(page, Watch):
        return f"{page.code} {page.name} ({page.severity}; seen in training)\n\n{page.card}"
    mends = f"; `--rewrite {page.rewrite}` mends it" if page.rewrite else ""
    needs = "; needs weights" if page.needs_weights else ""
    return f"{page.code} {page.name} ({page.severity}{needs}{mends})\n\n{page.card}"
