import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.model_selection import cross_val_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from fieldcraft.verbs.estimators import FieldcraftClassifier, FieldcraftRegressor

QUICK = ('ladder.baselines=["linear"]', "ladder.rungs.small.steps=15", "ladder.rungs.large.steps=15")

EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "sample weights are not offered",
}


@parametrize_with_checks(
    [
        FieldcraftClassifier(edits=QUICK, without=("worth-a-network",)),  # these sets are tiny, and networks are meant
        FieldcraftRegressor(edits=QUICK, without=("worth-a-network",)),
    ],
    expected_failed_checks=lambda estimator: EXPECTED,
)
def test_scikit_learns_own_checks(estimator: object, check: object) -> None:
    check(estimator)  # type: ignore[operator]


def test_it_takes_part_in_cross_validation() -> None:
    x, y = make_classification(200, 6, class_sep=2.0, random_state=0)
    assert cross_val_score(FieldcraftClassifier(edits=QUICK), x, y, cv=2).mean() > 0.8
    x, y = make_regression(200, 6, n_informative=3, noise=1.0, random_state=0)
    assert cross_val_score(FieldcraftRegressor(edits=QUICK), x, y, cv=2).mean() > 0.8


def test_labels_of_any_kind_and_probabilities_that_sum_to_one() -> None:
    x, y = make_classification(150, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=1)
    names = np.array(["north", "south", "west"])[y]
    model = clone(FieldcraftClassifier(edits=QUICK)).fit(x, names)
    found = model.predict_proba(x)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert set(model.predict(x)) <= set(names)
    assert list(model.classes_) == ["north", "south", "west"]


def test_images_as_arrays() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 120)
    x = rng.integers(0, 50, (120, 8, 8)).astype(np.uint8)
    x[y == 1, :4] += 150
    model = FieldcraftClassifier(edits=QUICK).fit(x, y)
    assert model.score(x, y) > 0.9


def test_what_is_wrong_with_the_data_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="one class"):
        FieldcraftClassifier().fit(np.zeros((10, 2)), np.zeros(10, dtype=int))
