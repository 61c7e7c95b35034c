"""Windows taken out of a map and added up again, beside the pixels that have a gradient."""

import pytest
import torch.nn.functional as F
from tests.anatomy.field_truth import compared
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.look import look
from fieldcraft.records.operations import Rearrange, Unknown

SETTINGS = ((3, 1, 1, 1), (3, 2, 1, 1), (2, 2, 0, 1), (3, 1, 2, 2), (2, 3, 0, 1))


class Folded(nn.Module):
    """Windows, some of their taps made nothing of, and the sum of what is left."""

    def __init__(self, kernel: int, stride: int, padding: int, dilation: int, *, back: bool, mixes: bool) -> None:
        super().__init__()
        self.settings = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        taps = 2 * kernel**2
        self.mixer = nn.Conv1d(taps, taps, 1) if mixes else None
        self.back = back

    def forward(self, x: Tensor) -> Tensor:
        size = x.shape[-2:]
        found = F.unfold(self.first(x), **self.settings)
        if self.mixer is not None:
            found = self.mixer(found)
        return F.fold(found, size, **self.settings) if self.back else found


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("back", "mixes"), [(False, False), (True, False), (True, True)])
def test_folds_see_what_has_a_gradient(setting: tuple[int, int, int, int], back: bool, mixes: bool) -> None:
    found = list(compared(Folded(*setting, back=back, mixes=mixes), [(1, 9, 14)]))
    assert found
    assert all(one.right and one.exact for one in found), [one for one in found if not one.right]


def test_they_are_known_and_multiply_nothing() -> None:
    anatomy = look(Folded(3, 2, 1, 1, back=True, mixes=False), [Input(shape=(1, 9, 14))])
    assert not [row for row in anatomy.rows if isinstance(row.operation, Unknown)]
    names = {row.operation.name: row.cost.macs for row in anatomy.rows if isinstance(row.operation, Rearrange)}
    assert names["im2col"] == names["col2im"] == 0
    assert not anatomy.uncounted
