import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fieldcraft.nn.blocks.activation import make_activation
from fieldcraft.nn.blocks.conv import ConvNormActivation, make_conv
from fieldcraft.nn.blocks.instance_norm import MOST_SAMPLES
from fieldcraft.nn.blocks.mlp import MlpStep
from fieldcraft.nn.blocks.norm import groups_for, make_norm
from fieldcraft.nn.blocks.residual import PreActResidual, Residual
from fieldcraft.nn.blocks.squeeze_excitation import SqueezeExcitation
from fieldcraft.nn.heads.pooling import SpatialPyramid, make_pooling, pooled_width

SIZES = {"same": lambda size, kernel: size, "none": lambda size, kernel: size - kernel + 1}


@settings(deadline=None, max_examples=40)
@given(
    size=st.integers(9, 14),
    kernel=st.integers(1, 7),
    padding=st.sampled_from(["same", "none"]),
    downsample=st.sampled_from([None, "max-pool", "stride"]),
    norm=st.sampled_from(["batch", "group", "layer", "instance", "none"]),
    place=st.sampled_from(["before-activation", "after-activation"]),
)
def test_a_step_gives_the_size_that_it_promises(size, kernel, padding, downsample, norm, place) -> None:
    block = ConvNormActivation(
        2, 8, kernel=kernel, padding=padding, downsample=downsample, norm=norm, norm_place=place, activation="gelu"
    )
    full = SIZES[padding](size, kernel)
    expected = {None: full, "max-pool": full // 2, "stride": (full + 1) // 2}[downsample]
    assert block(torch.randn(3, 2, size, size)).shape == (3, 8, expected, expected)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6])
def test_same_padding_is_torch_own(kernel: int) -> None:
    conv = make_conv(2, 3, kernel)
    x = torch.randn(2, 2, 9, 11)
    left, right = (kernel - 1) // 2, kernel // 2
    padded = nn.functional.pad(x, (left, right, left, right))
    torch.testing.assert_close(conv(x), nn.functional.conv2d(padded, conv[-1].weight, conv[-1].bias))
    if kernel % 2:
        assert torch.equal(conv(x), nn.functional.conv2d(x, conv[-1].weight, conv[-1].bias, padding="same"))


@pytest.mark.parametrize("norm", ["batch", "group", "layer", "instance"])
def test_no_bias_before_a_norm_that_takes_it_out(norm: str) -> None:
    before = ConvNormActivation(3, 8, norm=norm)
    after = ConvNormActivation(3, 8, norm=norm, norm_place="after-activation")
    assert before.conv[0].bias is None
    assert after.conv[0].bias is not None
    assert ConvNormActivation(3, 8, norm="none").conv[0].bias is not None
    assert all(part.bias is None for part in Residual(8, norm=norm).modules() if isinstance(part, nn.Conv2d))


def test_norm_after_activation_is_the_other_order() -> None:
    block = ConvNormActivation(2, 4, norm_place="after-activation")
    y = block(torch.randn(64, 2, 8, 8))
    assert y.min() < 0, "a norm comes last, so that values below zero are left"
    torch.testing.assert_close(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5, rtol=0)


def test_group_norm_of_one_channel_a_group_is_instance_norm_and_of_one_group_layer_norm() -> None:
    x = torch.randn(2, 6, 5, 4)
    torch.testing.assert_close(nn.GroupNorm(6, 6)(x), make_norm("instance", 6, 2)(x))
    torch.testing.assert_close(make_norm("layer", 6, 2)(x), nn.functional.layer_norm(x, x.shape[1:]))
    features = torch.randn(5, 6)
    torch.testing.assert_close(make_norm("layer", 6, 0)(features), nn.functional.layer_norm(features, (6,)))


@given(channels=st.integers(1, 4096))
def test_groups_divide_the_channels_and_are_no_smaller_than_four(channels: int) -> None:
    groups = groups_for(channels)
    assert channels % groups == 0
    assert groups == 1 or (groups <= 32 and channels // groups >= 4)


def test_instance_norm_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match="have none"):
        make_norm("instance", 8, 0)
    with pytest.raises(ValueError, match="channels >= 1"):
        make_norm("batch", 0, 2)


