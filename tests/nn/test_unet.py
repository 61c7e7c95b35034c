from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import fieldcraft as fc
from fieldcraft.nn.blocks.attention_gate import AttentionGate
from fieldcraft.nn.blocks.axes import enlarge, enlarge_from
from fieldcraft.nn.blocks.conv import make_conv
from fieldcraft.nn.blocks.squeeze_excitation import SqueezeExcitation
from fieldcraft.nn.blocks.upsample import Upsample
from fieldcraft.nn.initialise import initialise_, zero_residual_
from fieldcraft.nn.networks.unet import Encoder, UNet
from fieldcraft.nn.sizes import encoder_field, level_sizes, per_axis
from fieldcraft.records.operations import Unknown

SIZES = {1: (37,), 2: (21, 18), 3: (9, 12, 7)}


@pytest.mark.parametrize("spatial", [1, 2, 3])
@pytest.mark.parametrize("encoder", ["plain", "residual"])
@pytest.mark.parametrize("extras", [False, True])
def test_logits_have_the_size_of_the_input_and_every_weight_learns(spatial, encoder, extras) -> None:
    torch.manual_seed(0)
    net = UNet(
        2, 3, spatial=spatial, widths=(8, 8, 8), depths=1, encoder=encoder, attention=extras, separable=extras,
        squeeze_excitation=4 * extras, downsample="max-pool" if extras else "stride",
        upsample="linear" if extras else "transposed", deep_supervision=int(extras),
    )  # fmt: skip
    for part in net.modules():
        if isinstance(part, SqueezeExcitation):
            nn.init.normal_(part.excite.weight)  # open gates pass nothing back to what is before them
            nn.init.ones_(part.squeeze.bias)  # and four rectifiers may all be off
    x = torch.randn(2, 2, *SIZES[spatial])
    made = net(x)
    finest, *coarser = made if extras else (made,)
    assert finest.shape == (2, 3, *SIZES[spatial])
    assert [one.shape[2:] for one in coarser] == [level_sizes(SIZES[spatial], (1, 2))[1]] * extras
    sum((one**2).sum() for one in (finest, *coarser)).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())
    assert isinstance(net.eval()(x), torch.Tensor)


@settings(deadline=None, max_examples=25)
@given(
    size=st.tuples(st.integers(3, 23), st.integers(3, 23)),
    strides=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=3),
    downsample=st.sampled_from(["stride", "max-pool"]),
    upsample=st.sampled_from(["transposed", "linear"]),
)
def test_any_size_goes_through_any_strides(size, strides, downsample, upsample) -> None:
    net = UNet(
        1, 2, widths=(4,) * (len(strides) + 1), strides=strides, depths=1, decoder_depths=1, norm="none",
        downsample=downsample, upsample=upsample,
    )  # fmt: skip
    maps = net.encoder(torch.randn(1, 1, *size))
    assert tuple(tuple(one.shape[2:]) for one in maps) == level_sizes(size, ((1, 1), *strides))
    assert net(torch.randn(1, 1, *size)).shape == (1, 2, *size)
    assert net.divisor == tuple(torch.tensor(strides).prod(0).tolist())


def test_an_odd_size_is_the_first_part_of_the_padded_one_away_from_its_border() -> None:
    torch.manual_seed(0)
    net = UNet(1, 2, widths=(4, 4, 4), norm="none", depths=1, decoder_depths=1, downsample="max-pool").eval()
    x = torch.randn(1, 1, 61, 64)
    torch.testing.assert_close(net(x)[..., :40, :], net(F.pad(x, (0, 0, 0, 3)))[..., :40, :])


def test_moving_by_the_divisor_moves_the_logits() -> None:
    torch.manual_seed(0)
    net = UNet(1, 2, widths=(4, 4, 4), norm="none", depths=1, decoder_depths=1, strides=[(2, 1), (2, 3)]).eval()
    assert net.divisor == (4, 3)
    x = torch.randn(1, 1, 80, 80)
    whole, moved = net(x), net(x[:, :, 4:, 6:])
    torch.testing.assert_close(whole[:, :, 30:50, 30:50], moved[:, :, 26:46, 24:44])


def test_without_skips_it_is_an_encoder_and_a_decoder_with_the_bottom_between() -> None:
    torch.manual_seed(0)
    net = UNet(1, 2, widths=(4, 6, 8), depths=1, decoder_depths=2, skips=False).eval()
    x = torch.randn(1, 1, 16, 12)
    steps, sizes = list(net.encoder.levels), [x.shape[2:]]
    y = x
    for step in steps:
        y = step(y)
        sizes.append(y.shape[2:])
    for place in (1, 0):
        y = net.decoder.merges[place](F.conv_transpose2d(y, *net.decoder.ups[place].mix.parameters(), stride=2))
    torch.testing.assert_close(net(x), net.heads[0](y))
    maps = [torch.randn_like(one) for one in net.encoder(x)]
    other = [torch.randn_like(maps[0]), torch.randn_like(maps[1]), maps[2]]
    assert torch.equal(net.decoder(maps)[0], net.decoder(other)[0]), "finer maps give nothing but their size"


