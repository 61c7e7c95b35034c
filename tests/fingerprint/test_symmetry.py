"""Symmetry: made-up sets whose truth is known, cell by cell; what cannot be told; real digits."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from tests.fingerprint.made_up_images import ALL, MadeUp

from fieldcraft.fingerprint import symmetry as module
from fieldcraft.fingerprint.symmetry import symmetry
from fieldcraft.records.deep_facts import Symmetry


def still() -> float:
    """A clock that stands, so that what is measured does not depend on the machine."""
    return 0.0


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 3)
    monkeypatch.setattr(module, "PILOT", 60)


def measured(pixels: np.ndarray, labels: np.ndarray, groups: np.ndarray | None = None, seed: int = 0) -> list[Symmetry]:
    fact = symmetry(pixels, labels, groups, seed=seed, limit_s=1.0, clock=still)
    assert fact is not None
    return list(fact.value)


def made_up(name: str) -> MadeUp:
    return next(one for one in ALL if one.name == name)


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.name)
def test_every_cell_of_a_made_up_set_is_right(made: MadeUp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 6)
    pixels, labels = made.sample(1000, seed=2)
    found = measured(pixels, labels)
    assert {one.transform for one in found if one.survives == "no"} == made.lost
    assert {one.survives for one in found if one.transform not in made.lost} == {"yes"}


def test_tiny_images_are_not_shifted_by_less_than_a_pixel() -> None:
    random = np.random.default_rng(0)
    pixels, labels = random.integers(0, 256, (80, 5, 5, 1)), random.integers(0, 2, 80)
    left = {"flip-horizontal", "flip-vertical", "quarter-turns", "contrast", "brightness"}
    assert {one.transform for one in measured(pixels.astype(np.uint8), labels)} == left


def test_labels_drawn_by_lot_tell_nothing() -> None:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (400, 12, 12, 1)).astype(np.uint8)
    assert {one.survives for one in measured(pixels, random.integers(0, 2, 400))} == {"cannot-tell"}


def test_few_samples_leave_more_open_than_many() -> None:
    made = made_up("size")
    few, many = (measured(*made.sample(count, seed=1)) for count in (80, 700))
    open_ = [sum(one.survives == "cannot-tell" for one in found) for found in (few, many)]
    assert open_[0] > open_[1]
    width = [np.mean([one.high - one.low for one in found]) for found in (few, many)]
    assert width[0] > 2 * width[1]


def test_the_seed_decides_and_nothing_else() -> None:
    pixels, labels = made_up("chirality").sample(80, seed=0)
    before = torch.random.get_rng_state()
    first = measured(pixels, labels, seed=5)
    assert measured(pixels, labels, seed=5) == first
    assert measured(pixels, labels, seed=6) != first
    assert torch.equal(torch.random.get_rng_state(), before)


def test_units_of_pixels_do_not_matter() -> None:
    pixels, labels = made_up("colour").sample(120, seed=0)
    as_bytes = measured(pixels, labels)
    as_shares = measured(pixels.astype(np.float32) / 255, labels)
    assert [one.survives for one in as_shares] == [one.survives for one in as_bytes]


def test_copies_in_one_group_do_not_vouch_for_each_other() -> None:
    """Ten copies of each of 40 noise images, labelled by lot: known by heart, unless groups are whole."""
    random = np.random.default_rng(0)
    pixels = np.repeat(random.integers(0, 256, (40, 10, 10, 1)).astype(np.uint8), 10, axis=0)
    labels, groups = np.repeat(random.integers(0, 2, 40), 10), np.repeat(np.arange(40), 10).astype(str)
    assert {one.survives for one in measured(pixels, labels, groups)} == {"cannot-tell"}
    assert "cannot-tell" not in {one.survives for one in measured(pixels, labels)}


def test_labels_and_numbers_are_measured_too() -> None:
    pixels, classes = made_up("lean").sample(300, seed=0)
    numbers = measured(pixels, (classes - 1.0)[:, None])
    labels = measured(pixels, np.stack([classes == 0, classes == 2], axis=1).astype(np.float64))
    for found in (numbers, labels):
        by_name = {one.transform: one for one in found}
        assert by_name["flip-horizontal"].survives == "no"
        assert by_name["contrast"].survives == "yes"


@pytest.mark.parametrize("kind", ["few", "one class", "one group"])
def test_what_cannot_be_measured_is_none(kind: str) -> None:
    pixels, labels = made_up("size").sample(30 if kind == "few" else 100, seed=0)
    labels = np.zeros_like(labels) if kind == "one class" else labels
    groups = np.array(["a"] * len(labels)) if kind == "one group" else None
    assert symmetry(pixels, labels, groups, seed=0, limit_s=1.0, clock=still) is None


def test_the_limit_is_kept_by_the_clock() -> None:
    """A clock that moves on by a second each time it is asked: what would take longer is not begun."""
    pixels, labels = made_up("size").sample(100, seed=0)
    asked = []

    def clock() -> float:
        asked.append(None)
        return float(len(asked))

    assert symmetry(pixels, labels, None, seed=0, limit_s=4.0, clock=clock) is None
    asked.clear()
    fact = symmetry(pixels, labels, None, seed=0, limit_s=14.0, clock=clock)
    assert len(asked) <= 15
    assert fact is not None
    assert "all 100 training samples" in fact.sample


class Costly:
    """A clock that moves on by a second for every thousand images that a probe looks at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        look, draw = module._look, module._draw

        def looked(pixels: np.ndarray, seed: int) -> object:
            self.now += 2 * len(pixels) / 1000
            return look(pixels, seed)

        def drawn(look: object, changes: tuple[object, ...], *others: object) -> object:
            self.now += len(changes) * len(others[1]) / 1000  # type: ignore[arg-type]
            return draw(look, changes, *others)  # type: ignore[arg-type]

        monkeypatch.setattr(module, "_look", looked)
        monkeypatch.setattr(module, "_draw", drawn)

    def __call__(self) -> float:
        return self.now


