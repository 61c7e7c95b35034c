from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import fieldcraft as fc
from fieldcraft.inspection.rewrites.interface import Options
from fieldcraft.nn.blocks.aspp import Aspp, MapMean
from fieldcraft.nn.blocks.axes import LINEAR_MODES
from fieldcraft.nn.blocks.pyramid_pooling import PyramidPooling
from fieldcraft.nn.networks.atrous import AtrousBackbone, AtrousNet
from fieldcraft.nn.rates import leaves_holes
from fieldcraft.nn.sizes import level_sizes
from fieldcraft.records.operations import Unknown

SIZES = {1: (37,), 2: (21, 18), 3: (9, 12, 7)}


def backbone(output_stride: int, spatial: int = 2, **given) -> AtrousBackbone:
    """The same weights for every stride, and norms that know other means than 0."""
    torch.manual_seed(0)
    net = AtrousBackbone(
        1, spatial=spatial, widths=(4, 4, 6, 6), depths=(0, 1, 1, 1), output_stride=output_stride, **given
    ).double()  # fmt: skip
    for part in net.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.running_mean.uniform_(-0.3, 0.3)
    return net.eval()


@pytest.mark.parametrize("output_stride", [1, 2, 4, 8])
def test_dilation_in_place_of_strides_is_what_the_rewrite_makes_of_the_strided_net(output_stride: int) -> None:
    strided, dilated = backbone(16), backbone(output_stride)
    dilated.load_state_dict(strided.state_dict())
    options = Options(output_stride=output_stride)
    rewritten = fc.rewrite(strided, "stride-to-dilation", (1, 40, 40), unsafe=True, options=options).module
    x = torch.randn(2, 1, 40, 40).double()
    torch.testing.assert_close(dilated(x), rewritten(x), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("separable", [False, True])
def test_where_the_strided_net_has_a_position_the_dilated_one_has_the_same_number(spatial, separable) -> None:
    size = {1: (67,), 2: (40, 37), 3: (21, 18, 16)}[spatial]
    x = torch.randn(1, 1, *size).double()
    coarse = backbone(16, spatial, separable=separable)(x)
    for output_stride in (4, 8):
        net = backbone(output_stride, spatial, separable=separable)
        step = 16 // output_stride
        assert net.stride == (output_stride,) * spatial
        fine = net(x)
        assert fine.shape[2:] == level_sizes(size, [net.stride])[0]
        torch.testing.assert_close(fine[(..., *[slice(None, None, step)] * spatial)], coarse, rtol=1e-11, atol=1e-11)


def test_without_dilation_it_is_the_plain_net() -> None:
    assert all(set(rate) == {1} for rate in backbone(16).rates)
    assert all(set(rate) == {1} for rate in backbone(64).rates)


@pytest.mark.parametrize("depths", [(1, 2, 2, 2), (0, 1, 1, 1), (2, 3, 4, 3)])
@pytest.mark.parametrize("output_stride", [1, 2, 4, 8])
def test_rates_grow_without_holes(depths, output_stride) -> None:
    net = AtrousBackbone(1, widths=(2, 2, 2, 2), depths=depths, output_stride=output_stride)
    convolutions = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    assert [part.dilation for part in convolutions] == list(net.rates)
    assert not leaves_holes([rate[0] for rate in net.rates])
    assert max(rate[0] for rate in net.rates) == 16 // output_stride


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("context", ["aspp", "pyramid", "none"])
def test_logits_have_the_size_of_the_input_and_every_weight_learns(spatial, context) -> None:
    torch.manual_seed(0)
    net = AtrousNet(
        2, 3, spatial=spatial, widths=(4, 8, 8), depths=(0, 1, 1), output_stride=4, context=context, rates=(1, 2),
        bins=(1, 2), norm="instance", activation="silu",
    )  # fmt: skip
    made = net(torch.randn(2, 2, *SIZES[spatial]))
    assert made.shape == (2, 3, *SIZES[spatial])
    (made**2).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_aspp_of_rate_one_is_a_plain_convolution_beside_a_pointwise_one_and_the_mean(spatial: int) -> None:
    torch.manual_seed(0)
    block = Aspp(3, 4, (1, (2,) * spatial), spatial=spatial, norm="none")
    x = torch.randn(2, 3, *SIZES[spatial])
    convolve = {1: F.conv1d, 2: F.conv2d, 3: F.conv3d}[spatial]
    point, plain, wide = (branch.conv[0] for branch in block.branches[:3])
    mean = block.branches[3].mix(x.flatten(2).mean(2).reshape(2, 3, *[1] * spatial)).relu()
    parts = [
        convolve(x, point.weight, point.bias).relu(),
        convolve(x, plain.weight, plain.bias, padding=1).relu(),
        convolve(x, wide.weight, wide.bias, padding=2, dilation=2).relu(),
        mean.expand(-1, -1, *x.shape[2:]),
    ]
    last = block.project.conv[0]
    torch.testing.assert_close(block(x), convolve(torch.cat(parts, 1), last.weight, last.bias).relu())
    assert not any(isinstance(one, MapMean) for one in Aspp(3, 4, (1,), image_pooling=False).branches)


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_pyramid_pooling_is_means_of_cells_resized(spatial: int) -> None:
    torch.manual_seed(0)
    block = PyramidPooling(4, 5, (1, 3), spatial=spatial, norm="none")
    x = torch.randn(2, 4, *SIZES[spatial])
    parts = [x]
    for bins, level in zip((1, 3), block.levels, strict=True):
        cells = torch.empty(2, 4, *[bins] * spatial)
        for place in torch.cartesian_prod(*[torch.arange(bins)] * spatial).reshape(-1, spatial).tolist():
            cuts = (
                slice(i * size // bins, -(-(i + 1) * size // bins)) for i, size in zip(place, x.shape[2:], strict=True)
            )
            cells[(..., *place)] = x[(..., *cuts)].flatten(2).mean(2)
        mixed = level[1](cells).relu()
        parts.append(F.interpolate(mixed, size=x.shape[2:], mode=LINEAR_MODES[spatial]))
    torch.testing.assert_close(block(x), block.project(torch.cat(parts, 1)))
    with pytest.raises(ValueError, match="`bins` must be"):
        PyramidPooling(4, 5, (0, 1))


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_inspect_finds_logits_in_the_middle_of_what_they_see_and_no_unknown_operation(spatial: int) -> None:
    net = AtrousNet(
        1, 2, spatial=spatial, widths=(2, 2, 2), depths=(0, 1, 1), output_stride=4, rates=(1, 2), image_pooling=False
    )  # fmt: skip
    anatomy = fc.inspect(net, (1, *(61, 50, 45)[:spatial])).anatomy
    assert not any(isinstance(row.operation, Unknown) for row in anatomy.rows)
    assert not anatomy.uncounted and not anatomy.untraced
    head = next(row for row in anatomy.rows if row.module == "head")
    # 3 (entry at stride 1), + 4 (entry at 2), + 2 * 8 (blocks at 4), + 8 (entry at 4), + 2 * 16 (dilated blocks),
    # + 16 (rate 2 at stride 4)
    assert [axis.size for axis in head.fields[0].axes] == [3 + 4 + 16 + 8 + 32 + 16] * spatial
    assert all(axis.stride == 4 and axis.centre(3) == 12 for axis in head.fields[0].axes)
    whole = AtrousNet(1, 2, spatial=spatial, widths=(4, 4), depths=(0, 0), context="pyramid")
    pooled = fc.inspect(whole, (1, *(30, 26, 24)[:spatial])).anatomy
    assert not pooled.uncounted and not any(isinstance(row.operation, Unknown) for row in pooled.rows)
    assert (
        all(axis.everywhere for axis in pooled.rows[-1].fields[0].axes) or pooled.rows[-1].fields[0].axes[0].size >= 24
    )


def test_moving_the_input_by_the_stride_moves_the_logits() -> None:
    torch.manual_seed(0)
    net = AtrousNet(
        1, 2, widths=(3, 3, 3), depths=(0, 1, 1), strides=[1, 2, (2, 1)], output_stride=(4, 2), rates=(1,),
        image_pooling=False, norm="none",
    ).eval()  # fmt: skip
    assert net.backbone.stride == (4, 2)
    x = torch.randn(1, 1, 120, 110)
    torch.testing.assert_close(net(x)[:, :, 56:64, 52:58], net(x[:, :, 4:, 6:])[:, :, 52:60, 46:52])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a width, a depth and a stride"):
        AtrousBackbone(1, widths=(4, 4), depths=(1,))
    with pytest.raises(ValueError, match="the stride of stage 1"):
        AtrousBackbone(1, widths=(4, 4), depths=(1, 1), strides=[1, (2, 2, 2)])
    assert deepcopy(backbone(4)).stride == (4, 4)
