from tests.tips.test_transfer import IMAGENET

from fieldcraft.report.fact_rows import weights_rows


def test_weights_are_told_with_what_is_known_of_them() -> None:
    ((name, value, method, sample),) = weights_rows((IMAGENET,))
    assert (name, method) == ("Weights imagenet", "all 50 tensors match")
    assert value == "squeezenet 1.0, 0.74 M weights, 512 features"
    assert sample == "not known what they were trained on"
    assert weights_rows(()) == ()
