"""Volumes alone and in company are convolved alike; which of them go through oneDNN."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fieldcraft.nn.blocks.volume_conv import Conv3d


@given(
    st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3, (1, 3, 5)]), st.integers(1, 2), st.integers(0, 2),
    st.integers(1, 2), st.booleans(), st.booleans(),
)  # fmt: skip
def test_one_volume_gets_what_it_gets_among_others(
    before: int, after: int, kernel: int | tuple[int, ...], stride: int, padding: int, dilation: int, bias: bool,
    last: bool,
) -> None:  # fmt: skip
    torch.manual_seed(0)
    conv = Conv3d(before, after, kernel, stride, padding, dilation, bias=bias)
    x = torch.randn(3, before, 11, 10, 9)
    if last:
        x = x.contiguous(memory_format=torch.channels_last_3d)
    other = nn.Conv3d(before, after, kernel, stride, padding, dilation, bias=bias)
    other.load_state_dict(conv.state_dict())
    with torch.no_grad():
        together = other(x)
        alone = torch.cat([conv(x[at : at + 1]) for at in range(3)])
    torch.testing.assert_close(alone, together, atol=1e-5, rtol=1e-4)


def test_gradients_autocast_and_export_are_those_of_torch() -> None:
    torch.manual_seed(0)
    conv = Conv3d(2, 3, 3, padding=1)
    x = torch.randn(1, 2, 4, 5, 6, requires_grad=True)
    conv(x).square().sum().backward()
    other = nn.Conv3d(2, 3, 3, padding=1)
    other.load_state_dict(conv.state_dict())
    y = x.detach().requires_grad_()
    other(y).square().sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    torch.testing.assert_close(conv.weight.grad, other.weight.grad)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert conv(x).dtype == torch.bfloat16
    with torch.no_grad():
        program = torch.export.export(conv.eval(), (x.detach(),))
    assert any("conv3d" in str(node.target) for node in program.graph.nodes)


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:FutureWarning")  # PyTorch's own, the first time
def test_tangents_are_those_of_torch() -> None:
    torch.manual_seed(0)
    conv, other = Conv3d(2, 3, 3, padding=1), nn.Conv3d(2, 3, 3, padding=1)
    other.load_state_dict(conv.state_dict())
    x, tangent = torch.randn(1, 2, 4, 5, 6), torch.randn(1, 2, 4, 5, 6)
    with torch.no_grad():
        ours, theirs = (torch.func.jvp(one, (x,), (tangent,)) for one in (conv, other))
    torch.testing.assert_close(ours, theirs)


def in_training(conv: Conv3d, x: torch.Tensor) -> None:
    with torch.enable_grad():
        conv(x)


def in_bf16(conv: Conv3d, x: torch.Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        conv(x)


def traced(conv: Conv3d, x: torch.Tensor) -> None:
    code = str(torch.jit.trace(conv, x, check_trace=False).graph)  # a check would run it once more
    assert "aten::_convolution" in code


def compiled(conv: Conv3d, x: torch.Tensor) -> None:
    torch.compile(conv, backend="eager", fullgraph=True)(x)


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")
@pytest.mark.parametrize(
    ("run", "times"),
    [
        (lambda conv, x: conv(x), 1), (lambda conv, x: conv(torch.cat([x, x])), 0),
        (lambda conv, x: conv.double()(x.double()), 0), (in_training, 0), (in_bf16, 0), (traced, 0),
        (compiled, 0),
    ],
    ids=["alone", "in-company", "double", "training", "bf16", "traced", "compiled"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:.*torch.jit.* is deprecated")
def test_only_a_plain_volume_alone_goes_through_onednn(
    run: Callable[[Conv3d, torch.Tensor], object], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[torch.Size] = []
    real = torch.mkldnn_convolution

    def spied(x: torch.Tensor, *more: object) -> torch.Tensor:
        taken.append(x.shape)
        return real(x, *more)

    monkeypatch.setattr(torch, "mkldnn_convolution", spied)
    with torch.no_grad():
        run(Conv3d(2, 3, 3, padding=1).eval(), torch.randn(1, 2, 4, 5, 6))
    assert len(taken) == times


@pytest.mark.parametrize("mode", ["reflect", "circular"])
def test_other_paddings_are_those_of_torch(mode: str) -> None:
    conv, other = (kind(2, 3, 3, padding=1, padding_mode=mode) for kind in (Conv3d, nn.Conv3d))
    other.load_state_dict(conv.state_dict())
    x = torch.randn(1, 2, 4, 5, 6)
    with torch.no_grad():
        torch.testing.assert_close(conv(x), other(x))
