import pytest
import torch
from torch import nn

from fieldcraft.anatomy.dense import dense_facts
from fieldcraft.errors import InspectError
from fieldcraft.nn.networks.atrous import AtrousNet
from fieldcraft.nn.networks.deepmedic import DeepMedic
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.nn.sizes import encoder_field


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_of_a_unet_it_is_the_bottom(spatial: int) -> None:
    kernels, strides, depths = [(1,) * spatial, 3, 3], [(1,) * (spatial - 1) + (2,), 2], (1, 2, 2)
    net = UNet(2, 3, spatial=spatial, widths=(2, 3, 4), kernels=kernels, strides=strides, depths=depths)
    size = (25, 24, 39)[-spatial:]
    facts = dense_facts(net, (2, *size))
    assert facts.field == encoder_field(kernels, (1, *strides), depths, spatial)
    assert facts.stride == net.divisor == (2,) * (spatial - 1) + (4,)
    assert (facts.size, facts.smaller) == (size, (0,) * spatial)
    assert facts.parameters == sum(weight.numel() for weight in net.parameters())
    assert all(out > field for out, field in zip(facts.output_field, facts.field, strict=True))


def test_of_deepmedic_it_is_the_wide_pathway() -> None:
    net = DeepMedic(1, 2, widths=(2,) * 8, hidden=(2,))
    facts = dense_facts(net, (1, 57, 60, 63))
    assert (facts.field, facts.stride, facts.smaller) == ((51,) * 3, (3,) * 3, (48,) * 3)
    assert facts.output_field == (51,) * 3


def test_gates_and_norms_over_the_map_do_not_make_it_see_everything() -> None:
    plain, gated = (UNet(1, 2, widths=(2, 2), squeeze_excitation=reduction) for reduction in (0, 2))
    assert dense_facts(plain, (1, 40, 40)).field == dense_facts(gated, (1, 40, 40)).field == (4 * 1 + 1 + 2 + 4,) * 2


def test_of_an_atrous_net_dilation_counts_and_the_mean_of_the_image_does_not() -> None:
    facts = dense_facts(AtrousNet(1, 2, widths=(2, 2), depths=(0, 0), output_stride=2, rates=(1, 3)), (1, 41, 30))
    assert facts.stride == (2, 2)
    assert facts.field == (3 + 2 * 2 + 2 * 2 * 3,) * 2
    assert facts.output_field == (19 + 2,) * 2, "linear resizing looks at the next position, too"


def test_what_gives_no_map_is_refused() -> None:
    class Pooled(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean((2, 3))

    with pytest.raises(InspectError, match=r"turns \(1, 3, 8, 8\) into \(1, 3\)"):
        dense_facts(Pooled(), (3, 8, 8))
