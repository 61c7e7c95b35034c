import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.nn.losses import functional, modules

SHARE = st.floats(0, 0.9)


@settings(deadline=None)
@given(smoothing=SHARE, classes=st.integers(2, 7), seed=st.integers(0, 99))
def test_cross_entropy_is_its_formula(smoothing: float, classes: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    outputs = torch.randn(6, classes, generator=random, dtype=torch.float64)
    targets = torch.randint(classes, (6,), generator=random)
    total = 0.0
    for row, target in zip(outputs, targets, strict=True):
        log = (row.exp() / row.exp().sum()).log()
        wanted = [(1 - smoothing) * (k == target) + smoothing / classes for k in range(classes)]
        total -= sum(float(q) * float(v) for q, v in zip(wanted, log, strict=True))
    assert float(functional.cross_entropy(outputs, targets, smoothing=smoothing)) == pytest.approx(total / 6)
    assert modules.CrossEntropy(smoothing)(outputs, targets) == functional.cross_entropy(
        outputs, targets, smoothing=smoothing
    )


@settings(deadline=None)
@given(smoothing=SHARE, seed=st.integers(0, 99))
def test_binary_cross_entropy_is_its_formula(smoothing: float, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    outputs = torch.randn(5, 3, generator=random, dtype=torch.float64)
    targets = torch.randint(2, (5, 3), generator=random).double()
    p, q = outputs.sigmoid(), targets * (1 - smoothing) + smoothing / 2
    slow = -(q * p.log() + (1 - q) * (1 - p).log()).mean()
    torch.testing.assert_close(functional.binary_cross_entropy(outputs, targets, smoothing=smoothing), slow)
    torch.testing.assert_close(modules.BinaryCrossEntropy(smoothing)(outputs, targets), slow)


def test_regression_losses() -> None:
    outputs, targets = torch.tensor([[0.0], [3.0]]), torch.tensor([[0.5], [0.0]])
    assert modules.SquaredError()(outputs, targets).item() == pytest.approx((0.25 + 9) / 2)
    assert modules.Huber(1.0)(outputs, targets).item() == pytest.approx((0.125 + 2.5) / 2)
    big = modules.Huber(1e3)(outputs, targets)
    torch.testing.assert_close(big, modules.SquaredError()(outputs, targets) / 2)
    with pytest.raises(ValueError, match="one shape"):
        functional.squared_error(outputs, targets[:, 0])


@pytest.mark.parametrize(
    "make", [lambda: modules.CrossEntropy(1.0), lambda: modules.BinaryCrossEntropy(-0.1), lambda: modules.Huber(0)]
)
def test_settings_out_of_range_are_refused(make) -> None:
    with pytest.raises(ValueError, match="must hold"):
        make()
