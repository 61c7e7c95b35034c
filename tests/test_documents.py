"""README and documentation: the code runs, the commands exist, the plans are plans, the pages cover the code.

Python blocks of a page run one after the other in one namespace, in a folder with a little data; a block with a title
is a file. A block below `<!-- not run: reason -->` is left alone.
"""

import os
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import typer
from PIL import Image
from tests import warm

from fieldcraft.cli.app import app
from fieldcraft.plan.shape import every_name
from fieldcraft.proof.evidence import latest, ours
from fieldcraft.tips import ALL

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(
    r"(?P<left_alone><!-- not run: .+? -->\n+)?^```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    line: int
    kind: str
    title: str | None
    text: str
    runs: bool


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in FENCE.finditer(text):
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("kind")) + 1,
            kind=found["kind"],
            title=found["title"],
            text=found["text"],
            runs=not found["left_alone"],
        )


def every(kind: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.kind == kind and block.runs]


def place(block: Block) -> str:
    return f"{block.page.relative_to(ROOT)}:{block.line}"


# ---------------------------------------------------------------- python


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with what the pages talk about: photos in two classes, and a table."""
    rng = np.random.default_rng(0)
    for kind, level in (("cat", 60), ("dog", 180)):
        (tmp_path / "photos" / kind).mkdir(parents=True)
        for number in range(30):
            pixels = np.clip(rng.normal(level, 40, size=(16, 16, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / kind / f"patient{number % 10:02d}_{number}.png")
    table = pd.DataFrame(rng.normal(size=(120, 3)), columns=["heat", "flow", "load"])
    table["yield"] = table["heat"] * 2 + rng.normal(size=120)
    table.to_csv(tmp_path / "measurements.csv", index=False)
    return tmp_path


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.kind == "python" for b in blocks(page))], ids=lambda p: p.stem
)
def test_python_runs(page: Path, desk: Path) -> None:
    script = []
    for block in blocks(page):
        if block.kind != "python" or not block.runs:
            continue
        if block.title:
            path = desk / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            compile(block.text, str(path), "exec")
        else:
            # Blank lines above, so that a traceback names the page's own lines.
            script.append((block.line, block.text))
    code = ""
    for line, text in script:
        code += "\n" * (line - code.count("\n")) + text
    (desk / "page.py").write_text(code)
    done = warm.run(["page.py"], {**os.environ, "HOME": str(desk), "PYTHONPATH": str(ROOT / "src")}, desk)
    assert done.returncode == 0, f"{page.relative_to(ROOT)}\n{done.stderr[-3000:]}"
    for test in sorted(desk.glob("test_*.py")):
        _passes(test)


def _passes(test: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(test.parent), str(ROOT / "src")))}
    done = warm.run(["-m", "pytest", "-q", "-p", "no:cacheprovider", test.name], environment, test.parent)
    assert done.returncode == 0, done.stdout[-3000:]


# ---------------------------------------------------------------- console


def calls(block: Block) -> Iterator[list[str]]:
    for line in block.text.splitlines():
        if line.startswith("$ "):
            yield shlex.split(line[2:], comments=True)


@pytest.mark.parametrize("block", every("console"), ids=place)
def test_commands_exist(block: Block) -> None:
    found = list(calls(block))
    assert found, "a console block holds lines that begin with `$ `"
    for program, *arguments in found:
        match Path(program).name:
            case "fieldcraft":
                _parses(arguments)
            case "make":
                targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M)
                assert set(arguments) <= set(targets)
            case "python" if arguments[0] == "-c":
                compile(arguments[1], "-c", "exec")
            case "pip":
                _pip(arguments)
            case "python3":
                assert arguments[:2] == ["-m", "venv"]
            case _:
                pytest.fail(f"{program} is not known here")


def _parses(arguments: list[str]) -> None:
    """The command's own parser takes the arguments, and edits and tips that they name exist."""
    group: Any = typer.main.get_command(app)
    command = group.commands[arguments[0]]
    parameters = command.make_context(arguments[0], list(arguments[1:])).params
    for edit in parameters.get("edits") or ():
        _known_field(edit.partition("=")[0])
    named = [*(parameters.get("without") or ()), *(parameters.get("only") or ())]
    if arguments[0] == "tips" and parameters.get("name"):
        named.append(parameters["name"])
    assert set(named) <= {tip.name for tip in ALL}


def _pip(arguments: list[str]) -> None:
    assert arguments[0] == "install"
    for word in arguments[1:]:
        if word.endswith(".txt"):
            assert (ROOT / word).exists()


# ---------------------------------------------------------------- toml


def _known_field(name: str) -> None:
    keys = name.split(".")
    for known in every_name():
        parts = known.split(".")
        if len(parts) == len(keys) and all(part in ("*", key) for part, key in zip(parts, keys, strict=True)):
            return
    pytest.fail(f"no plan has a field {name}")


def _names(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _names(value, f"{prefix}{key}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                yield from _names(item, f"{prefix}{key}.*.")
        else:
            yield prefix + key


@pytest.mark.parametrize("block", every("toml"), ids=place)
def test_plans_are_plans(block: Block) -> None:
    document = tomllib.loads(block.text)
    if block.title != "pyproject.toml":
        for name in _names(document):
            _known_field(name)


# ---------------------------------------------------------------- links, generated pages


@pytest.mark.parametrize(
    "page", [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")], ids=lambda p: p.stem
)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    first_cells = {name.strip() for row in re.findall(r"^\| ([^|]+) \|", text, re.M) for name in row.split(",")}
    wanted = {re.split(r"[><=\[]", one)[0] for one in project["dependencies"]} | set(project["optional-dependencies"])
    assert wanted <= first_cells


def test_the_page_of_evidence_has_every_line_that_comes_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from evidence_page import evidence_page  # type: ignore[import-not-found]

    page, lines = evidence_page(), latest(ours().read())
    assert lines, "the package comes with evidence"
    for line in lines:
        row = f"| [{line.tip}](tips/{line.tip}.md) | {line.name} | {line.metric} |"
        assert sum(one.startswith(row) for one in page.splitlines()) >= 1


def test_generated_pages_cover_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from reference_pages import commands_page, plan_page, run_folder_page  # type: ignore[import-not-found]
    from tip_pages import tip_index, tip_pages  # type: ignore[import-not-found]

    assert list(tip_pages()) == [tip.name for tip in ALL]
    for tip in ALL:
        page = tip_pages()[tip.name]
        assert f"]({tip.name}.md)" in tip_index()
        for heading in ("Helps", "Hurts", "Cost", "Source"):
            assert f"**{heading}.**" in page, f"the card of {tip.name} has no `{heading}:`"
    plan = plan_page()
    for name in every_name():
        assert f"`{name.rpartition('.')[2]}`" in plan or name.endswith("kind"), name
    assert all(f"## fieldcraft {name}" in commands_page() for name in ("data", "plan", "fit", "predict"))
    assert "`plan.toml`" in run_folder_page()


@pytest.mark.parametrize("page", ["README.md", "docs/start/install.md"])
def test_the_cpu_build_that_is_shown_is_the_one_that_is_pinned(page: str) -> None:
    pinned = re.search(r"^torch==\S+$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned is not None
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"pip install {pinned[0]} --index-url https://download.pytorch.org/whl/cpu" in text
