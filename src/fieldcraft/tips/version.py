"""The version of a tip: a digest of its code, so that evidence of how it decided before is not held against it now."""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b

from fieldcraft.tips.interface import Tip


def version(tip: Tip) -> str:
    """12 hexadecimal digits that change with the code of the tip's module; empty where its source cannot be read.

    Layout, comments and docstrings do not count. Nor does what the module imports: a tip whose helper changed keeps its
    version.
    """
    module = tip.module or (inspect.getmodule(tip.decide) if tip.decide else None)
    try:
        return digest(inspect.getsource(module)) if module else ""
    except (OSError, TypeError, SyntaxError):
        return ""


@cache
def digest(source: str) -> str:
    """The same for a piece of Python, found out once in a process. Equal under every Python that can parse it."""
    return blake2b("".join(_told(ast.parse(source))).encode(), digest_size=6).hexdigest()


def _told(node: object) -> Iterator[str]:
    """The tree in words. Empty fields are passed over: each Python adds some, and `ast.dump` differs between them."""
    if isinstance(node, ast.AST):
        yield f"({type(node).__name__}"
        for name, value in ast.iter_fields(node):
            if value is not None and value != [] and name not in ("ctx", "kind", "type_comment"):
                yield f" {name}="
                yield from _told(_without_docstring(value) if name == "body" else value)
        yield ")"
    elif isinstance(node, list):
        for one in node:
            yield from _told(one)
    else:
        yield repr(node)


def _without_docstring(body: object) -> object:
    if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return body[1:]
    return body
