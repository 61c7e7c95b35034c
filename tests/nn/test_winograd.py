"""Tiles give the convolution and the gradients that direct sums give; which convolutions take them."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldcraft.nn.blocks import map_conv, winograd
from fieldcraft.nn.blocks.map_conv import Conv2d
from fieldcraft.nn.blocks.winograd import KERNEL, Winograd, convolve, weight_gradient

needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="PyTorch was built without oneDNN")


@pytest.fixture(autouse=True)
def avx2(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sums are right on every processor; with wider registers they only are no faster."""
    monkeypatch.setattr(map_conv, "_widest_is_avx2", lambda: True)


def last(maps: Tensor) -> Tensor:
    return maps.contiguous(memory_format=torch.channels_last)


def near(ours: Tensor, truth: Tensor, summands: float) -> None:
    """Within what single precision leaves of sums of so many numbers; tiles lose a factor of a few."""
    torch.testing.assert_close(ours.double(), truth, rtol=1e-4, atol=1e-5 * summands**0.5)


def test_the_paper_s_one_dimensional_example() -> None:
    """One tile by hand: four outputs of a kernel of three along six inputs (Lavin & Gray 2016, F(4, 3))."""
    inputs, taps = torch.tensor([1.0, -2, 3, 5, -4, 2]), torch.tensor([2.0, -1, 3])
    seen, outputs = torch.empty(6), torch.empty(4)
    winograd._inputs(list(inputs), seen.unbind())
    winograd._outputs(list((KERNEL @ taps) * seen), outputs.unbind())
    torch.testing.assert_close(outputs, torch.tensor([float(inputs[at : at + 3] @ taps) for at in range(4)]))


@given(
    st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(1, 13), st.integers(1, 13),
    st.sampled_from([1, 30, 10_000]),
)  # fmt: skip
def test_outputs_and_gradients_are_those_of_direct_sums(
    count: int, before: int, after: int, height: int, width: int, at_a_time: int
) -> None:
    """Of every size, also where tiles stand over, in parts of every size."""
    torch.manual_seed(0)
    x, weight = torch.randn(count, before, height, width), torch.randn(after, before, 3, 3)
    gradient = torch.randn(count, after, height, width)
    wanted_x, wanted_weight = x.double().requires_grad_(), weight.double().requires_grad_()
    truth = nn.functional.conv2d(wanted_x, wanted_weight, padding=1)
    truth.backward(gradient.double())
    kept, winograd.NUMBERS = winograd.NUMBERS, at_a_time
    try:
        ours, of_weight = convolve(x, weight), weight_gradient(x, gradient)
        of_x = convolve(gradient, weight.flip(2, 3).transpose(0, 1))
    finally:
        winograd.NUMBERS = kept
    near(ours, truth.detach(), 9 * before)
    near(of_x, wanted_x.grad, 9 * after)
    near(of_weight, wanted_weight.grad, count * height * width)
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_errors_are_a_few_times_those_of_direct_sums() -> None:
    """What the module says; a transform that is slightly wrong would be off by far more."""
    torch.manual_seed(0)
    x, gradient = last(torch.randn(16, 64, 32, 32)), last(torch.randn(16, 64, 32, 32))
    weight = torch.randn(64, 64, 3, 3)
    slope = winograd._direct(gradient.double(), x.double(), weight.double(), False, True)[1]
    truth = nn.functional.conv2d(x.double(), weight.double(), padding=1)
    assert slope is not None
    direct = winograd._direct(gradient, x, weight, False, True)[1]
    assert direct is not None
    assert wrong(convolve(x, weight), truth) < min(5e-6, 20 * wrong(nn.functional.conv2d(x, weight, padding=1), truth))
    assert wrong(weight_gradient(x, gradient), slope) < min(1e-5, 20 * wrong(direct, slope))


def wrong(found: Tensor, truth: Tensor) -> float:
    return float((found - truth).norm() / truth.norm())


def test_what_follows_may_be_done_in_place() -> None:
    for side in (8, 7):
        x, weight = last(torch.randn(2, 3, side, side)), torch.randn(4, 3, 3, 3, requires_grad=True)
        Winograd.apply(x, weight).relu_().sum().backward()
        ours, weight.grad = weight.grad, None
        nn.functional.conv2d(x, weight, padding=1).relu_().sum().backward()
        torch.testing.assert_close(ours, weight.grad, rtol=1e-3, atol=1e-3)


def test_gradients_stay_in_single_precision_within_autocast() -> None:
    torch.manual_seed(0)
    x, weight = last(torch.randn(2, 16, 8, 8)), torch.randn(8, 16, 3, 3, requires_grad=True)
    found = Winograd.apply(x, weight)
    gradient = torch.randn_like(found)
    truth = winograd._direct(gradient.double(), x.double(), weight.detach().double(), False, True)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found.backward(gradient)
    assert weight.grad is not None and truth is not None
    assert wrong(weight.grad, truth) < 1e-5


def test_several_gradients_at_once_are_pytorch_s() -> None:
    torch.manual_seed(0)
    x, weight = last(torch.randn(1, 3, 8, 8)).requires_grad_(), torch.randn(4, 3, 3, 3)
    found = Winograd.apply(x, weight)
    gradients = torch.randn(5, *found.shape)
    (at_once,) = torch.autograd.grad(found, x, gradients, is_grads_batched=True, retain_graph=True)
    one_by_one = [torch.autograd.grad(found, x, one, retain_graph=True)[0] for one in gradients]
    torch.testing.assert_close(at_once, torch.stack(one_by_one), rtol=1e-3, atol=1e-3)


