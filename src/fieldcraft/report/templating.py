"""How pages are made: templates that escape what they are given, and no characters that a page must not hold."""

import re
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that must not stand in an HTML page; names of files, classes and layers may hold them."""


@cache
def environment() -> Environment:
    """The templates of this package, each compiled once in a process; a name that was not given is an error."""
    return Environment(
        loader=PackageLoader("fieldcraft.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def printable(page: str) -> str:
    """The page with a mark in the place of each character that it must not hold."""
    return UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", page)
