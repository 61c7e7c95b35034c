import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldcraft.nn.clipping import NormClip, PercentileClip, UnitClip, gradient_norm, without_last_linear


def net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5), nn.Linear(5, 3)
    )


def with_gradients(module: nn.Module, seed: int, scale: float) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    for weight in module.parameters():
        weight.grad = scale * torch.randn(weight.shape, generator=generator)
    return [weight.grad.clone() for weight in module.parameters() if weight.grad is not None]


def gradients(module: nn.Module) -> list[Tensor]:
    return [weight.grad for weight in module.parameters() if weight.grad is not None]


@given(scale=st.sampled_from([1e-3, 0.1, 1.0, 50.0]), most=st.floats(0.01, 10))
@settings(deadline=None, max_examples=20)
def test_clipping_by_norm_is_that_of_torch(scale: float, most: float) -> None:
    ours, theirs = net(), net()
    for module in (ours, theirs):
        with_gradients(module, 1, scale)
    NormClip(ours.parameters(), most)()
    torch.nn.utils.clip_grad_norm_(theirs.parameters(), most)
    for a, b in zip(gradients(ours), gradients(theirs), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("percentile", "window"), [(10.0, 1000), (50.0, 7), (100.0, 3)])
def test_autoclip_is_the_percentile_of_the_norms_seen(percentile: float, window: int) -> None:
    module, seen = net(), []
    clip = PercentileClip(module.parameters(), percentile, window)
    for step in range(12):
        before = with_gradients(module, step, 1 + step % 5)
        norm = torch.stack([one.norm() for one in before]).norm()
        seen.append(norm)
        most = torch.quantile(torch.stack(seen[-window:]), percentile / 100)
        clip()
        for old, new in zip(before, gradients(module), strict=True):
            torch.testing.assert_close(new, old * min(1.0, float(most / norm)))


def test_autoclip_goes_on_from_its_state_with_the_same_bits() -> None:
    one, other = net(), net()
    first, second = PercentileClip(one.parameters(), 30, window=5), PercentileClip(other.parameters(), 30, window=5)
    for step in range(8):
        with_gradients(one, step, 1 + step % 3)
        first()
    second.restore({name: value.clone() for name, value in first.state().items()})
    for step in range(8, 14):
        for module, clip in ((one, first), (other, second)):
            with_gradients(module, step, 1 + step % 3)
            clip()
        assert all(torch.equal(a, b) for a, b in zip(gradients(one), gradients(other), strict=True))


def test_a_norm_that_is_no_number_is_not_remembered() -> None:
    module = net()
    clip = PercentileClip(module.parameters(), 50)
    for step, scale in enumerate((1.0, float("nan"), 1.0)):
        with_gradients(module, step, scale)
        clip()
    assert clip.norms[:3].isnan().tolist() == [False, True, False]
    assert all(bool(one.isfinite().all()) for one in gradients(module))


@pytest.mark.parametrize("scale", [1e-4, 1.0, 30.0])
def test_adaptive_clipping_is_the_rule_unit_by_unit(scale: float) -> None:
    module, share, eps = net(), 0.05, 1e-3
    before = with_gradients(module, 2, scale)
    UnitClip(module.parameters(), share, eps)()
    for weight, old in zip(module.parameters(), before, strict=True):
        assert weight.grad is not None
        units = range(len(weight)) if weight.ndim > 1 else [slice(None)]
        for unit in units:
            size, slope = weight[unit].detach().norm(), old[unit].norm()
            most = share * max(float(size), eps)
            expected = old[unit] * (most / slope if slope > most else 1.0)
            torch.testing.assert_close(weight.grad[unit], expected)


def test_the_last_linear_map_is_spared() -> None:
    module = net()
    spared = {id(weight) for weight in module[-1].parameters()}
    found = without_last_linear(module)
    assert {id(weight) for weight in found} == {id(weight) for weight in module.parameters()} - spared


def test_large_limits_change_nothing_and_weights_without_gradient_are_passed_over() -> None:
    module = net()
    before = with_gradients(module, 3, 1.0)
    module[0].bias.grad = None
    for clip in (
        NormClip(module.parameters(), 1e9),
        PercentileClip(module.parameters(), 100),
        UnitClip(module.parameters(), 1e9),
    ):
        clip()
    left = [one for one, weight in zip(before, module.parameters(), strict=True) if weight is not module[0].bias]
    assert all(torch.equal(a, b) for a, b in zip(gradients(module), left, strict=True))
    assert float(gradient_norm(module.parameters())) > 0


@pytest.mark.parametrize("wrong", [
    lambda: NormClip([], 0), lambda: PercentileClip([], 0), lambda: PercentileClip([], 10, 0), lambda: UnitClip([], -1),
])  # fmt: skip
def test_wrong_numbers_are_refused(wrong) -> None:
    with pytest.raises(ValueError, match="must hold"):
        wrong()
