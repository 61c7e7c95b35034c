import pytest
import torch

from fieldcraft.build.loss import build_loss
from fieldcraft.errors import PlanError
from fieldcraft.plan import schema

F = torch.nn.functional


def test_losses_are_those_of_the_plan() -> None:
    outputs = torch.randn(6, 3)
    classes, labels, numbers = torch.randint(3, (6,)), torch.randint(2, (6, 3)).float(), torch.randn(6, 3)
    single = schema.SingleLabel(loss=schema.CrossEntropy(label_smoothing=0.2))
    assert torch.equal(build_loss(single)(outputs, classes), F.cross_entropy(outputs, classes, label_smoothing=0.2))
    multi = build_loss(schema.MultiLabel())
    torch.testing.assert_close(multi(outputs, labels), F.binary_cross_entropy_with_logits(outputs, labels))
    assert torch.equal(build_loss(schema.Regression())(outputs, numbers), F.mse_loss(outputs, numbers))
    huber = schema.Regression(loss=schema.Huber(delta=0.5))
    assert torch.equal(build_loss(huber)(outputs, numbers), F.huber_loss(outputs, numbers, delta=0.5))


def test_an_imported_loss_is_called_with_outputs_and_targets() -> None:
    task = schema.Regression(loss=schema.Imported(target="torch.nn.functional:l1_loss"))
    outputs, targets = torch.randn(4, 1), torch.randn(4, 1)
    assert torch.equal(build_loss(task)(outputs, targets), F.l1_loss(outputs, targets))


def test_an_imported_loss_must_give_a_scalar() -> None:
    loss = build_loss(schema.Regression(loss=schema.Imported(target="torch:sub")))
    with pytest.raises(PlanError, match=r"torch:sub\(outputs, targets\) must return a scalar tensor.*\(4, 1\)"):
        loss(torch.randn(4, 1), torch.randn(4, 1))


def test_a_loss_that_is_not_there_is_named_before_training() -> None:
    with pytest.raises(PlanError, match=r"nearest: .*cross_entropy"):
        build_loss(schema.SingleLabel(loss=schema.Imported(target="torch.nn.functional:cros_entropy")))
