from itertools import product

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fieldcraft as fc
from fieldcraft.nn.networks.deepmedic import DeepMedic
from fieldcraft.nn.networks.same_size import SameSize
from fieldcraft.records.operations import Unknown


def small(spatial: int, **given) -> DeepMedic:
    """With means and deviations in its norms that are not 0 and 1."""
    torch.manual_seed(0)
    net = DeepMedic(2, 3, spatial=spatial, **{"widths": (3, 4, 5), "hidden": (6,), **given}).double()
    net.train()
    sizes = (2 * margin + 2 * multiple for margin, multiple in zip(net.margin, net.multiple, strict=True))
    with torch.no_grad():
        net(torch.randn(3, 2, *sizes).double())
    return net.eval()


def test_the_published_fields_and_segments_are_those_that_inspect_finds() -> None:
    net = DeepMedic(4, 5, widths=(2,) * 8, hidden=(2, 2))  # as deep as published; fields do not depend on the widths
    assert DeepMedic(4, 5).margin == net.margin == (24,) * 3 and net.multiple == (3,) * 3
    anatomy = fc.inspect(net, (4, 57, 57, 57)).anatomy
    assert not anatomy.uncounted and not anatomy.untraced
    assert not any(isinstance(row.operation, Unknown) for row in anatomy.rows)
    convolutions = {row.module: row for row in anatomy.rows if row.kind == "Conv3d"}

    def of(module: str) -> tuple[list[int], tuple[int, ...], tuple[int, ...]]:
        row = convolutions[module]
        shapes = (anatomy.shape(value)[2:] for value in (row.inputs[0], row.outputs[0]))
        return [axis.size for axis in row.fields[0].axes], *shapes

    assert of("pathways.0.7.conv.0") == ([17] * 3, (11,) * 3, (9,) * 3)
    assert of("pathways.1.7.conv.0") == ([51] * 3, (5,) * 3, (3,) * 3)
    assert of("pathways.0.0.conv.0")[1] == (25,) * 3, "the segment that the sharp pathway sees"
    assert of("pathways.1.0.conv.0")[1] == (19,) * 3
    assert of("head.1") == ([51] * 3, (9,) * 3, (9,) * 3)
    centres = [axis.centre(4) for axis in convolutions["pathways.0.7.conv.0"].fields[0].axes]
    coarse = [axis.centre(1) for axis in convolutions["pathways.1.7.conv.0"].fields[0].axes]
    assert centres == coarse == [28] * 3, "the middle voxel of both pathways is that of the input"


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("factors", [(1, 3), (1,), (1, 2, 4)])
def test_dense_prediction_is_patchwise_prediction_voxel_by_voxel(spatial, factors) -> None:
    net = small(spatial, factors=factors)
    ((margin, step),) = set(zip(net.margin, net.multiple, strict=True))
    pieces = 2 if spatial == 3 else 3
    x = torch.randn(1, 2, *[2 * margin + pieces * step] * spatial).double()
    dense = net(x)
    assert dense.shape == (1, 3, *[pieces * step] * spatial)
    for corner in product(range(0, pieces * step, step), repeat=spatial):
        patch = x[(..., *(slice(start, start + 2 * margin + step) for start in corner))]
        inside = dense[(..., *(slice(start, start + step) for start in corner))]
        torch.testing.assert_close(net(patch), inside, rtol=1e-11, atol=1e-11)


def test_one_pathway_is_a_chain_of_valid_convolutions_and_sees_17_voxels_for_one() -> None:
    torch.manual_seed(0)
    net = DeepMedic(1, 2, spatial=2, widths=(3,) * 8, factors=(1,), norm="none").eval()
    x = torch.randn(2, 1, 17, 17)
    y = x
    for step in net.pathways[0]:
        y = F.leaky_relu(F.conv2d(y, step.conv[0].weight, step.conv[0].bias))
    for step in net.join:
        y = F.leaky_relu(F.conv2d(y, step[0].conv[0].weight, step[0].conv[0].bias))
    torch.testing.assert_close(net(x), F.conv2d(y, net.head[1].weight, net.head[1].bias))
    assert net(x).shape == (2, 2, 1, 1)


def test_the_wide_pathway_sees_what_the_sharp_one_does_not() -> None:
    net = small(2)
    x = torch.randn(1, 2, *(2 * side + 3 for side in net.margin)).double().requires_grad_()
    (both,) = torch.autograd.grad(net(x)[0, 0, 1, 1], x)
    assert net.margin == (9, 9)
    assert int((both[0].abs().sum(0) > 0).any(0).sum()) == 1 + 2 * 9 + 2, "one of 7 blocks of 3 voxels"
    nn.init.zeros_(net.join[0][0].conv[0].weight[:, 5:])
    (sharp,) = torch.autograd.grad(net(x)[0, 0, 1, 1], x)
    assert int((sharp[0].abs().sum(0) > 0).any(0).sum()) == 7


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate"])
def test_same_size_pads_what_is_lost_and_keeps_the_middle(mode: str) -> None:
    net = small(2)
    x = torch.randn(2, 2, 31, 40).double()
    whole = SameSize(net, mode)(x)
    assert whole.shape == (2, 3, 31, 40)
    inner = net(x[:, :, :, : 40 - 1][:, :, : 31 - 1])
    torch.testing.assert_close(whole[:, :, 9:21, 9:30], inner)


def test_anisotropic_pathways_and_every_weight_learns() -> None:
    torch.manual_seed(0)
    net = DeepMedic(1, 2, widths=(3, 3), kernel=(1, 3, 3), factors=(1, (1, 2, 3)), hidden=(4,), dropout=0.2)
    assert (net.margin, net.multiple) == ((0, 4, 6), (1, 2, 3))
    made = net(torch.randn(2, 1, 5, 12, 15))
    assert made.shape == (2, 2, 5, 4, 3)
    (made**2).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


def test_what_does_not_fit_is_refused() -> None:
    net = DeepMedic(1, 2, spatial=2, widths=(3, 3))
    with pytest.raises(ValueError, match=r"2 x \(6, 6\) positions more than a multiple of \(3, 3\).*SameSize"):
        net(torch.randn(1, 1, 16, 15))
    with pytest.raises(ValueError, match="more than"):
        net(torch.randn(1, 1, 12, 15))
    with pytest.raises(ValueError, match="odd kernels"):
        DeepMedic(1, 2, kernel=2)
