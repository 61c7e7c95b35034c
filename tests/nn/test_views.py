import pytest
import torch
from torch import nn

from fieldcraft.nn.losses import functional
from fieldcraft.nn.losses.imbalance import class_weights, log_priors, positive_weights
from fieldcraft.nn.views import Views, passes


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(3)).eval()


IMAGES = torch.randn(5, 2, 6, 6, generator=torch.Generator().manual_seed(1))


def test_no_views_are_the_network_itself() -> None:
    made = net()
    assert torch.equal(Views(made, ())(IMAGES), made(IMAGES))


def test_the_mean_over_all_combinations() -> None:
    made = net()
    slow = sum(made(torch.rot90(one, k, (2, 3))) for one in (IMAGES, IMAGES.flip(3)) for k in range(4)) / 8
    torch.testing.assert_close(Views(made, ("mirror", "quarter-turns"))(IMAGES), slow)


@pytest.mark.parametrize("view", ["mirror", "upside-down", "quarter-turns"])
def test_the_answer_does_not_depend_on_the_view(view: str) -> None:
    asked = Views(net(), (view,))  # type: ignore[arg-type]
    change = {"mirror": IMAGES.flip(3), "upside-down": IMAGES.flip(2), "quarter-turns": torch.rot90(IMAGES, 1, (2, 3))}
    torch.testing.assert_close(asked(change[view]), asked(IMAGES))


def test_shifts_move_by_one_pixel_along_the_diagonals() -> None:
    seen: list[torch.Tensor] = []

    class See(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            seen.append(images)
            return images.mean((2, 3))

    Views(See(), ("shift",))(IMAGES)
    assert torch.equal(seen[0], IMAGES)
    assert torch.equal(seen[1][:, :, 1:, 1:], IMAGES[:, :, :-1, :-1])
    assert torch.equal(seen[2][:, :, :-1, :-1], IMAGES[:, :, 1:, 1:])


def test_passes_are_counted() -> None:
    assert (passes(()), passes(("mirror", "mirror")), passes(("mirror", "quarter-turns", "shift"))) == (1, 2, 24)


def test_class_weights_have_mean_one_over_the_samples() -> None:
    counts = [90, 9, 1]
    for evening, ratio in (("none", 1.0), ("square-root", 90**0.5), ("balanced", 90.0)):
        weights = class_weights(counts, evening)  # type: ignore[arg-type]
        assert float((weights * torch.tensor(counts)).sum() / 100) == pytest.approx(1)
        assert float(weights[2] / weights[0]) == pytest.approx(ratio, rel=1e-5)


def test_balanced_positive_weights_make_both_values_weigh_alike() -> None:
    weights = positive_weights([10, 50, 0, 100], 100, "balanced")
    assert weights.tolist() == pytest.approx([9, 1, 1, 1])


def test_weighted_loss_of_a_batch_is_the_mean_over_its_parts() -> None:
    outputs, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 0, 1])
    weights = class_weights([90, 9, 1], "balanced")
    whole = functional.cross_entropy(outputs, targets, weights=weights)
    parts = [functional.cross_entropy(outputs[a : a + 2], targets[a : a + 2], weights=weights) for a in (0, 2, 4)]
    torch.testing.assert_close(whole, torch.stack(parts).mean())


def test_shares_that_are_whole_are_the_plain_targets() -> None:
    outputs, targets = torch.randn(6, 3), torch.tensor([0, 1, 2, 2, 0, 1])
    soft = nn.functional.one_hot(targets, 3).float()
    for smoothing in (0.0, 0.2):
        for weights in (None, torch.tensor([0.5, 1.0, 2.0])):
            torch.testing.assert_close(
                functional.cross_entropy(outputs, soft, smoothing=smoothing, weights=weights),
                functional.cross_entropy(outputs, targets, smoothing=smoothing, weights=weights),
            )


def test_adjusted_logits_are_least_wrong_where_they_are_right_for_equal_classes() -> None:
    """With p(x|y) known, the logit-adjusted loss is least at the log-likelihood, whatever the classes' shares."""
    likelihood = torch.tensor([[0.8, 0.2], [0.3, 0.7]], dtype=torch.float64)  # class, x
    counts = [900, 100]
    prior = torch.tensor([0.9, 0.1], dtype=torch.float64)
    logits = torch.zeros(2, 2, dtype=torch.float64, requires_grad=True)  # x, class
    joint = (prior[:, None] * likelihood).T
    descend = torch.optim.LBFGS([logits], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        descend.zero_grad()
        loss = -(joint * (logits + log_priors(counts).double()).log_softmax(1)).sum()
        loss.backward()
        return loss

    descend.step(closure)
    balanced = likelihood.T / likelihood.T.sum(1, keepdim=True)
    torch.testing.assert_close(logits.softmax(1), balanced, atol=1e-4, rtol=0)
