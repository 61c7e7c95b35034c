import sys
from pathlib import Path

import pytest
from tests.report.made_up_inspection import made_up

from fieldcraft.errors import MissingExtraError
from fieldcraft.report.inspection_figure import figure, longest_axis

pytest.importorskip("matplotlib")


def test_it_draws_fields_and_costs(tmp_path: Path) -> None:
    seen = made_up()
    drawn = figure(seen)
    above, below = drawn.axes
    steps = list(above.lines[0].get_ydata())
    assert steps[0] == 3 and set(steps[1:]) == {35}
    heights = [bar.get_height() for bar in below.patches]
    assert heights[0] == pytest.approx(3 * 8 * 9 * 16 * 16 / 1e6)
    assert sum(heights) == pytest.approx(seen.anatomy.macs / 1e6)
    for kind in ("pdf", "png"):
        drawn.savefig(tmp_path / f"drawn.{kind}")
        assert (tmp_path / f"drawn.{kind}").stat().st_size > 1000


def test_the_longest_axis_is_the_inputs() -> None:
    assert longest_axis(made_up()) == (0, 32)


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[figures\]"):
        figure(made_up())
