"""The walls of the house: imports go downwards only, and the light floors stay light."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "fieldcraft"
FLOORS = (
    ("errors", "records"),
    ("plan",),
    ("data",),
    ("nn",),
    ("anatomy",),
    ("fingerprint",),
    ("tips",),
    ("regimes",),
    ("build",),
    ("train",),
    ("baselines",),
    ("prediction",),
    ("inspection",),
    ("proof",),
    ("report",),
    ("verbs",),
    ("cli",),
)
"""Bottom up. A new floor gets its place here (DESIGN: the house)."""
LIGHT = (
    "fieldcraft",
    "fieldcraft.plan",
    "fieldcraft.tips",
    "fieldcraft.records",
    "fieldcraft.errors",
    "fieldcraft.cli",
)
HEAVY = ("torch", "numpy", "pandas", "sklearn", "scipy", "pyarrow", "lightning", "lightning_fabric", "matplotlib")
ONLY_HOME = {"lightning": ("train",), "lightning_fabric": ("train",), "typer": ("cli",)}
"""Libraries that only some floors may touch."""
IMPORTED_AS = {"scikit-learn": "sklearn", "pillow": "PIL", "lightning-fabric": "lightning_fabric"}


def modules(package: Path) -> dict[str, Path]:
    """Every module below a package, by dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path) -> Iterator[tuple[str, int]]:
    """Absolute names that a module imports anywhere in it, also inside functions and for type-checking, with lines."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def inner_imports(known: Mapping[str, Path], name: str) -> Iterator[tuple[str, int]]:
    """The package's own modules that one of them imports."""
    for wanted, line in imports(name, known[name]):
        target = wanted
        while target and target not in known:
            target = target.rpartition(".")[0]
        if target and "." in target:
            yield target, line


def floor_of(name: str) -> int:
    """The height of a module's floor. Raises: KeyError for a floor that has no place yet."""
    floor = name.split(".")[1]
    for height, names in enumerate(FLOORS):
        if floor in names:
            return height
    raise KeyError(floor)


def breaches(package: Path) -> list[str]:
    """Imports that go upwards, in words."""
    known = modules(package)
    found = []
    for name, path in known.items():
        if "." not in name or name.endswith("__main__"):
            continue
        try:
            height = floor_of(name)
        except KeyError as error:
            found.append(f"{name}: floor {error} has no place in FLOORS")
            continue
        for target, line in inner_imports(known, name):
            if floor_of(target) > height:
                found.append(f"{path.relative_to(package)}:{line}: {name} imports {target}, which stands above it")
    return found


def circles(package: Path) -> list[str]:
    """Modules that import each other round in a circle, in words."""
    known = modules(package)
    below = {name: {target for target, _ in inner_imports(known, name)} - {name} for name in known}
    found: list[str] = []
    done: set[str] = set()

    def walk(name: str, trail: tuple[str, ...]) -> None:
        if name in trail:
            found.append(" -> ".join((*trail[trail.index(name) :], name)))
            return
        if name in done:
            return
        for target in sorted(below[name]):
            walk(target, (*trail, name))
        done.add(name)

    for name in sorted(known):
        walk(name, ())
    return found


def test_imports_go_downwards() -> None:
    assert breaches(SOURCE) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(SOURCE) == []


def test_networks_know_only_torch() -> None:
    known = modules(SOURCE)
    for name in known:
        if name.startswith("fieldcraft.nn"):
            foreign = {t for t, _ in inner_imports(known, name) if not t.startswith("fieldcraft.nn")}
            assert not foreign, f"{name} imports {foreign}: parts stand alone"


@pytest.mark.parametrize("library", ONLY_HOME)
def test_libraries_stay_in_their_home(library: str) -> None:
    for name, path in modules(SOURCE).items():
        if name.count(".") and name.split(".")[1] not in ONLY_HOME[library]:
            lines = [line for wanted, line in imports(name, path) if wanted.split(".")[0] == library]
            assert not lines, f"{path}:{lines[0]} imports {library}, which belongs to {ONLY_HOME[library]}"


def test_every_library_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {one.split(">")[0].split("[")[0] for one in asked}
    declared = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names} | {"fieldcraft"}
    for name, path in modules(SOURCE).items():
        for wanted, line in imports(name, path):
            library = wanted.split(".")[0]
            assert library in declared or library in sys.stdlib_module_names, f"{path}:{line}: {library}, of {name}"


def light_modules() -> list[str]:
    return [
        name
        for name in modules(SOURCE)
        if name in LIGHT
        or name == "fieldcraft.anatomy.receptive"
        or name.split(".")[1:2] in (["plan"], ["tips"], ["records"], ["cli"])
    ]


def test_light_floors_import_nothing_heavy() -> None:
    wanted = list(light_modules())
    code = (
        "import importlib, sys\n"
        f"for name in {wanted!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy = [one for one in {HEAVY!r} if one in sys.modules]\n"
        "    if heavy: sys.exit(f'{name} imports {heavy}')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# ---------------------------------------------------------------- the walls can break


def house(root: Path, files: Mapping[str, str]) -> Path:
    """A made-up package."""
    package = root / "fieldcraft"
    for name, text in files.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        for parent in path.parents:
            if parent == root:
                break
            (parent / "__init__.py").touch()
    return package


@pytest.mark.parametrize(
    "text",
    [
        "from fieldcraft.verbs.fit import fit",
        "import fieldcraft.verbs.fit",
        "from fieldcraft.verbs import fit",
        "from ..verbs import fit",
        "def late():\n    from fieldcraft.verbs.fit import fit",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from fieldcraft.verbs.fit import fit",
    ],
)
def test_an_import_upwards_is_found(tmp_path: Path, text: str) -> None:
    package = house(tmp_path, {"data/open.py": text, "verbs/fit.py": "def fit(): ..."})
    (found,) = breaches(package)
    assert found.startswith("data/open.py:")
    assert "verbs" in found


def test_an_import_downwards_is_fine(tmp_path: Path) -> None:
    package = house(tmp_path, {"verbs/fit.py": "from fieldcraft.data.open import x", "data/open.py": "x = 1"})
    assert breaches(package) == []
    assert circles(package) == []


def test_a_circle_is_found(tmp_path: Path) -> None:
    package = house(
        tmp_path,
        {
            "data/a.py": "from fieldcraft.data.b import x",
            "data/b.py": "def late():\n    from fieldcraft.data.c import y",
            "data/c.py": "import fieldcraft.data.a",
        },
    )
    assert breaches(package) == []
    assert circles(package) == ["fieldcraft.data.a -> fieldcraft.data.b -> fieldcraft.data.c -> fieldcraft.data.a"]


def test_a_floor_without_a_place_is_found(tmp_path: Path) -> None:
    (found,) = breaches(house(tmp_path, {"cellar/wine.py": ""}))[:1]
    assert "cellar" in found
