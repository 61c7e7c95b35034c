"""The shortcut for batch norm gives the shapes and kinds that torch gives, and leaves everything else to torch."""

import pytest
import torch

from fieldcraft.anatomy.quick_norm import NORM, quick_norm

META = torch.device("meta")


@pytest.mark.parametrize("shape", [(2, 4), (2, 4, 5), (1, 4, 5, 6), (1, 4, 3, 3, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shapes_and_kinds_are_those_of_torch(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    x, c = torch.empty(shape, dtype=dtype, device=META), torch.empty(4, dtype=dtype, device=META)
    args = (x, c, c, c, c, False, 0.1, 1e-5)
    found = quick_norm(NORM, args)
    assert found is not None
    described = [[(one.shape, one.dtype, one.device.type) for one in made] for made in (found, NORM(*args))]
    assert described[0] == described[1]


def test_training_numbers_and_what_does_not_fit_are_left_to_torch() -> None:
    x, c, d = torch.empty(1, 4, 2, device=META), torch.empty(4, device=META), torch.empty(5, device=META)
    assert quick_norm(NORM, (x, c, c, c, c, True, 0.1, 1e-5)) is None
    assert quick_norm(NORM, (x, d, d, d, d, False, 0.1, 1e-5)) is None
    assert quick_norm(NORM, (torch.ones(1, 4, 2), c, c, c, c, False, 0.1, 1e-5)) is None
    assert quick_norm(torch.ops.aten.relu.default, (x,)) is None
