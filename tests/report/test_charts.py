"""Drawings: places in pixels, scales, and escaping."""

import math
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.anatomy.receptive import field_after, plan_layers
from fieldcraft.plan.schema import Cnn
from fieldcraft.report.charts.bars import Bar, bar_chart, dot_chart, thin_bar_chart
from fieldcraft.report.charts.curves import Curve, bucketed, line_chart
from fieldcraft.report.charts.frame import Frame
from fieldcraft.report.charts.heat_map import heat_map
from fieldcraft.report.charts.lettering import fitted, text_width
from fieldcraft.report.charts.receptive_field import SIDE, Square, receptive_field_chart
from fieldcraft.report.charts.scatter import scatter
from fieldcraft.report.charts.stacked import Stage, stacked_bar
from fieldcraft.report.charts.svg import log_ticks, tag, tick_text, ticks
from fieldcraft.report.sections.receptive_field import _square

finite = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(finite, st.floats(1e-6, 1e9))
def test_ticks_are_even_and_inside(low: float, span: float) -> None:
    high = low + span
    found = ticks(low, high)
    assert 1 <= len(found) <= 8
    slack = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - slack <= value <= high + slack for value in found)
    gaps = [b - a for a, b in pairwise(found)]
    assert all(math.isclose(gap, gaps[0], rel_tol=1e-3, abs_tol=slack) for gap in gaps)


@given(st.floats(1e-9, 1e6), st.floats(1.01, 1e6))
def test_log_ticks_lie_inside(low: float, factor: float) -> None:
    high = low * factor
    assert all(low * 0.99 <= value <= high * 1.01 for value in log_ticks(low, high))


def test_ticks_are_written_short() -> None:
    shown = [tick_text(value) for value in (0, 0.25, 1500.0, 20_000.0, 3e6, 1e-5, -2.0)]
    assert shown == ["0", "0.25", "1500", "20k", "3M", "1e−5", "−2"]


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=400), st.integers(1, 50))
def test_buckets_keep_mean_extremes_and_last_step(values: list[float], most: int) -> None:
    found = bucketed(Curve("x", tuple(map(float, range(len(values)))), tuple(values)), most)
    assert len(found) == min(most, len(values))
    assert min(bucket.low for bucket in found) == min(values)
    assert max(bucket.high for bucket in found) == max(values)
    assert found[-1].step == len(values) - 1
    edges = [-1, *(bucket.step for bucket in found)]
    weighted = sum(bucket.mean * (b - a) for bucket, a, b in zip(found, edges, edges[1:], strict=False))
    assert math.isclose(weighted / len(values), math.fsum(values) / len(values), abs_tol=1e-9)


@given(st.floats(0.1, 10), st.booleans())
def test_scales_put_their_ends_at_the_frame(value: float, log: bool) -> None:
    frame = Frame(x=(0, 5), y=(value, value * 7), x_label="x", y_label="y", log=log)
    assert math.isclose(frame.at_x(0), frame.left)
    assert math.isclose(frame.at_x(5), frame.width - frame.right)
    assert math.isclose(frame.at_y(value), frame.height - frame.bottom, abs_tol=1e-9)
    assert math.isclose(frame.at_y(value * 7), frame.top, abs_tol=1e-9)


def test_log_scale_gives_equal_ratios_equal_lengths() -> None:
    frame = Frame(x=(0, 1), y=(0.01, 1), x_label="x", y_label="y", log=True)
    assert math.isclose(frame.at_y(0.01) - frame.at_y(0.1), frame.at_y(0.1) - frame.at_y(1))


def test_bars_are_as_long_as_their_values() -> None:
    drawn = str(bar_chart([Bar("a", 0.25, "25"), Bar("b", 1.0, "100", strong=True)], label="bars"))
    assert re.findall(r'class="bar[^"]*" x="0.00%" y="\d+" width="([\d.]+)%"', drawn) == ["25.00", "100.00"]


def test_negative_bars_go_left_of_zero() -> None:
    drawn = str(bar_chart([Bar("a", -1.0, "-1"), Bar("b", 3.0, "3")], label="bars"))
    assert re.findall(r'class="bar" x="([\d.]+)%" y="\d+" width="([\d.]+)%"', drawn) == [
        ("0.00", "25.00"),
        ("25.00", "75.00"),
    ]