@pytest.mark.parametrize("dims", [0, 1, 2, 3])
@pytest.mark.parametrize("kind", ["batch", "group", "layer", "instance", "none"])
def test_norms_keep_the_shape(kind: str, dims: int) -> None:
    if kind == "instance" and dims == 0:
        return
    x = torch.randn(3, 8, *[4] * dims)
    assert make_norm(kind, 8, dims)(x).shape == x.shape


@pytest.mark.parametrize("kind", ["relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid", "identity"])
def test_activations_leave_their_input_alone(kind: str) -> None:
    x = torch.randn(50)
    kept = x.clone()
    function = getattr(nn.functional, kind.replace("-", "_"), None) or getattr(torch, kind, lambda value: value)
    torch.testing.assert_close(make_activation(kind)(x), function(x))
    assert torch.equal(x, kept)


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_a_vanishing_branch_makes_a_block_the_identity(norm: str) -> None:
    x = torch.randn(2, 4, 6, 6)
    before, classic = PreActResidual(4, norm=norm), Residual(4, norm=norm)
    for block in (before, classic):
        for weights in block.last.parameters():
            nn.init.zeros_(weights)
    assert torch.equal(before(x), x)
    assert torch.equal(classic(x), x.relu())


def test_residual_blocks_are_the_formula() -> None:
    x = torch.randn(4, 3, 5, 5)
    block = Residual(3)
    conv1, norm1, _, conv2, norm2 = block.branch
    slow = torch.relu(x + norm2(conv2(torch.relu(norm1(conv1(x))))))
    torch.testing.assert_close(block(x), slow)
    pre = PreActResidual(3)
    norm1, _, conv1, norm2, _, conv2 = pre.branch
    torch.testing.assert_close(pre(x), x + conv2(torch.relu(norm2(conv1(torch.relu(norm1(x)))))))


def test_residual_mlp_steps() -> None:
    step = MlpStep(6, 6, norm="none", residual=True)
    x = torch.randn(5, 6)
    torch.testing.assert_close(step(x), torch.relu(x + step.linear(x)))
    with pytest.raises(ValueError, match="inputs == outputs"):
        MlpStep(6, 7, residual=True)


@pytest.mark.parametrize("kind", ["global-average", "global-max", "flatten"])
def test_pooling_gives_the_width_that_it_promises(kind: str) -> None:
    x = torch.randn(2, 3, 4, 5)
    pooled = make_pooling(kind)(x)
    assert pooled.shape == (2, pooled_width(kind, 3, 4, 5))
    slow = {"global-average": x.mean((2, 3)), "global-max": x.flatten(2).max(2).values, "flatten": x.flatten(1)}[kind]
    torch.testing.assert_close(pooled, slow)


@settings(deadline=None, max_examples=20)
@given(
    channels=st.integers(1, 5),
    kernel=st.integers(2, 5),
    stride=st.sampled_from([1, 2]),
    padding=st.sampled_from(["same", "none"]),
)
def test_a_separable_convolution_is_the_dense_one_of_its_product_kernels(channels, kernel, stride, padding) -> None:
    separable = make_conv(channels, 6, kernel, stride=stride, padding=padding, separable=True)
    dense = make_conv(channels, 6, kernel, stride=stride, padding=padding)
    around, across = separable[-2], separable[-1]
    with torch.no_grad():
        dense[-1].weight.copy_(across.weight * around.weight.transpose(0, 1))
        dense[-1].bias.copy_(across.bias)
    x = torch.randn(2, channels, 9, 8)
    torch.testing.assert_close(separable(x), dense(x), rtol=1e-4, atol=1e-5)
    assert sum(weight.numel() for weight in separable.parameters()) == channels * kernel**2 + 6 * channels + 6


def test_a_separable_step_of_one_pixel_is_the_dense_step() -> None:
    assert len(make_conv(4, 6, 1, separable=True)) == 1


