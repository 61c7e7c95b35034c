"""`--select`, `--ignore` and comments choose among findings; `explain` prints their pages."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.explain import explain
from fieldcraft.inspection.inspect import inspect
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.inspection.selection import all_rules, chosen
from fieldcraft.tips.rule import HEADINGS, Rule

RULES = all_rules()
Make = Callable[..., nn.Module]
NET = """
import torch
from torch import nn


class Net(nn.Module):{on_class}
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.spare = nn.Linear(2, 2)

    def forward(self, x):
        x = self.conv(x){on_line}
        return torch.relu(self.norm(x))
"""


def codes(found: Inspection) -> set[str]:
    return {one.code for one in found.findings}


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes a module with a bias before its norm and a spare layer, from a file with comments."""
    return lambda on_class="", on_line="": made(tmp_path, monkeypatch, on_class, on_line)


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, on_class: str, on_line: str) -> nn.Module:
    path = folder / "net.py"
    path.write_text(NET.format(on_class=on_class, on_line=on_line))
    spec = importlib.util.spec_from_file_location(f"net_{folder.name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    found = module.Net()
    assert isinstance(found, nn.Module)
    return found


# ---------------------------------------------------------------- select and ignore


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ("FC001", ["FC001"]),
        ("fc001", ["FC001"]),
        ("bias-before-norm", ["FC001"]),
        ("FC001, FC003", ["FC001", "FC003"]),
        ("FC00", [f"FC00{digit}" for digit in range(1, 10)]),
        ("FC", [rule.code for rule in RULES]),
    ],
)
def test_codes_names_and_beginnings(entry: str, wanted: list[str]) -> None:
    assert [rule.code for rule in chosen(RULES, [entry], ())] == wanted
    assert [rule.code for rule in chosen(RULES, (), [entry])] == [r.code for r in RULES if r.code not in wanted]


@given(
    select=st.lists(st.sampled_from([rule.code for rule in RULES])),
    ignore=st.lists(st.sampled_from([rule.code for rule in RULES])),
)
def test_what_is_told_is_selected_and_not_ignored(select: list[str], ignore: list[str]) -> None:
    told = {rule.code for rule in chosen(RULES, select, ignore)}
    assert told == (set(select) or {rule.code for rule in RULES}) - set(ignore)


@pytest.mark.parametrize(
    ("entry", "near"),
    [("FC999", "FC0"), ("bias-before-nrom", "FC001 bias-before-norm"), ("FX", "no finding"), ("001", "no finding")],
)
def test_an_unknown_entry_names_those_near(entry: str, near: str) -> None:
    for select, ignore in (([entry], ()), ((), [entry])):
        with pytest.raises(InspectError, match=f"{entry}") as caught:
            chosen(RULES, select, ignore)
        assert near in str(caught.value)


def test_inspect_tells_what_is_chosen_and_counts_the_rest(net: Make) -> None:
    module = net()
    everything = inspect(module, (3, 8, 8))
    assert {"FC001", "FC029"} <= codes(everything)
    assert everything.ignored == 0
    some = inspect(module, (3, 8, 8), ignore=["FC001"])
    assert codes(some) == codes(everything) - {"FC001"}
    assert some.ignored == 1
    assert codes(inspect(module, (3, 8, 8), select=["unused-parameters"])) == {"FC029"}


# ---------------------------------------------------------------- comments


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("  # fieldcraft: ignore", {"FC001"}),
        ("  # fieldcraft: ignore[FC001]", {"FC001"}),
        ("  # fieldcraft: ignore[bias-before-norm, FC034]", {"FC001"}),
        ("  #fieldcraft:ignore[FC00]  # because of old weights", {"FC001"}),
        ("  # fieldcraft: ignore[FC029]", set()),
        ("  # fieldcraft says ignore", set()),
    ],
)
def test_a_comment_on_the_line(net: Make, comment: str, silent: set[str]) -> None:
    found = inspect(net(on_line=comment), (3, 8, 8))
    assert {"FC001", "FC029"} - codes(found) == silent
    assert found.ignored == len(silent)


@pytest.mark.parametrize(
    ("comment", "silent"),
    [
        ("  # fieldcraft: ignore[FC001, FC029]", {"FC001", "FC029"}),
        ("  # fieldcraft: ignore[unused-parameters]", {"FC029"}),
        ("  # fieldcraft: ignore[FC020]", set()),
    ],
)
def test_a_comment_on_the_line_of_the_class(net: Make, comment: str, silent: set[str]) -> None:
    found = inspect(net(on_class=comment), (3, 8, 8))
    assert {"FC001", "FC029"} - codes(found) == silent


def test_a_comment_of_another_class_says_nothing(net: Make) -> None:
    class Around(nn.Module):  # fieldcraft: ignore
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x)

    assert "FC001" in codes(inspect(Around(), (3, 8, 8)))


# ---------------------------------------------------------------- explain


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_page_is_complete(rule: Rule) -> None:
    text = explain(rule.code)
    assert text == explain(rule.name)
    assert text.startswith(f"{rule.code} {rule.name} ({rule.severity}")
    for heading in HEADINGS:
        has = any(line.startswith(f"{heading}:") for line in text.splitlines())
        assert has == (heading != "Rewrite" or rule.rewrite is not None), heading


def test_an_unknown_finding_names_those_near() -> None:
    with pytest.raises(InspectError, match="FC003 two-norms-in-a-row"):
        explain("two-norms")


def test_every_rule_is_on_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[2] / "scripts"))
    from finding_pages import finding_index, finding_pages  # type: ignore[import-not-found]

    pages = finding_pages()
    assert list(pages)[: len(RULES)] == [rule.code for rule in RULES]
    for rule in RULES:
        page = pages[rule.code]
        assert f"# {rule.code} {rule.name}" in page
        assert f"[{rule.name}]({rule.code}.md)" in finding_index()
        for heading in HEADINGS:
            assert (f"**{heading}.**" in page) == (heading != "Rewrite" or rule.rewrite is not None)
        assert page.count("```") % 2 == 0
        assert page.count("```python") >= 1
