"""`package.module:callable` and `file.py:callable`: a module that Python code builds."""

import ast
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from fieldcraft.build.imported import load_target
from fieldcraft.errors import InspectError, PlanError
from fieldcraft.inspection.sources.building import without_numbers
from fieldcraft.inspection.sources.no_training import no_training
from fieldcraft.inspection.sources.source import Source


def open_python(target: str, arguments: Sequence[str] = (), *, weights: bool = False) -> Source:
    """The module that `target` builds when it is called with `arguments` ("key=value").

    Built on the meta device, where parameters take no memory; on the CPU when `weights` are wanted, or when the
    constructor needs numbers. Code of the user runs, as in any import. Raises: InspectError, in one message, when
    the code cannot be imported, the arguments do not fit, or no module comes out.
    """
    given = parse_arguments(arguments)
    found = _find(target)
    if isinstance(found, nn.Module):
        if given:
            raise InspectError(f"{target} is a module already, so --arg has nothing to set ({', '.join(given)}).")
        return Source(module=found, name=target)
    _check_arguments(found, given, target)
    module, why = _build(found, given, target, weights=weights)
    if not isinstance(module, nn.Module):
        raise InspectError(f"{target} must give a torch.nn.Module, but it gave a {type(module).__name__}.")
    return Source(
        module=module, name=target, notes=(f"Built on the CPU, since on the meta device {why}.",) if why else ()
    )


def parse_arguments(arguments: Sequence[str]) -> dict[str, object]:
    """`key=value` pairs; a value that is no Python literal is text."""
    found: dict[str, object] = {}
    for one in arguments:
        key, equals, value = one.partition("=")
        if not equals or not key.strip().isidentifier():
            raise InspectError(f'--arg must look like key=value, but got "{one}".')
        found[key.strip()] = _literal(value.strip())
    return found


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def _find(target: str) -> Callable[..., object]:
    where, _, name = target.rpartition(":")
    try:
        with no_training(f"importing {where}"), torch.random.fork_rng(devices=[]):
            if where.endswith(".py"):
                return _attribute(_run_file(Path(where), target), name, target)
            return load_target(target, "source")
    except PlanError as error:
        raise InspectError(str(error)) from error
    except SystemExit as error:
        raise InspectError(
            f"importing {where} ended the program (exit {error.code}): it looks like a script. Put what it does below "
            '`if __name__ == "__main__":`.'
        ) from error


def _run_file(path: Path, target: str) -> ModuleType:
    if not path.is_file():
        near = get_close_matches(path.name, [one.name for one in path.parent.glob("*.py")], n=1)
        raise InspectError(f"{target}: there is no file {path}{f'; did you mean {near[0]}?' if near else '.'}")
    home = str(path.resolve().parent)
    if home not in sys.path:
        sys.path.append(home)
    spec = importlib.util.spec_from_file_location(path.stem, path.resolve())
    if spec is None or spec.loader is None:
        raise InspectError(f"{path} cannot be imported as Python.")
    module = importlib.util.module_from_spec(spec)
    known = sys.modules.get(path.stem)
    sys.modules[path.stem] = module  # dataclasses and pickles of the file look themselves up there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        if known is not None:
            sys.modules[path.stem] = known
        else:
            del sys.modules[path.stem]
        raise InspectError(f"{target}: running {path} failed with {_said(error)}{_line(error)}.") from error
    return module


def _attribute(module: ModuleType, name: str, target: str) -> Callable[..., object]:
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            public = [one for one in vars(module) if not one.startswith("_")]
            near = get_close_matches(part, public, n=3, cutoff=0.5) or public[:5]
            raise InspectError(f"{target}: there is no `{part}` in it; nearest: {', '.join(near) or 'nothing'}.")
        found = getattr(found, part)
    if not callable(found):
        raise InspectError(f"{target} must name a class, a function or a module, but it is a {type(found).__name__}.")
    return found


def _check_arguments(call: Callable[..., object], given: Mapping[str, object], target: str) -> None:
    """Names that are wanted and not given, or given and not known; what cannot be known is left to the call."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return
    named = [one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    if not any(one.kind == one.VAR_KEYWORD for one in parameters):
        for key in given:
            if key not in named:
                raise InspectError(_unknown(target, key, named))
    missing = [
        one.name for one in parameters if one.name in named and one.default is one.empty and one.name not in given
    ]
    if missing:
        raise InspectError(
            f"{target} wants {', '.join(missing)}: give {' '.join(f'--arg {name}=...' for name in missing)}. An "
            "argument that is no number, text or list needs a function of your own: file.py:function."
        )


def _unknown(target: str, key: str, named: Sequence[str]) -> str:
    near = get_close_matches(key, named, n=3, cutoff=0.5)
    listed = f"did you mean {', '.join(near)}?" if near else f"it takes {', '.join(named) or 'no arguments'}."
    return f"{target} has no argument `{key}`; {listed}"


def _build(
    call: Callable[..., object], given: Mapping[str, object], target: str, *, weights: bool
) -> tuple[object, str]:
    """What the call gives, and why it was not built on the meta device."""
    why = ""
    with no_training(target), torch.random.fork_rng(devices=[]):
        if not weights:
            made, why = without_numbers(lambda: call(**given))
            if not why:
                return made, ""
        try:
            return call(**given), why
        except Exception as error:
            unknown = str(error).partition("unexpected keyword argument ")[2].strip("'")
            if isinstance(error, TypeError) and unknown in given:
                raise InspectError(_unknown(target, unknown, _names(call))) from error
            called = f"{target}({', '.join(f'{key}={value!r}' for key, value in given.items())})"
            raise InspectError(f"{called} failed with {_said(error)}{_line(error)}.") from error


def _names(call: Callable[..., object]) -> list[str]:
    try:
        return [one.name for one in inspect.signature(call).parameters.values() if one.kind != one.VAR_KEYWORD]
    except (TypeError, ValueError):
        return []


def _said(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {lines[0]}' if lines else ''}".rstrip(".")


def _line(error: Exception) -> str:
    """The innermost line, outside of torch, that raised."""
    import traceback

    torch_home = str(Path(torch.__file__).parent)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith((torch_home, str(Path(__file__).parent), "<")):
            return f" ({frame.filename}:{frame.lineno})"
    return ""