@pytest.mark.parametrize("skips", list(product([False, True], repeat=2)))
def test_skips_are_left_out_level_by_level(skips) -> None:
    net = UNet(1, 2, widths=(4, 6, 8), depths=1, decoder_depths=1, skips=skips).eval()
    maps = [one.detach().requires_grad_() for one in net.encoder(torch.randn(1, 1, 12, 12))]
    gradients = torch.autograd.grad(net.decoder(maps)[0].sum(), maps, allow_unused=True)
    assert [one is not None for one in gradients] == [*skips, True]
    widths = [merge[0].conv[0].in_channels for merge in net.decoder.merges]
    assert widths == [4 * (1 + skips[0]), 6 * (1 + skips[1])]


def test_open_attention_gates_and_squeezes_change_nothing() -> None:
    torch.manual_seed(0)
    plain = UNet(1, 2, widths=(4, 6, 8)).eval()
    gated = UNet(1, 2, widths=(4, 6, 8), attention=True).eval()
    gated.load_state_dict(plain.state_dict(), strict=False)
    for gate in gated.decoder.gates:
        nn.init.zeros_(gate.psi.weight)
        nn.init.constant_(gate.psi.bias, 100.0)
    squeezed = UNet(1, 2, widths=(4, 6, 8), squeeze_excitation=2).eval()
    squeezed.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(1, 1, 13, 10)
    torch.testing.assert_close(gated(x), plain(x))
    torch.testing.assert_close(squeezed(x), plain(x))


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_an_attention_gate_is_the_formula_of_the_paper(spatial: int) -> None:
    torch.manual_seed(0)
    gate, size = AttentionGate(6, 4, 2, spatial=spatial), (6, 4, 8)[:spatial]
    skip, coarse = torch.randn(2, 6, *size), torch.randn(2, 4, *(one // 2 for one in size))
    slow = torch.empty(2, 1, *coarse.shape[2:])
    for n in range(2):
        for place in product(*(range(one) for one in coarse.shape[2:])):
            block = skip[(n, slice(None), *(slice(2 * one, 2 * one + 2) for one in place))]
            hidden = gate.of_skip.weight.flatten(1) @ block.flatten()
            hidden = hidden + gate.of_coarse.weight.flatten(1) @ coarse[(n, slice(None), *place)] + gate.of_coarse.bias
            value = gate.psi.weight.flatten() @ hidden.clamp(min=0) + gate.psi.bias
            slow[(n, 0, *place)] = 1 / (1 + (-value).exp())
    resized = F.interpolate(slow, size=size, mode={1: "linear", 2: "bilinear", 3: "trilinear"}[spatial])
    torch.testing.assert_close(gate(skip, coarse), skip * resized)
    assert gate(skip[..., :-1], coarse).shape == skip[..., :-1].shape


def test_resizing_keeps_places_where_sizes_are_no_multiples() -> None:
    x = torch.arange(4.0).reshape(1, 1, 4)
    centres = enlarge(x, (3,), (10,))[0, 0, 1::3]
    torch.testing.assert_close(centres, torch.tensor([0.0, 1.0, 2.0]))
    x, size = torch.randn(1, 1, 4, 3), (11, 7)
    grown = enlarge_from(x, (3, 4), size)
    assert grown.shape[2:] == size
    assert torch.equal(grown[..., ::3, :4:4], x[..., :1])
    torch.testing.assert_close(grown[..., 9:, ::4][..., :2], x[..., 3:, :2].expand(1, 1, 2, 2))
    torch.testing.assert_close(grown[0, 0, 1, 0], (2 * x[0, 0, 0, 0] + x[0, 0, 1, 0]) / 3)
    up = Upsample(1, 1, (2, 3), kind="transposed")
    nn.init.ones_(up.mix.weight)
    nn.init.zeros_(up.mix.bias)
    x = torch.randn(1, 1, 3, 3)
    torch.testing.assert_close(up(x, (5, 8)), x.repeat_interleave(2, 2).repeat_interleave(3, 3)[:, :, :5, :8])


@settings(deadline=None, max_examples=40)
@given(
    spatial=st.integers(1, 3),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 3),
    separable=st.booleans(),
)
def test_convolutions_of_any_number_of_axes_round_up_and_keep_their_middle(
    spatial, kernel, stride, dilation, separable
) -> None:
    conv = make_conv(
        2, 3, kernel, spatial=spatial, stride=stride, dilation=dilation, separable=separable, bias=False
    )  # fmt: skip
    size = (10, 11, 9)[:spatial]
    x = torch.randn(1, 2, *size)
    assert conv(x).shape == (1, 3, *(-(-one // stride) for one in size))
    reach = dilation * (kernel - 1)
    padded = F.pad(x, [side for _ in size for side in (reach // 2, reach - reach // 2)])
    unpadded = make_conv(
        2, 3, kernel, spatial=spatial, stride=stride, dilation=dilation, separable=separable, bias=False, padding="none"
    )
    for own, other in zip(unpadded.parameters(), conv.parameters(), strict=True):
        own.data = other.data
    torch.testing.assert_close(conv(x), unpadded(padded))


def test_group_norm_of_one_channel_a_group_is_instance_norm_in_a_net() -> None:
    torch.manual_seed(0)
    net = UNet(1, 2, spatial=3, widths=(4, 4), norm="instance")
    other = UNet(1, 2, spatial=3, widths=(4, 4), norm="group")
    for module in other.modules():
        for name, child in module.named_children():
            if isinstance(child, nn.GroupNorm):
                setattr(module, name, nn.GroupNorm(child.num_channels, child.num_channels))
    other.load_state_dict(net.state_dict())
    x = torch.randn(2, 1, 8, 9, 7)
    torch.testing.assert_close(other(x), net(x))


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_inspect_knows_its_field_and_every_operation(spatial: int) -> None:
    net = UNet(
        1, 2, spatial=spatial, widths=(4, 4, 4), kernels=[(1,) * spatial, 3, 3], encoder="residual", depths=1,
        decoder_depths=1, attention=True, squeeze_excitation=2,
    )  # fmt: skip
    anatomy = fc.inspect(net, (1, *(28, 24, 20)[:spatial])).anatomy
    assert not any(isinstance(row.operation, Unknown) for row in anatomy.rows)
    assert not anatomy.uncounted and not anatomy.untraced
    deepest = [row for row in anatomy.rows if row.module == "encoder.levels.2.0.conv.0"]
    # 1 of the first level, 1 + 2 (kernel 3 at stride 1), + 4 + 4 (a residual block at stride 2), + 4 (entry)
    assert [axis.size for axis in deepest[0].fields[0].axes] == [1 + 2 + 4 + 4 + 4] * spatial
    assert all(axis.stride == 4 for axis in deepest[0].fields[0].axes)


@settings(deadline=None, max_examples=6)
@given(
    levels=st.lists(
        st.tuples(st.sampled_from([3, 5, (3, 4)]), st.sampled_from([1, 2, (1, 3)]), st.integers(1, 2)),
        min_size=1,
        max_size=3,
    ),
    encoder=st.sampled_from(["plain", "residual"]),
    downsample=st.sampled_from(["stride", "max-pool"]),
)
def test_what_the_deepest_level_sees_is_what_inspect_says(levels, encoder, downsample) -> None:
    kernels, strides, depths = zip((3, 1, 1), *levels, strict=True)
    net = Encoder(
        1, spatial=2, widths=(2,) * len(depths), kernels=kernels, strides=strides, depths=depths, kind=encoder,
        downsample=downsample, norm="none",
    )  # fmt: skip
    convolutions = [depth if encoder == "plain" else 1 + 2 * depth for depth in depths]
    field = encoder_field(kernels, strides, convolutions, 2, pools=downsample == "max-pool")
    last = fc.inspect(Last(net), (1, 60, 91)).anatomy.rows[-1].fields[0]
    assert tuple(axis.size for axis in last.axes) == field


class Last(nn.Module):
    """The coarsest map of an encoder."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.encoder(x)[-1]


@pytest.mark.parametrize("kind", ["default", "he", "xavier", "orthogonal"])
def test_starting_weights_come_from_the_generator_alone_and_keep_the_scale(kind: str) -> None:
    nets = [UNet(1, 2, widths=(8, 8), encoder="residual", attention=True) for _ in range(2)]
    for net in nets:
        initialise_(net, kind, torch.Generator().manual_seed(3))
    assert all(torch.equal(a, b) for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True))
    assert zero_residual_(nets[0]) == 4
    up = nn.ConvTranspose2d(256, 256, 2, stride=2)
    initialise_(up, kind, torch.Generator().manual_seed(3))
    variance = up(torch.randn(4, 256, 8, 8)).var().item()
    assert variance == pytest.approx({"he": 2, "orthogonal": 2, "xavier": 1}.get(kind, variance), rel=0.15)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="two levels"):
        UNet(1, 2, widths=(8,))
    with pytest.raises(ValueError, match="deep_supervision=2"):
        UNet(1, 2, widths=(8, 8, 8), deep_supervision=2)
    with pytest.raises(ValueError, match="`kernels` must have 2 entries"):
        UNet(1, 2, widths=(8, 8), kernels=[3])
    with pytest.raises(ValueError, match="never look at some positions"):
        UNet(1, 2, widths=(8, 8), kernels=1)
    with pytest.raises(ValueError, match="the stride of level 1 must be a whole number from 1, or 2 of them"):
        UNet(1, 2, widths=(8, 8), strides=[(2, 2, 2)])
    with pytest.raises(ValueError, match="1, 2 or 3"):
        per_axis(3, 4)
