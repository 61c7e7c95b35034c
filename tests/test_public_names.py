"""The public surface: what `import fieldcraft as fc` offers, and nothing by accident."""

import importlib
import subprocess
import sys

import pytest

import fieldcraft as fc

NAMES = [
    "FieldcraftClassifier",
    "FieldcraftError",
    "FieldcraftModule",
    "FieldcraftRegressor",
    "Plan",
    "ReadOptions",
    "Run",
    "Trained",
    "audit",
    "doctor",
    "draft",
    "evidence",
    "explain",
    "facts_of",
    "fit",
    "inspect",
    "keep_evidence",
    "labels",
    "load",
    "open_data",
    "prove",
    "prove_function",
    "read_plan",
    "rewrite",
]


def test_the_public_names_are_these() -> None:
    assert fc.__all__ == NAMES == sorted(NAMES)
    assert set(fc._HOMES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_is_the_thing_at_its_home(name: str) -> None:
    module, _, attribute = fc._HOMES[name].partition(":")
    assert getattr(fc, name) is getattr(importlib.import_module(module), attribute)
    assert getattr(fc, name).__doc__, f"{name} has no docstring"


def test_importing_fieldcraft_imports_nothing_heavy() -> None:
    code = (
        "import sys, fieldcraft; sys.exit(str([m for m in ('torch', 'numpy', 'pydantic') if m in sys.modules] or ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'prune'; it has .*open_data"):
        _ = fc.prune
