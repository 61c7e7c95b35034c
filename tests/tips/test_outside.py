import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fieldcraft.errors import PlanError
from fieldcraft.tips.interface import Skipped, Tip
from fieldcraft.tips.outside import with_outside

Install = Callable[..., None]


def tip(name: str) -> Tip:
    return Tip(name=name, decide=lambda brief, plan: Skipped(because="no"))


OWN = (tip("first"), tip("second"), tip("third"))


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with entry points on the path, as pip does."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(package: str, *tips: tuple[str, str | None], source: str | None = None) -> None:
        body = source or "from fieldcraft.tips.interface import Skipped, Tip\n" + "".join(
            f"T{index} = Tip(name={name!r}, decide=lambda b, p: Skipped(because='no'), after={after!r})\n"
            for index, (name, after) in enumerate(tips)
        )
        (tmp_path / f"{package}.py").write_text(body)
        info = tmp_path / f"{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        points = "".join(f"{name} = {package}:T{index}\n" for index, (name, _) in enumerate(tips))
        (info / "entry_points.txt").write_text(f"[fieldcraft.tips]\n{points}")

    yield write
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)


def names(tips: tuple[Tip, ...]) -> list[str]:
    return [tip.name for tip in tips]


def test_without_outside_tips_nothing_changes() -> None:
    assert with_outside(OWN) == OWN


def test_places(install: Install) -> None:
    install("outside_a", ("b-at-end", None), ("c-after-first", "first"), ("d-after-first", "first"))
    install("outside_b", ("e-after-outside", "c-after-first"), ("a-after-e", "e-after-outside"))
    assert names(with_outside(OWN)) == [
        "first", "c-after-first", "e-after-outside", "a-after-e", "d-after-first", "second", "third", "b-at-end",
    ]  # fmt: skip


def test_an_unknown_place_names_the_package_and_the_nearest(install: Install) -> None:
    install("outside_a", ("mine", "secund"))
    with pytest.raises(
        PlanError, match=r"outside_a 1\.2.*mine after secund, which does not exist; did you mean `second`"
    ):
        with_outside(OWN)


def test_tips_that_wait_for_each_other(install: Install) -> None:
    install("outside_a", ("mine", "yours"), ("yours", "mine"))
    with pytest.raises(PlanError, match=r"outside_a 1\.2"):
        with_outside(OWN)


@pytest.mark.parametrize("taken", ["second", "twice"])
def test_a_name_that_is_taken(install: Install, taken: str) -> None:
    install("outside_a", ("twice", None))
    install("outside_b", (taken, None))
    with pytest.raises(PlanError, match=rf"outside_[ab] 1\.2 .*brings a tip called {taken}"):
        with_outside(OWN)


def test_what_is_no_tip(install: Install) -> None:
    install("outside_a", ("mine", None), source="T0 = 3\n")
    with pytest.raises(
        PlanError, match=r"the package outside_a 1\.2 \(entry point mine = outside_a:T0\) must be .*Tip, got int"
    ):
        with_outside(OWN)


@pytest.mark.parametrize("source", ["import no_such_module\n", "raise RuntimeError('broken')\n", "x = 1\n", "def\n"])
def test_what_cannot_be_loaded(install: Install, source: str) -> None:
    install("outside_a", ("mine", None), source=source)
    with pytest.raises(PlanError, match=r"the package outside_a 1\.2 .*cannot be loaded .*uninstall"):
        with_outside(OWN)
