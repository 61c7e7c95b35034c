"""Near names: what someone who mistyped may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A question that begins with a space, such as " Did you mean 'digits'?"; empty when nothing is near."""
    by_lower = {choice.lower(): choice for choice in choices}
    close = [by_lower[match] for match in get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)]
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names in a row, the first `most` of them, with the number of those left unsaid."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")
