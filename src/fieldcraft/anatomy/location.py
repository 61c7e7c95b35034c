"""Where an operation came from: the nearest line of someone else's code, or the node of a file."""

import os
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import FrameType

import torch

from fieldcraft.records.anatomy import Location

PLACE = "__fieldcraft_location__"
"""Local variable by which a function that runs the nodes of a file says which node it is at."""
INNER = "__fieldcraft_inner__"
"""Global variable of modules whose lines are nobody's `forward`."""
TORCH = f"{Path(torch.__file__).parent}{os.sep}"
HERE = f"{Path(__file__).parent}{os.sep}"


def nearest_line() -> Location | None:
    """The nearest line of someone else's code."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if PLACE in code.co_varnames:
            told: Location | None = frame.f_locals.get(PLACE)
            return told
        if is_foreign(code.co_filename) and INNER not in frame.f_globals:
            return _at(code.co_filename, frame.f_lineno)
        if code.co_name == "traced_call" and code.co_filename.startswith(HERE):
            return None
        frame = frame.f_back
    return None


@cache
def is_foreign(file: str) -> bool:
    """A file of the user's (by name: equal code objects may stand in different files)."""
    return not file.startswith((TORCH, HERE, "<"))


@cache
def _at(file: str, line: int) -> Location:
    import linecache

    return Location(file=file, line=line, text=linecache.getline(file, line).strip())


def traced_call(call: Callable[[], object]) -> object:
    """Call; lines outside of it are not searched for the origin of an operation."""
    return call()
