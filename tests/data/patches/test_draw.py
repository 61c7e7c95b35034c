from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.data.patches.draw import Draw
from fieldcraft.data.patches.volume import Volume, places_of


def volume(name: str, shape: tuple[int, ...], boxes: dict[int, tuple[slice, ...]]) -> Volume:
    mask = np.zeros(shape, np.int16)
    for label, box in boxes.items():
        mask[box] = label
    return Volume.of(name, np.zeros((1, *shape), np.float32), mask)


def volumes() -> list[Volume]:
    """Class 2 is a single voxel of one case in five."""
    common = {1: (slice(2, 9), slice(3, 12))}
    rare = common | {2: (slice(0, 1), slice(15, 16))}
    return [volume(f"case-{index}", (12, 16), rare if index == 3 else common) for index in range(5)]


@given(share=st.sampled_from([0.0, 0.25, 1 / 3, 0.5, 0.8, 1.0]), batch=st.integers(1, 5), seed=st.integers(0, 3))
def test_exactly_the_stated_share_is_centred_on_foreground(share, batch, seed) -> None:
    draw = Draw(volumes(), (4, 4), batch, share, seed, "n")
    around = [place.around for step in range(24) for place in draw.at(step)]
    assert sum(one is not None for one in around) == pytest.approx(share * len(around), abs=1)


def test_classes_take_turns_so_that_rare_ones_come_up() -> None:
    draw = Draw(volumes(), (4, 4), 4, 0.5, 0, "n")
    places = [place for step in range(50) for place in draw.at(step)]
    assert Counter(place.around for place in places) == {None: 100, 1: 50, 2: 50}
    assert {place.case for place in places if place.around == 2} == {3}
    assert Counter(place.case for place in places if place.around is None) == dict.fromkeys(range(5), 20)
    assert Counter(place.case for place in places if place.around == 1) == dict.fromkeys(range(5), 10)


@given(step=st.integers(0, 200), seed=st.integers(0, 5), patch=st.tuples(st.integers(1, 14), st.integers(1, 20)))
def test_patches_lie_inside_and_hold_the_voxel_they_are_centred_on(step, seed, patch) -> None:
    cases = volumes()
    for place in Draw(cases, patch, 3, 0.7, seed, "n").at(step):
        inside = []
        for first, side, length in zip(place.start, patch, (12, 16), strict=True):
            if side < length:
                assert 0 <= first <= length - side
            else:
                assert first <= 0 and first + side >= length
                assert abs((side - length + first) + first) <= 1, "a small volume lies in the middle"
            inside.append(slice(max(0, first), first + side))
        if place.around is not None:
            assert (cases[place.case].mask[tuple(inside)] == place.around).any()


def test_a_voxel_far_from_the_border_is_the_centre() -> None:
    mask = np.zeros((20, 20), np.int16)
    mask[9, 11] = 1
    draw = Draw([Volume.of("one", np.zeros((1, 20, 20), np.float32), mask)], (5, 6), 1, 1.0, 0, "n")
    assert draw.at(0)[0].start == (7, 8)


def test_uniform_patches_reach_every_start_alike() -> None:
    draw = Draw([volume("a", (7,), {})], (4,), 50, 0.5, 0, "n")  # no foreground: all of them lie anywhere
    starts = Counter(place.start[0] for step in range(40) for place in draw.at(step))
    assert sorted(starts) == [0, 1, 2, 3]
    assert all(abs(count - 500) < 5 * (2000 * 0.25 * 0.75) ** 0.5 for count in starts.values())


def test_any_step_is_the_same_whenever_it_is_asked_for() -> None:
    late = Draw(volumes(), (4, 4), 3, 0.5, 1, "n").at(71)
    draw = Draw(volumes(), (4, 4), 3, 0.5, 1, "n")
    assert [draw.at(step) for step in range(72)][-1] == late
    assert Draw(volumes(), (4, 4), 3, 0.5, 2, "n").at(71) != late
    assert Draw(volumes(), (4, 4), 3, 0.5, 1, "other").at(71) != late


def test_only_the_named_classes_are_foreground() -> None:
    draw = Draw(volumes(), (4, 4), 4, 1.0, 0, "n", classes=(2,))
    assert {place.around for place in draw.at(0)} == {2}


def test_places_of_a_large_class_are_an_even_draw() -> None:
    mask = np.zeros((100, 100), np.int16)
    mask[:, 50:] = 4
    mask[0, 0] = -1
    found = places_of("a", mask, most=500)
    assert sorted(found) == [0, 4], "the void is no class"
    assert all(len(set(one.tolist())) == 500 for one in found.values())
    assert np.all(mask.reshape(-1)[found[4]] == 4)
    assert abs(found[4].mean() / 10_000 - 0.5) < 0.06
    assert np.array_equal(found[4], places_of("a", mask, most=500)[4])


@pytest.mark.parametrize(
    ("change", "match"),
    [({"patch": (4,)}, "a side of at least 1 for each axis"), ({"patch": (4, 0)}, "at least 1"),
     ({"batch": 0}, "batch >= 1"), ({"foreground": 1.5}, "foreground <= 1")],
)  # fmt: skip
def test_what_must_hold_is_said(change, match) -> None:
    given = {"volumes": volumes(), "patch": (4, 4), "batch": 2, "foreground": 0.5, "seed": 0, "name": "n"} | change
    with pytest.raises(ValueError, match=match):
        Draw(**given)


@pytest.mark.parametrize(
    ("image", "mask", "match"),
    [(np.zeros((1, 4, 4)), np.zeros((4, 5), int), r"\(4, 5\)"), (np.zeros((4, 4)), np.zeros((4, 4), int), "channels"),
     (np.zeros((1, 4)), np.zeros(4), "whole numbers"), (np.zeros((1, 0)), np.zeros(0, int), "empty")],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_named(image, mask, match) -> None:
    with pytest.raises(ValueError, match=f"case-9: .*({match})"):
        Volume.of("case-9", image, mask)
