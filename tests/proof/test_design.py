"""Screening designs: balance, orthogonality, and published properties of their aliases."""

import numpy as np
import pytest

from fieldcraft.proof.design import Kind, hadamard, runs, screening, signs
from fieldcraft.records.proof import Setting, Trial


def setting(many: int, seed: int = 0) -> Setting:
    names = tuple(f"f{number}" for number in range(many))
    return Setting(factors=names, base=names, metric="score", higher_is_better=True, seed=seed)


def levels(trials: tuple[Trial, ...], factors: tuple[str, ...]) -> np.ndarray:
    return np.array([[1 if name in trial.arm.on else -1 for name in factors] for trial in trials])


@pytest.mark.parametrize("n", [n for n in range(4, 101, 4) if n not in (52, 92, 100)])
def test_rows_of_a_hadamard_matrix_are_orthogonal(n: int) -> None:
    square = hadamard(n)
    assert square is not None
    assert set(np.unique(square)) == {-1, 1}
    assert (square @ square.T == n * np.eye(n)).all()
    assert (square[:, 0] == 1).all()


@pytest.mark.parametrize("n", [0, 3, 6, 52, 92])
def test_where_no_construction_leads_to_one_there_is_none(n: int) -> None:
    assert hadamard(n) is None


@pytest.mark.parametrize(
    ("factors", "plackett_burman", "mirrored"), [(7, 8, 16), (8, 12, 16), (11, 12, 24), (16, 20, 32), (32, 36, 64)]
)
def test_runs_that_designs_take(factors: int, plackett_burman: int, mirrored: int) -> None:
    assert runs("Plackett-Burman", factors) == plackett_burman
    assert runs("resolution IV", factors) == mirrored


@pytest.mark.parametrize("kind", ["Plackett-Burman", "resolution IV"])
@pytest.mark.parametrize("many", [3, 7, 8, 11, 13, 16, 25, 32])
def test_factors_are_balanced_and_orthogonal_also_to_the_pairs(kind: Kind, many: int) -> None:
    one = setting(many, seed=many)
    trials = screening(one, kind, first_pair=5)
    table = levels(trials, one.factors)
    assert (table.T @ table == len(trials) * np.eye(many)).all()
    assert (table.sum(axis=0) == 0).all()
    pairs = np.array([trial.pair for trial in trials])
    assert pairs.min() == 5
    for pair in set(pairs):
        assert (table[pairs == pair].sum(axis=0) == 0).all()


def test_an_interaction_is_a_third_of_every_other_effect_in_twelve_runs() -> None:
    """Known of the 12-run Plackett-Burman design (Montgomery, Design and Analysis of Experiments, section 8.6.3)."""
    table = signs("Plackett-Burman", 11)
    for a in range(11):
        for b in range(a + 1, 11):
            alias = table.T @ (table[:, a] * table[:, b]) / 12
            assert np.allclose(np.abs(np.delete(alias, [a, b])), 1 / 3)
            assert np.allclose(alias[[a, b]], 0)


def test_eight_runs_alias_an_interaction_with_one_effect_wholly() -> None:
    table = signs("Plackett-Burman", 7)
    alias = table.T @ (table[:, 0] * table[:, 1]) / 8
    assert sorted(np.abs(alias)) == [0, 0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize("many", [4, 8, 12, 16, 20])
def test_the_mirror_frees_main_effects_of_interactions(many: int) -> None:
    one = setting(many)
    table = levels(screening(one, "resolution IV"), one.factors)
    for a in range(many):
        for b in range(a + 1, many):
            assert (table.T @ (table[:, a] * table[:, b]) == 0).all()


def test_a_design_depends_on_the_seed_and_on_nothing_else() -> None:
    one = setting(9, seed=1)
    assert screening(one, "resolution IV") == screening(one, "resolution IV")
    assert screening(one, "resolution IV") != screening(setting(9, seed=2), "resolution IV")


def test_every_row_has_a_name_of_its_own() -> None:
    trials = screening(setting(10), "resolution IV")
    assert len({trial.arm.name for trial in trials}) == len(trials) == 24
    assert len({trial.arm.on for trial in trials}) == len(trials)