def test_a_matrix_shows_every_count_once() -> None:
    drawn = str(heat_map([[5, 1], [0, 1234]], ["yes", "no"], label="matrix"))
    assert re.findall(r'<text[^>]*class="count[^>]*>([\d,]+)<', drawn) == ["5", "1", "1,234"]
    assert drawn.count('class="right"') == 2
    assert drawn.count('class="wrong"') == 1


def test_a_large_matrix_has_one_square_for_each_filled_cell() -> None:
    counts = [[int(row == column or column == 0) for column in range(60)] for row in range(60)]
    drawn = str(heat_map(counts, [str(index) for index in range(60)], label="matrix"))
    assert drawn.count("h1v1h-1z") == 60 + 59
    assert drawn.count("<path") <= 16


def test_a_single_convolution_sees_three_pixels_around_the_middle() -> None:
    layers = plan_layers(Cnn(widths=(8,), depth=1, kernel=3))
    square = _square("Stage 1", layers, 9, 9)
    assert (square.rows, square.columns, square.size) == ((3, 5), (3, 5), 3)
    drawn = str(receptive_field_chart("data:,", 9, 9, [square], small=True, label="field"))
    box = re.search(
        r'x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" class="|class="field s0" x="([\d.]+)"', drawn
    )
    assert box is not None
    assert math.isclose(float(box[5]), SIDE / 3)


def test_squares_are_as_large_as_the_receptive_field() -> None:
    for depth in (1, 2, 3):
        layers = plan_layers(Cnn(widths=(8, 8, 8), depth=depth))
        assert _square("x", layers, 64, 48).size == field_after(layers).size


def test_a_field_beyond_the_drawing_is_dashed_and_stays_inside() -> None:
    drawn = str(receptive_field_chart("data:,", 8, 8, [Square("x", (-50, 60), (-50, 60))], small=True, label="field"))
    found = re.search(r'class="field beyond s0" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawn)
    assert found is not None
    assert float(found[1]) > 0
    assert float(found[1]) + float(found[2]) < SIDE


@pytest.mark.parametrize(("side", "beside"), [(6, True), (60, False)])
def test_names_of_small_squares_stand_beside_them_and_apart(side: int, beside: bool) -> None:
    first = 50 - side // 2
    squares = [Square(name, (first, first + side - 1), (first, first + side - 1)) for name in ("patch", "field", "it")]
    drawn = str(receptive_field_chart("data:,", 100, 100, squares, small=True, label="field", named=True))
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)" class="end"( text-anchor="end")?>(\w+)<', drawn)
    places = {name: (float(x), float(y), bool(to_the_left)) for x, y, to_the_left, name in found}
    left, right = first * SIDE / 100, (first + side) * SIDE / 100
    assert [places[name][2] for name in ("patch", "field", "it")] == [beside, beside, not beside]
    assert (places["patch"][0] < left) == (places["it"][0] > right) == beside
    assert places["field"][1] - places["patch"][1] > 17


def test_stages_fill_the_bar_as_far_as_the_whole_goes() -> None:
    drawn = str(stacked_bar([Stage("a", 1.0, "1 s"), Stage("b", 2.0, "2 s")], label="time", whole=6.0))
    assert re.findall(r'class="stage s\d" x="([\d.]+)%" y="0" width="([\d.]+)%"', drawn) == [
        ("0.000", "16.667"),
        ("16.667", "33.333"),
    ]


@given(st.text(max_size=60), st.floats(60, 300))
def test_fitted_names_take_no_more_room_than_there_is(name: str, most: float) -> None:
    found = fitted(name, most)
    assert text_width(found) <= most
    assert found == name or text_width(name) > most


@settings(deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_names_never_become_markup(name: str) -> None:
    charts = (
        bar_chart([Bar(name, 1.0, name)], label=name),
        thin_bar_chart([Bar(name, 1.0, name)], label=name),
        dot_chart([Bar(name, 1.0, name), Bar(name, 2.0, name)], label=name, tick_text=str),
        heat_map([[1, 0], [1, 1]], [name, name], label=name),
        line_chart([Curve(name, (1.0, 2.0), (1.0, 2.0))], label=name, y_label=name),
        scatter([1.0, 2.0], [1.0, 2.0], half_width=None, label=name),
    )
    tags = {"svg", "rect", "line", "text", "path", "circle", "title", "g", "polygon"}
    for chart in charts:
        assert set(re.findall(r"<([^\s/>]+)", chart)) <= tags


def test_attributes_are_escaped() -> None:
    assert tag("text", {"x": '"><script>'}, "<b>") == '<text x="&#34;&gt;&lt;script&gt;">&lt;b&gt;</text>'
