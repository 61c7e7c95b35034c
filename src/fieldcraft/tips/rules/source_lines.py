"""Lines of someone's source: where a class begins, and in which class a line stands. Nothing is imported or run."""

import linecache
import re

from fieldcraft.records.anatomy import Anatomy, Location, Submodule

CLASS = re.compile(r"^(?P<indent>\s*)class\s+(?P<name>\w+)\b")
LIBRARY = "torch."
"""Home of classes whose lines are nobody's to change."""


def definition(one: Submodule) -> Location | None:
    """The line on which the class of a submodule begins; None where its source is not there."""
    for line, text in enumerate(linecache.getlines(one.file), start=1) if one.file else ():
        match = CLASS.match(text)
        if match and match["name"] == one.kind:
            return Location(file=one.file, line=line, text=text.strip())
    return None


def owner(anatomy: Anatomy, path: str) -> Location | None:
    """The class that holds a submodule: the nearest one around it, or itself, that is not PyTorch's own."""
    while True:
        one = anatomy.by_module.get(path)
        if one is not None and not f"{one.home}.".startswith(LIBRARY) and (found := definition(one)) is not None:
            return found
        if not path:
            return None
        path = path.rpartition(".")[0]


def enclosing_class(location: Location) -> Location | None:
    """The line on which the class around a line begins."""
    lines = linecache.getlines(location.file)
    if not 0 < location.line <= len(lines):
        return None
    indent = _indent(lines[location.line - 1])
    for line in range(location.line, 0, -1):
        match = CLASS.match(lines[line - 1])
        if match and len(match["indent"]) < indent:
            return Location(file=location.file, line=line, text=lines[line - 1].strip())
    return None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())