def test_where_time_is_short_only_what_every_plan_asks_for_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 12)
    clock = Costly(monkeypatch)
    pixels, labels = made_up("orientation").sample(1000, seed=2)
    fact = symmetry(pixels, labels, None, seed=0, limit_s=20.0, clock=clock)
    assert fact is not None
    assert {one.transform for one in fact.value} == {*module.ALWAYS_ASKED, "rotation"}
    assert "times 500 of 1,000 training samples" in fact.sample
    assert "no time for other changes" in fact.method
    assert {one.survives for one in fact.value} == {"yes", "no"}
    assert clock.now <= 20.0


def test_a_small_part_of_many_samples_allows_nothing_and_still_forbids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 6)
    monkeypatch.setattr(module, "LEAST_SAMPLES", 20)
    clock = Costly(monkeypatch)
    pixels, labels = made_up("orientation").sample(1000, seed=2)
    fact = symmetry(pixels, labels, None, seed=0, limit_s=12.0, clock=clock)
    assert fact is not None
    assert "too few of many samples to allow a change" in fact.method
    assert {one.transform for one in fact.value} > {"scale", "contrast"}
    assert {one.survives for one in fact.value} == {"no", "cannot-tell"}


def test_real_digits_get_no_flips_and_no_quarter_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DRAWS", 6)
    digits = load_digits()
    found = {one.transform: one for one in measured(digits.images[..., None].astype(np.uint8), digits.target)}
    assert {name for name, one in found.items() if one.survives == "no"} == {
        "flip-horizontal",
        "flip-vertical",
        "quarter-turns",
    }
    assert found["rotation"].survives == found["scale"].survives == "yes"
    for one in found.values():
        assert one.low <= one.gain <= one.high
        assert one.margin >= module.LEAST_MARGIN