def test_squeeze_and_excitation_begins_as_the_identity_and_is_the_formula() -> None:
    gate, x = SqueezeExcitation(8, 2), torch.randn(3, 8, 5, 4)
    assert torch.equal(gate(x), x)
    nn.init.normal_(gate.excite.weight)
    nn.init.normal_(gate.excite.bias)
    slow = torch.empty_like(x)
    for n in range(3):
        means = torch.stack([x[n, c].mean() for c in range(8)])
        hidden = (gate.squeeze.weight @ means + gate.squeeze.bias).clamp(min=0)
        factors = 2 / (1 + (-(gate.excite.weight @ hidden + gate.excite.bias)).exp())
        for c in range(8):
            slow[n, c] = x[n, c] * factors[c]
    torch.testing.assert_close(gate(x), slow)
    assert gate.squeeze.out_features == 4
    assert SqueezeExcitation(64, 4).squeeze.out_features == 16
    with pytest.raises(ValueError, match="reduction >= 1"):
        SqueezeExcitation(8, 0)


@pytest.mark.parametrize("block", [Residual, PreActResidual])
def test_open_gates_change_nothing_and_closed_ones_leave_the_skip_path(block: type) -> None:
    plain, gated = block(8, separable=True), block(8, separable=True, squeeze_excitation=2)
    gated.load_state_dict(plain.state_dict(), strict=False)
    x = torch.randn(3, 8, 6, 6)
    torch.testing.assert_close(gated(x), plain(x))
    nn.init.constant_(gated.gate.excite.bias, -200.0)
    torch.testing.assert_close(gated(x), x.relu() if block is Residual else x)


def pyramid_slowly(x: torch.Tensor, levels: tuple[int, ...]) -> torch.Tensor:
    """Bin by bin, as He et al. cut the map."""
    numbers = []
    for level in levels:
        bins = [(size * i // level, -(-size * (i + 1) // level)) for size in x.shape[2:] for i in range(level)]
        rows, columns = bins[:level], bins[level:]
        pooled = [x[:, :, top:bottom, left:right].amax((2, 3)) for top, bottom in rows for left, right in columns]
        numbers.append(torch.stack(pooled, dim=2).flatten(1))
    return torch.cat(numbers, dim=1)


@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 9), width=st.integers(1, 9), levels=st.lists(st.integers(1, 5), min_size=1, max_size=3))
def test_the_pyramid_pools_bin_by_bin_and_gives_as_many_numbers_for_any_map(height, width, levels) -> None:
    x = torch.randn(2, 3, height, width)
    pooled = make_pooling("pyramid", levels)(x)
    assert torch.equal(pooled, pyramid_slowly(x, tuple(levels)))
    assert pooled.shape == (2, pooled_width("pyramid", 3, height, width, levels))


def test_a_pyramid_lies_between_the_global_maximum_and_the_map_itself() -> None:
    x = torch.randn(2, 3, 7, 7)
    assert torch.equal(SpatialPyramid((1,))(x), make_pooling("global-max")(x))
    assert torch.equal(SpatialPyramid((7,))(x), make_pooling("flatten")(x))
    with pytest.raises(ValueError, match="levels"):
        SpatialPyramid(())


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("samples", [1, 3, MOST_SAMPLES + 1])
def test_instance_norm_says_the_same_of_both_layouts_and_keeps_the_one_it_gets(dims: int, samples: int) -> None:
    layout = torch.channels_last if dims == 2 else torch.channels_last_3d
    torch.manual_seed(0)
    norm = make_norm("instance", 6, dims).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    x = torch.randn(samples, 6, *(5, 4, 3)[:dims], dtype=torch.float64)
    plain, last = (x.clone(memory_format=kind).requires_grad_() for kind in (torch.contiguous_format, layout))
    expected, found = norm(plain), norm(last)
    torch.testing.assert_close(found, expected)
    if samples <= MOST_SAMPLES:
        assert found.is_contiguous(memory_format=layout)
    weight = torch.randn_like(expected)
    (expected * weight).sum().backward()
    (found * weight).sum().backward()
    torch.testing.assert_close(last.grad, plain.grad)
