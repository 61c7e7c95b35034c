"""A last step is kept where it helps, and hardly ever where it does not."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from fieldcraft.prediction.masks.choice import choose, measure, paired_gain
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.records.masks import Refinement, ScoreSettings


def search(scores, plain, units, name="dice"):
    table = [[{name: value} for value in row] for row in scores]
    words = [f"candidate {n}" for n in range(len(scores))]
    return choose("step", words, table, [{name: value} for value in plain], units)


def units(count, each=1):
    return [f"patient {n // each}" for n in range(count)]


def test_what_helps_every_case_is_kept():
    plain = np.random.default_rng(0).uniform(0.7, 0.9, 12)
    scores = np.stack([plain - 0.01, plain + 0.02, plain + 0.01]) + np.random.default_rng(1).normal(0, 0.003, (3, 12))
    chosen = search(scores, plain, units(12))
    assert chosen.best == 1 and chosen.refinement.kept and chosen.refinement.chosen == "candidate 1"
    change = chosen.refinement.changes["dice"]
    assert change.gain.value == pytest.approx(change.after - change.before) == pytest.approx(0.02, abs=0.004)
    assert 0 < change.gain.low < change.gain.value < change.gain.high
    assert "+0.0" in chosen.refinement.because and "kept" in chosen.refinement.because


def test_what_changes_nothing_is_not_kept():
    plain = np.random.default_rng(0).uniform(0.7, 0.9, 12)
    chosen = search(np.stack([plain, plain]), plain, units(12))
    assert not chosen.refinement.kept and chosen.best == 0 and chosen.refinement.changes["dice"].gain.value == 0
    assert "not kept" in chosen.refinement.because


def test_what_helps_one_case_alone_is_not_kept():
    plain = np.full(10, 0.8)
    better = plain.copy()
    better[3] = 0.99
    assert not search([better], plain, units(10)).refinement.kept


def test_cases_of_one_group_are_no_proof():
    plain = np.full(12, 0.8)
    better = plain + np.random.default_rng(0).uniform(0.01, 0.03, 12)
    alone = search([better], plain, ["stack"] * 12).refinement
    assert not alone.kept and alone.changes["dice"].gain is None and "of one group" in alone.because
    assert search([better], plain, units(12)).refinement.kept


def test_less_is_better_for_distances():
    plain = np.random.default_rng(0).uniform(3, 5, 12)
    chosen = search([plain + 1, plain - 1], plain, units(12), "hd95_mm")
    assert chosen.best == 1 and chosen.refinement.changes["hd95_mm"].gain.value == pytest.approx(1)


def test_a_case_has_no_part_in_the_choice_that_it_is_judged_by():
    """Each of as many candidates as cases is splendid on one case: chosen with that case seen it would seem to help."""
    plain = np.full(10, 0.5)
    scores = np.full((10, 10), 0.5) - 0.01
    np.fill_diagonal(scores, 1.0)
    assert search(scores, plain, units(10)).refinement.changes["dice"].gain.value == pytest.approx(-0.01)


def test_noise_is_hardly_ever_kept():
    kept = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        plain = rng.uniform(0.7, 0.9, 8)
        kept += search(plain + rng.normal(0, 0.02, (10, 8)), plain, units(8)).refinement.kept
    assert kept <= 6


def test_the_interval_is_that_of_units():
    gains = np.repeat([0.01, 0.05, -0.02, 0.03], 5)
    whole, alone = paired_gain(gains, units(20, each=5)), paired_gain(gains, units(20))
    assert whole.n == 4 and whole.high - whole.low > 2 * (alone.high - alone.low)
    assert paired_gain(gains, ["one"] * 20) is None


def square(at, value=1):
    mask = np.zeros((12, 12), int)
    mask[at : at + 4, at : at + 4] = value
    return mask


def pair(truth, predicted):
    return MaskPair(name="a", truth=truth, predicted=predicted, spacing=(1.0, 1.0))


def test_nothing_where_nothing_is_counts_as_right():
    empty = square(0) * 0
    assert measure(pair(empty, empty), [1], ScoreSettings()) == {"dice": 1, "boundary_iou": 1, "hd95_mm": 0}
    assert measure(pair(empty, square(2)), [1], ScoreSettings())["dice"] == 0


def test_membranes_are_judged_by_the_rand_score_first():
    wall = np.zeros((12, 12), int)
    wall[:, 6] = 1
    found = measure(pair(wall, wall * 0), [1], ScoreSettings(membrane=1))
    assert next(iter(found)) == "rand" and found["rand"] == pytest.approx(2 * 0.5 / 1.5, abs=0.02)


def test_records_survive_json():
    plain = np.full(6, 0.8)
    adapter = TypeAdapter(Refinement)
    for names in (units(6), ["one"] * 6):
        found = search([plain], plain, names).refinement
        assert adapter.validate_json(adapter.dump_json(found)) == found
