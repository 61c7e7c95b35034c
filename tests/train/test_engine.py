"""The process is set up as the plan says."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn

from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Execution
from fieldcraft.train.engine import engine, restored


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


@pytest.mark.parametrize("threads", [1, 2])
def test_threads(threads: int) -> None:
    engine(Execution(threads=threads))
    assert torch.get_num_threads() == threads


def test_denormals_count_as_zero_only_where_the_plan_says_so() -> None:
    tiny = torch.tensor([1e-38], dtype=torch.float32)
    engine(Execution(flush_denormals=False))
    assert (tiny * 1e-3).item() > 0
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush denormals")
    engine(Execution(flush_denormals=True))
    assert (tiny * 1e-3).item() == 0


def test_one_device_loads_no_strategies() -> None:
    """They load torchmetrics, torchvision and transformers where they are there: seconds at each start."""
    code = "import sys, fieldcraft.train.engine; print({'lightning_fabric', 'torchmetrics'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_strategy_that_is_handed_in_takes_the_same_step() -> None:
    from lightning_fabric import Fabric

    plain = engine(Execution())
    weights = []
    for machine in (plain, replace(plain, fabric=Fabric(accelerator="cpu", devices=1))):
        torch.manual_seed(0)
        net = machine.place(nn.Linear(3, 2))
        called, optimiser = machine.set_up(net, torch.optim.SGD(net.parameters(), lr=0.1))
        assert (called is net) == (machine.fabric is None)
        machine.backward(called(torch.ones(4, 3)).square().mean())
        optimiser.step()
        weights.append(net.weight.detach().clone())
    assert torch.equal(*weights)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(PlanError, match=r'execution\.device is "cuda".*--set execution\.device=cpu'):
        engine(Execution(device="cuda"))


def test_memory_format_and_precision_follow_the_plan() -> None:
    plain = Execution()
    images = torch.randn(2, 3, 8, 8)
    for execution, last, dtype in (
        (plain, False, torch.float32),
        (replace(plain, channels_last=True), True, torch.float32),
        (replace(plain, precision="bf16"), False, torch.bfloat16),
    ):
        machine = engine(execution)
        net = machine.place(nn.Conv2d(3, 4, 3))
        assert net.weight.is_contiguous(memory_format=torch.channels_last) is last
        with machine.precision():
            assert net(images).dtype == dtype
        assert net.weight.dtype == torch.float32


def test_on_one_device_network_and_optimiser_are_not_wrapped() -> None:
    machine = engine(Execution())
    net = nn.Linear(2, 2)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    assert machine.device.type == "cpu"
    assert machine.set_up(net, optimiser) == (net, optimiser)
    machine.backward(net(torch.ones(1, 2)).sum())
    assert net.weight.grad is not None


def test_a_seed_is_what_dropout_draws_from() -> None:
    machine = engine(Execution())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        expected = torch.rand(3)
        machine.seed(5)
        assert torch.equal(torch.rand(3), expected)


def test_the_process_is_given_back_as_it_was() -> None:
    threads = torch.get_num_threads()
    with restored():
        engine(Execution(threads=threads + 1, flush_denormals=True))
        assert torch.get_num_threads() == threads + 1
        assert float(torch.tensor(1e-40) * 1) == 0.0
    assert torch.get_num_threads() == threads
    assert float(torch.tensor(1e-40) * 1) != 0.0