def test_only_what_is_wanted_is_computed() -> None:
    x, weight = last(torch.randn(2, 3, 8, 8)), torch.randn(4, 3, 3, 3)
    for wants_x, wants_weight in ((True, False), (False, True), (True, True)):
        one, other = x.clone().requires_grad_(wants_x), weight.clone().requires_grad_(wants_weight)
        Winograd.apply(one, other).sum().backward()
        assert (one.grad is not None, other.grad is not None) == (wants_x, wants_weight)


def test_gradients_of_gradients_are_pytorch_s() -> None:
    """A penalty on gradients, of inputs and of weights."""
    torch.manual_seed(0)
    found = []
    for convolution in (lambda x, w: Winograd.apply(x, w), lambda x, w: nn.functional.conv2d(x, w, padding=1)):
        torch.manual_seed(1)
        x, weight = last(torch.randn(2, 3, 8, 8)).requires_grad_(), torch.randn(4, 3, 3, 3, requires_grad=True)
        slopes = torch.autograd.grad(convolution(x, weight).square().sum(), (x, weight), create_graph=True)
        sum(slope.square().mean() for slope in slopes).backward()
        found.append((x.grad, weight.grad))
    for ours, theirs in zip(*found, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))


def step(conv: Conv2d, x: Tensor) -> None:
    conv(x).sum().backward()


def halves(conv: Conv2d, x: Tensor) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        step(conv, x)


def transformed(conv: Conv2d, x: Tensor) -> None:
    weights = dict(conv.named_parameters())
    torch.func.grad(lambda of: torch.func.functional_call(conv, of, (x,)).sum())(weights)


def unlearned(conv: Conv2d, x: Tensor) -> None:
    with torch.no_grad():
        conv(x)


MANY = 128


def like(**changes: object) -> Conv2d:
    arguments: dict[str, object] = {"kernel_size": 3, "padding": 1, **changes}
    return Conv2d(MANY, MANY, **arguments).to(memory_format=torch.channels_last)  # type: ignore[arg-type]


@needs_onednn
@pytest.mark.parametrize(
    ("run", "tiled"),
    [
        (step, True), (lambda conv, x: step(like(bias=False), x), True),
        (lambda conv, x: step(conv, x.contiguous()), False),
        (lambda conv, x: step(conv, x[:1]), False), (lambda conv, x: step(conv, last(x[..., :14, :14])), False),
        (lambda conv, x: step(Conv2d(16, 16, 3, padding=1), last(x[:, :16])), False), (halves, False),
        (lambda conv, x: step(conv.double(), x.double()), False), (unlearned, False), (transformed, False),
        (lambda conv, x: step(conv.requires_grad_(False), x.requires_grad_()), False),
        (lambda conv, x: step(torch.compile(conv, backend="eager", fullgraph=True), x), False),
        (lambda conv, x: step(like(stride=2), x), False), (lambda conv, x: step(like(padding=0), x), False),
        (lambda conv, x: step(like(groups=2), x), False), (lambda conv, x: step(like(padding=2, dilation=2), x), False),
        (lambda conv, x: step(like(padding_mode="reflect"), x), False),
        (lambda conv, x: step(like(padding="same"), x), False),
        (lambda conv, x: step(like(kernel_size=1, padding=0), x), False),
        (lambda conv, x: step(like(kernel_size=5, padding=2), x), False),
    ],
    ids=[
        "many channels", "no bias", "channels first", "few tiles", "tiles stand over", "few channels", "bf16", "double",
        "unlearned", "transformed", "frozen", "compiled", "strided", "valid", "groups", "dilated", "reflect", "same",
        "1x1", "5x5",
    ],
)  # fmt: skip
def test_which_steps_take_tiles(
    run: Callable[[Conv2d, Tensor], object], tiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Tensor] = []
    monkeypatch.setattr(winograd, "weight_gradient", spied(taken))
    run(like(), last(torch.randn(8, MANY, 16, 16)))
    assert bool(taken) == tiled


def spied(taken: list[Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    def spy(x: Tensor, gradient: Tensor) -> Tensor:
        taken.append(x)
        return weight_gradient(x, gradient)

    return spy


@needs_onednn
def test_a_step_of_a_convolution_is_that_of_torch() -> None:
    """With its bias, and the sums of several steps; no tile where a processor has wider registers."""
    torch.manual_seed(0)
    ours, theirs = like(), nn.Conv2d(MANY, MANY, 3, padding=1)
    theirs.load_state_dict(ours.state_dict())
    x = last(torch.randn(8, MANY, 16, 16))
    for _ in range(2):
        for net in (ours, theirs):
            net(x).square().mean().backward()
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5 * float(other.grad.abs().max()) + 1e-6)
    assert ours.weight.grad is not None and ours.weight.grad.is_contiguous(memory_format=torch.channels_last)


@needs_onednn
def test_wider_registers_take_direct_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Tensor] = []
    monkeypatch.setattr(winograd, "weight_gradient", spied(taken))
    monkeypatch.setattr(map_conv, "_widest_is_avx2", lambda: False)
    step(like(), last(torch.randn(8, MANY, 16, 16)))
    assert not taken
