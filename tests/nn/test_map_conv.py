"""Maps side by side give the gradient that they give one by one; which convolutions take it so."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldcraft.nn.blocks import map_conv
from fieldcraft.nn.blocks.map_conv import Conv2d, side_by_side

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")


@pytest.fixture(autouse=True)
def tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums are right on every processor; where there are no tiles they only are no faster."""
    monkeypatch.setattr(map_conv, "_has_tiles", lambda: True)
    monkeypatch.setattr(map_conv, "LEAST_CHANNELS", 1)


def both(conv: Conv2d, x: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Outputs and gradients: ours, and PyTorch's in double precision of the same numbers."""
    other = nn.Conv2d(
        conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, conv.padding, bias=conv.bias is not None
    )
    other.load_state_dict({name: value.bfloat16() for name, value in conv.state_dict().items()})
    other = other.double()
    inputs = x.clone().requires_grad_(), x.bfloat16().double().requires_grad_()
    found = []
    for net, given_x in zip((conv, other), inputs, strict=True):
        with torch.autocast("cpu", torch.bfloat16, enabled=net is conv):
            out = net(given_x)
        steps = torch.linspace(-1, 1, out.numel()).view(out.shape).bfloat16().to(out.dtype)
        out.backward(steps)
        found.append([out.detach(), given_x.grad, *(one.grad for one in net.parameters())])
    return found[0], found[1]


@needs_onednn
@given(
    st.sampled_from([4, 6, 12]), st.integers(1, 5), st.integers(1, 5), st.integers(1, 9), st.integers(1, 8),
    st.sampled_from([3, 5, (1, 3), (3, 5)]), st.sampled_from([1, 2, 3, (1, 2), (2, 1)]), st.booleans(), st.booleans(),
)  # fmt: skip
def test_gradients_are_those_of_single_maps(
    count: int, before: int, after: int, height: int, width: int, kernel: int | tuple[int, int],
    stride: int | tuple[int, int],     bias: bool, last: bool,
) -> None:  # fmt: skip
    torch.manual_seed(0)
    sides = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    conv = Conv2d(before, after, sides, stride, (sides[0] // 2, sides[1] // 2), bias=bias)
    x = torch.randn(count, before, height, width)
    if last:
        x, conv = x.contiguous(memory_format=torch.channels_last), conv.to(memory_format=torch.channels_last)
    for ours, theirs in zip(*both(conv, x), strict=True):
        # bf16 keeps eight bits, of each summand of an output and of the rounded sums.
        torch.testing.assert_close(ours.double(), theirs, atol=0.02 * float(theirs.abs().max()), rtol=0.02)


def test_maps_stand_side_by_side_with_zeros_behind_each() -> None:
    maps = torch.arange(1.0, 25).view(4, 1, 2, 3)
    packed = side_by_side(maps, 2, 5)
    assert packed.shape == (2, 1, 2, 10)
    assert packed[0, 0].tolist() == [[1, 2, 3, 0, 0, 7, 8, 9, 0, 0], [4, 5, 6, 0, 0, 10, 11, 12, 0, 0]]


def spied(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    taken: list[int] = []
    real = map_conv.side_by_side

    def spy(maps: Tensor, together: int, width: int) -> Tensor:
        taken.append(together)
        return real(maps, together, width)

    monkeypatch.setattr(map_conv, "side_by_side", spy)
    return taken


def step(conv: Conv2d, x: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        conv(x).sum().backward()


def transformed(conv: Conv2d, x: Tensor) -> None:
    """Gradients as a function, of each sample by itself."""
    weights = dict(conv.named_parameters())

    def loss(of: dict[str, Tensor], one: Tensor) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return torch.func.functional_call(conv, of, (one[None].expand(8, -1, -1, -1),)).sum()

    torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0))(weights, x)


def compiled(conv: Conv2d, x: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        torch.compile(conv, backend="eager", fullgraph=True)(x).sum().backward()


@needs_onednn
@pytest.mark.parametrize(
    ("run", "packed"),
    [
        (step, True), (lambda conv, x: step(conv, torch.cat([x, x], 3)), False), (compiled, False),
        (lambda conv, x: step(conv, x[:3]), False), (transformed, False),
        (lambda conv, x: step(conv.double(), x.double()), False), (lambda conv, x: conv(x).sum().backward(), False),
        (lambda conv, x: step(conv.requires_grad_(False), x.requires_grad_()), False),
        (lambda conv, x: step(Conv2d(4, 4, 3, padding=0), x), False),
        (lambda conv, x: step(Conv2d(4, 4, 3, padding=1, groups=2), x), False),
        (lambda conv, x: step(Conv2d(4, 4, 3, padding=2, dilation=2), x), False),
        (lambda conv, x: step(Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), x), False),
        (lambda conv, x: step(Conv2d(4, 4, 1), x), False), (lambda conv, x: step(Conv2d(4, 4, 2, padding=1), x), False),
    ],
    ids=[
        "small", "large", "compiled", "few", "transformed", "double", "fp32", "frozen", "valid", "groups", "dilated",
        "reflect", "1x1", "even",
    ],
)  # fmt: skip
def test_only_small_maps_in_bf16_training_are_packed(
    run: Callable[[Conv2d, Tensor], object], packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = spied(monkeypatch)
    run(Conv2d(4, 4, 3, padding=1), torch.randn(8, 4, 8, 8))
    assert bool(taken) == packed


@needs_onednn
def test_it_is_exported_as_torch_does_and_weighs_what_torch_s_weighs() -> None:
    conv = Conv2d(2, 3, 3, padding=1).eval()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(conv, (torch.randn(4, 2, 8, 8),), dynamic_shapes=({0: batch},))
    assert any("conv2d" in str(node.target) for node in program.graph.nodes)
    assert program.module()(torch.randn(7, 2, 8, 8)).shape == (7, 3, 8, 8)
    assert any("conv" in str(node.target) for node in torch.fx.symbolic_trace(nn.Sequential(conv)).graph.nodes)
    assert conv.state_dict().keys() == nn.Conv2d(2, 3, 3, padding=1).state_dict().keys()


@needs_onednn
def test_a_gradient_of_a_gradient_is_that_of_torch() -> None:
    """Penalties on gradients go through the packed maps as well."""
    torch.manual_seed(0)
    conv = Conv2d(2, 3, 3, padding=1)
    x = torch.randn(4, 2, 4, 4, requires_grad=True)

    def penalty(net: nn.Module) -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            out = net(x).float().square().sum()
        (slope,) = torch.autograd.grad(out, conv.weight, create_graph=True)
        return torch.autograd.grad(slope.square().sum(), conv.weight)[0]

    ours = penalty(conv)
    map_conv_taken = conv.__class__
    conv.__class__ = nn.Conv2d  # type: ignore[assignment]
    theirs = penalty(conv)
    conv.__class__ = map_conv_taken
    torch.testing.assert_close(ours, theirs, rtol=0.03, atol=0.03 * float(theirs.abs().max()))
