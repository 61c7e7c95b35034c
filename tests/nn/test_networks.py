import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fieldcraft.nn.networks.linear import LinearNetwork
from fieldcraft.nn.networks.mlp import MlpNetwork
from fieldcraft.nn.networks.staged import Cnn, ResNet, map_sizes


def weights(module: nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


@settings(deadline=None, max_examples=30)
@given(
    size=st.tuples(st.integers(4, 17), st.integers(4, 17)),
    depth=st.integers(1, 2),
    kernel=st.sampled_from([1, 2, 3]),
    padding=st.sampled_from(["same", "none"]),
    downsample=st.sampled_from(["max-pool", "stride"]),
    head=st.sampled_from(["global-average", "global-max", "flatten"]),
)
def test_sizes_are_those_of_the_maps_or_refused(size, depth, kernel, padding, downsample, head) -> None:
    def build() -> Cnn:
        return Cnn(
            (2, *size), 3, widths=(4, 6, 8), depth=depth, kernel=kernel, padding=padding,
            downsample=downsample, head=head,
        )  # fmt: skip

    try:
        sizes = map_sizes(size, [depth] * 3, kernel=kernel, padding=padding, downsample=downsample)
    except ValueError as error:
        with pytest.raises(ValueError, match="below one pixel"):
            build()
        assert " x " in str(error)
        return
    net, x = build().eval(), torch.randn(2, 2, *size)
    for stage, expected in zip(net.stages, sizes, strict=True):
        x = stage(x)
        assert x.shape[2:] == expected
    assert net(torch.randn(2, 2, *size)).shape == (2, 3)


@pytest.mark.parametrize("downsample", ["max-pool", "stride"])
@pytest.mark.parametrize("norm_place", ["before-activation", "before-convolution"])
@pytest.mark.parametrize("norm", ["batch", "group", "layer", "instance", "none"])
def test_residual_networks_of_every_kind_run_and_learn(norm: str, norm_place: str, downsample: str) -> None:
    net = ResNet((3, 12, 10), 4, widths=(8, 12), depths=(0, 2), norm=norm, norm_place=norm_place, downsample=downsample)
    net(torch.randn(3, 3, 12, 10)).sum().backward()
    assert all(weight.grad is not None for weight in net.parameters())


def test_the_first_convolution_of_a_later_stage_works_at_the_incoming_resolution() -> None:
    seen = {}
    net = Cnn((1, 8, 8), 2, widths=(4, 4))
    for name, part in net.named_modules():
        if isinstance(part, nn.Conv2d):
            part.register_forward_hook(lambda _m, _i, y, name=name: seen.update({name: y.shape[-1]}))
    net(torch.randn(2, 1, 8, 8))
    assert list(seen.values()) == [8, 8]


def test_counts_of_weights() -> None:
    assert weights(LinearNetwork((3, 4, 4), 10)) == 48 * 10 + 10
    mlp = MlpNetwork((7,), 3, widths=(5, 5), norm="batch")
    assert weights(mlp) == 7 * 5 + 10 + 5 * 5 + 10 + 5 * 3 + 3
    cnn = Cnn((1, 8, 8), 10, widths=(4, 8), depth=1)
    assert weights(cnn) == 9 * 4 + 8 + 9 * 4 * 8 + 16 + 80 + 10
    page = ResNet((3, 32, 32), 10, widths=(64, 128, 256, 512), depths=(0, 1, 0, 1), head="global-max")
    # Page's ResNet-9 has 6,573,120 weights; here there is a bias on the last map and no scale of its output.
    assert weights(page) == 6_573_120 + 10


def test_mlp_adds_only_steps_of_equal_width() -> None:
    net = MlpNetwork((4,), 2, widths=(8, 8, 6), residual=True)
    assert [step.residual for step in net.steps] == [False, True, False]


def test_too_many_stages_are_refused_with_the_sizes() -> None:
    with pytest.raises(ValueError, match="8 x 8 -> 4 x 4 -> 2 x 2 -> 1 x 1"):
        Cnn((1, 8, 8), 2, widths=(4,) * 5)
    with pytest.raises(ValueError, match=r'padding "same"'):
        Cnn((1, 8, 8), 2, widths=(4,) * 3, kernel=5, padding="none")
    with pytest.raises(ValueError, match="1 x 1"):
        Cnn((1, 4, 4), 2, widths=(4,) * 3, norm="instance")
    with pytest.raises(ValueError, match="len"):
        ResNet((1, 8, 8), 2, widths=(4,), depths=(1, 1))


@pytest.mark.parametrize("norm_place", ["before-activation", "before-convolution"])
def test_separable_networks_keep_their_first_convolution_dense(norm_place: str) -> None:
    net = ResNet((3, 16, 16), 4, widths=(8, 16), depths=(1, 1), norm_place=norm_place, separable=True)
    first, *others = [part for part in net.modules() if isinstance(part, nn.Conv2d) and part.kernel_size == (3, 3)]
    assert first.groups == 1
    assert [part.groups for part in others] == [8, 8, 8, 16, 16]
    cnn = Cnn((3, 16, 16), 4, widths=(8, 16), depth=2, separable=True)
    assert [part.groups for part in cnn.modules() if isinstance(part, nn.Conv2d)] == [1, 8, 1, 8, 1, 16, 1]


@pytest.mark.parametrize("kind", [Cnn, ResNet])
def test_a_pyramid_takes_images_of_any_size(kind: type) -> None:
    net = kind((3, 32, 32), 5, head="pyramid", levels=(1, 3)).eval()
    assert net.classifier.in_features == (1 + 9) * (256 if kind is ResNet else 128)
    for size in ((32, 32), (17, 40), (9, 8)):
        assert net(torch.randn(2, 3, *size)).shape == (2, 5)


def test_networks_of_older_plans_keep_the_names_and_shapes_of_their_weights() -> None:
    shapes = {
        name: tuple(value.shape)
        for name, value in ResNet((1, 8, 8), 3, widths=(4, 6), depths=(0, 1)).state_dict().items()
    }
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

    def normed(path: str, width: int) -> dict[str, tuple[int, ...]]:
        return {f"{path}.{name}": () if name == norm[-1] else (width,) for name in norm}

    assert shapes == {
        "stages.0.0.conv.0.weight": (4, 1, 3, 3),
        **normed("stages.0.0.norm", 4),
        "stages.1.0.conv.0.weight": (6, 4, 3, 3),
        **normed("stages.1.0.norm", 6),
        "stages.1.1.branch.0.weight": (6, 6, 3, 3),
        **normed("stages.1.1.branch.1", 6),
        "stages.1.1.branch.3.weight": (6, 6, 3, 3),
        **normed("stages.1.1.branch.4", 6),
        "classifier.weight": (3, 6),
        "classifier.bias": (3,),
    }
