"""Intervals that repeat, beside a slow version that follows every unit."""

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.anatomy.phases import (
    PIXELS,
    Phases,
    Taps,
    adaptive,
    compose,
    hull,
    reduced,
    resized,
    transposed,
    window,
)
from fieldcraft.anatomy.receptive import Layer, Upsample, Window, field_after, interval_through

layers = st.one_of(
    st.builds(window, st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)),
    st.builds(transposed, st.integers(2, 5), st.integers(1, 2), st.integers(0, 2), st.integers(1, 2)),
    st.builds(adaptive, st.integers(3, 9), st.integers(2, 7)),
    st.builds(lambda first, step: Taps((first,), (1,), step), st.integers(0, 4), st.sampled_from([-2, -1, 1, 2])),
    st.builds(
        resized, st.sampled_from(["nearest", "linear", "cubic"]), st.fractions(Fraction(1, 4), 4, max_denominator=5)
    ),
)


def slowly(chain: list[Taps], unit: int) -> set[int]:
    """Every pixel that a unit reads, in the virtual input without borders."""
    units = {unit}
    for taps in reversed(chain):
        units = {
            first + tap * taps.dilation for one in units for first, count in [taps.at(one)] for tap in range(count)
        }
    return units


@settings(max_examples=200, deadline=None)
@given(chain=st.lists(layers, min_size=1, max_size=4), unit=st.integers(-9, 30))
def test_a_chain_sees_what_every_unit_reads(chain: list[Taps], unit: int) -> None:
    seen: Phases | None = PIXELS
    for taps in chain:
        assert seen is not None
        seen = compose(seen, taps)
        if seen is None:  # too long a period
            return
    assert seen is not None
    pixels = slowly(chain, unit)
    low, high = seen.at(unit)
    assert (low, high) == (min(pixels), max(pixels)) if pixels else low > high


@settings(max_examples=60, deadline=None)
@given(
    chain=st.lists(
        st.one_of(
            st.builds(Window, st.integers(1, 5), st.integers(1, 3), st.integers(0, 3), st.integers(1, 3)),
            st.builds(Upsample, st.integers(1, 3)),
        ),
        min_size=1,
        max_size=4,
    ),
    unit=st.integers(0, 20),
)
def test_it_agrees_with_the_chain_arithmetic(chain: list[Layer], unit: int) -> None:
    seen: Phases | None = PIXELS
    for layer in chain:
        assert seen is not None
        taps = (
            window(layer.kernel, layer.stride, layer.padding, layer.dilation)
            if isinstance(layer, Window)
            else resized("nearest", Fraction(1, layer.factor))
        )
        seen = compose(seen, taps)
    assert seen is not None
    assert seen.at(unit) == interval_through(chain, unit)
    assert seen.stride == field_after(chain).stride


@given(
    lows=st.lists(st.integers(-9, 9), min_size=1, max_size=4),
    size=st.integers(0, 5),
    step=st.integers(1, 6),
    times=st.integers(1, 3),
    unit=st.integers(-20, 20),
)
def test_the_shortest_period_says_the_same(lows: list[int], size: int, step: int, times: int, unit: int) -> None:
    tall = [low + turn * step for turn in range(times) for low in lows]
    long = Phases(tuple(tall), tuple(low + size for low in tall), step * times)
    short = reduced(long)
    assert short.at(unit) == long.at(unit)
    assert short.period <= len(lows)
    assert reduced(short) == short


def test_a_join_is_the_hull_unit_by_unit() -> None:
    near, far = Phases((0, 0), (1, 2), 2), Phases((-3,), (1,), 1)
    joined = hull(near, far)
    assert joined is not None
    for unit in range(-4, 5):
        (a, b), (c, d) = near.at(unit), far.at(unit)
        assert joined.at(unit) == (min(a, c), max(b, d))
    assert hull(near, Phases((0,), (0,), 2)) is None


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("corners", [False, True])
@pytest.mark.parametrize(("before", "after"), [(12, 24), (12, 30), (12, 17), (20, 8), (21, 7), (9, 9)])
def test_resizing_reads_what_pytorch_reads(mode: str, antialias: bool, corners: bool, before: int, after: int) -> None:
    source = torch.zeros(1, 1, before, before, dtype=torch.float64, requires_grad=True)
    made = F.interpolate(source, size=(after, after), mode=mode, align_corners=corners, antialias=antialias)
    scale = Fraction(before - 1, after - 1) if corners else Fraction(before, after)
    kind = {"bilinear": "linear", "bicubic": "cubic"}[mode]
    taps = resized(kind, scale, corners=corners, antialias=antialias)
    for unit in range(after):
        (gradient,) = torch.autograd.grad(made[0, 0, unit].sum(), source, retain_graph=True)
        read = torch.nonzero(gradient[0, 0].abs().sum(1) > 1e-9).flatten().tolist()
        first, count = taps.at(unit)
        if first >= 0 and first + count <= before:
            assert (read[0], read[-1]) == (first, first + count - 1)
