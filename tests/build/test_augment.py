import pytest

from fieldcraft.build.augment import build_own_augmentations
from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Augment


def test_own_augmentations_are_found_in_order() -> None:
    import math

    assert build_own_augmentations(Augment(own=("math:sin", "math:cos"))) == (math.sin, math.cos)
    assert build_own_augmentations(Augment()) == ()


def test_one_that_is_not_there_is_named() -> None:
    with pytest.raises(PlanError, match=r'augmentation: target "math:sinn".*nearest: sin'):
        build_own_augmentations(Augment(own=("math:sinn",)))
