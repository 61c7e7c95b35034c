"""One's own parts: `package.module:name` to the thing it names."""

import importlib
import sys
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

from fieldcraft.errors import PlanError


def load_target(target: str, what: str) -> Callable[..., object]:
    """The callable that `target` ("package.module:name") names; `what` says for the error what it was wanted as.

    Modules in the current directory can be imported (after installed ones of the same name).
    Raises: PlanError when the module or the name in it does not exist (naming near ones), when the module fails while
    it is imported, or when the thing cannot be called.
    """
    where, _, names = target.partition(":")
    if not where or not names:
        raise PlanError(f'{what}: target must look like "package.module:name", but got "{target}".')
    found: object = _import(where, target, what)
    for depth, name in enumerate(names.split(".")):
        if not hasattr(found, name):
            owner = where if depth == 0 else f"{where}:{'.'.join(names.split('.')[:depth])}"
            raise PlanError(f'{what}: target "{target}": {owner} has no `{name}`{_nearest(name, found)}')
        found = getattr(found, name)
    if not callable(found):
        raise PlanError(
            f'{what}: target "{target}" must name something that can be called, but it is a {type(found).__name__}.'
        )
    return found


def _import(where: str, target: str, what: str) -> ModuleType:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    importlib.invalidate_caches()
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name is not None and (where == error.name or where.startswith(f"{error.name}.")):
            raise PlanError(
                f'{what}: target "{target}": there is no module `{error.name}`; it must be installed or lie in {here}.'
            ) from error
        raise PlanError(f'{what}: target "{target}": {where} needs `{error.name}`, which is not installed.') from error
    except Exception as error:
        raise PlanError(
            f'{what}: target "{target}": importing {where} failed with {type(error).__name__}: {error}. '
            f'Try it alone: python -c "import {where}".'
        ) from error


def _nearest(name: str, owner: object) -> str:
    public = [known for known in dir(owner) if not known.startswith("_")]
    near = get_close_matches(name, public, n=3, cutoff=0.5) or public[:5]
    return f"; nearest: {', '.join(near)}." if near else "; it has no public names."
