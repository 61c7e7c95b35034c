"""What a network says about samples."""

import numpy as np
import pytest
import torch
from torch import nn

from fieldcraft.data.loader import Batches
from fieldcraft.plan.schema import Execution
from fieldcraft.train.engine import engine
from fieldcraft.train.evaluate import outputs


@pytest.mark.parametrize("size", [1, 7, 512])
def test_outputs_are_in_order_and_do_not_depend_on_the_batch(size: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    features = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    rows = np.array([3, 1, 30, 12, 8, 39, 0, 22, 5], np.int64)
    batches = Batches.of_features(
        features, rows, torch.zeros(40, dtype=torch.int64), batch=4, device=torch.device("cpu"), seed=0, name=""
    )
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found = outputs(net, batches, engine(Execution()), exact=False, size=size)
    with torch.no_grad():
        expected = net.eval()(torch.from_numpy(features[rows])).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    for name, value in net.state_dict().items():
        assert torch.equal(value, before[name]), name


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_left_as_it_was_also_after_an_error(training: bool) -> None:
    net = nn.Linear(5, 2).train(training)
    batches = Batches.of_features(
        np.zeros((4, 3), np.float32), np.arange(4), torch.zeros(4, dtype=torch.int64), batch=4,
        device=torch.device("cpu"), seed=0, name="",
    )  # fmt: skip
    with pytest.raises(RuntimeError):
        outputs(net, batches, engine(Execution()), exact=True)
    assert net.training is training


def test_half_precision_comes_back_as_numbers_of_full_precision() -> None:
    batches = Batches.of_features(
        np.ones((4, 3), np.float32), np.arange(4), torch.zeros(4, dtype=torch.int64), batch=4,
        device=torch.device("cpu"), seed=0, name="",
    )  # fmt: skip
    assert outputs(nn.Linear(3, 2), batches, engine(Execution(precision="bf16")), exact=False).dtype == np.float32
