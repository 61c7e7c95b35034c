"""FC004 and FC005: what is bent or squashed twice."""

import math

import pytest
import torch
from tests.tips.rules.seen import findings, in_evaluation, line_of, only
from torch import Tensor, nn
from torch.nn import functional as F

from fieldcraft.records.finding import Severity
from fieldcraft.tips.rule import Circumstances
from fieldcraft.tips.rules import softmax_before_loss, two_activations_in_a_row


class Ends(nn.Module):
    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.head, self.last = nn.Linear(8, 10), last

    def forward(self, x: Tensor) -> Tensor:
        x = self.head(x)
        return self.last(x)


# ---------------------------------------------------------------- FC004


@pytest.mark.parametrize("first", [nn.ReLU(), nn.Sigmoid(), nn.Softplus()])
def test_relu_after_something_that_is_never_negative_changes_nothing(first: nn.Module):
    net = nn.Sequential(nn.Linear(8, 8), first, nn.Dropout(0.1), nn.ReLU())
    finding = only(two_activations_in_a_row.RULE, net, (8,))
    assert "changes nothing" in finding.message
    x = torch.randn(16, 8)
    assert torch.equal(in_evaluation(net, x), in_evaluation(net[:2], x))


def test_the_line_is_the_second_call():
    class Left(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True))

        def forward(self, x: Tensor) -> Tensor:
            x = self.conv(x)
            return torch.tanh(x)

    finding = only(two_activations_in_a_row.RULE, Left(), (3, 8, 8))
    assert line_of(finding) == "return torch.tanh(x)"
    assert "tanh right after relu" in finding.message
    assert "nothing" not in finding.message


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * torch.tanh(F.softplus(x)),
        lambda x: x * F.relu6(x + 3) / 6,
        lambda x: F.relu(x) + torch.sigmoid(x),
        lambda x: F.relu(F.relu(x) - 1),
    ],
    ids=["mish", "hard swish", "branches", "a shift between"],
)
def test_one_function_of_several_steps_is_left_alone(function):
    class Net(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    assert not findings(two_activations_in_a_row.RULE, Net(), (8,))


# ---------------------------------------------------------------- FC005


@pytest.mark.parametrize(
    ("last", "loss", "severity"),
    [
        (nn.Softmax(dim=1), "cross-entropy", Severity.ERROR),
        (nn.Sigmoid(), "cross-entropy", Severity.ERROR),
        (nn.LogSoftmax(dim=1), "cross-entropy", Severity.INFO),
        (nn.Sigmoid(), "bce-with-logits", Severity.ERROR),
        (nn.Softmax(dim=1), "nll", Severity.ERROR),
    ],
)
def test_squashed_twice(last: nn.Module, loss: str, severity: Severity):
    finding = only(softmax_before_loss.RULE, Ends(last), (8,), Circumstances(loss=loss))
    assert finding.severity == severity
    assert line_of(finding) == "return self.last(x)"


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (nn.Identity(), "cross-entropy"),
        (nn.Softmax(dim=1), None),
        (nn.Softmax(dim=1), "mse"),
        (nn.LogSoftmax(dim=1), "nll"),
        (nn.Sigmoid(), "bce"),
        (nn.ReLU(), "cross-entropy"),
    ],
)
def test_squashed_once(last: nn.Module, loss: str | None):
    assert not findings(softmax_before_loss.RULE, Ends(last), (8,), Circumstances(loss=loss))


def test_the_least_loss_is_that_of_a_perfect_answer():
    message = only(softmax_before_loss.RULE, Ends(nn.Softmax(dim=1)), (8,), Circumstances(loss="cross-entropy")).message
    perfect = F.cross_entropy(F.one_hot(torch.arange(10), 10).float(), torch.arange(10)).item()
    assert f"{perfect:.2f} nats" in message


def test_the_least_loss_of_a_sure_no():
    message = only(softmax_before_loss.RULE, Ends(nn.Sigmoid()), (8,), Circumstances(loss="bce-with-logits")).message
    assert f"{F.binary_cross_entropy_with_logits(torch.zeros(1), torch.zeros(1)).item():.2f} nats" in message
    assert f"{math.log(2):.2f}" in message


def test_log_softmax_twice_is_log_softmax():
    x = torch.randn(16, 10)
    assert torch.allclose(F.log_softmax(F.log_softmax(x, 1), 1), F.log_softmax(x, 1), atol=1e-6)
