"""Latency and memory of real passes; nothing here depends on how fast the machine is."""

import os

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.measure import highest, measure
from fieldcraft.anatomy.memory import peak
from fieldcraft.anatomy.trace import trace
from fieldcraft.errors import InspectError

CHAIN = nn.Sequential(nn.Linear(64, 256), nn.Linear(256, 512), nn.Linear(512, 8))
POINTS = nn.Sequential(nn.Conv2d(1, 8, 1), nn.ReLU(), nn.Conv2d(8, 1, 1))


@pytest.mark.parametrize(("net", "shape"), [(CHAIN, (64,)), (POINTS, (1, 10, 10))], ids=["chain", "points"])
@pytest.mark.parametrize("batch", [1, 4])
def test_peak_is_what_liveness_says_where_kernels_need_no_work_space(
    net: nn.Module, shape: tuple[int, ...], batch: int
) -> None:
    inputs = [Input(shape=shape)]
    given_bytes = 4 * batch * torch.Size(shape).numel()
    measured = measure(net, inputs, batch=batch, seconds=0)
    assert measured.peak_bytes == peak(trace(net, inputs, batch=batch)) - given_bytes


def test_a_record_says_how_it_was_measured() -> None:
    threads = torch.get_num_threads()
    measured = measure(CHAIN, [Input(shape=(64,))], batch=2, seconds=0)
    assert measured.passes == 5
    assert measured.spread_s[0] <= measured.latency_s <= measured.spread_s[1]
    assert (measured.batch, measured.device, measured.threads, measured.made_up) == (2, "cpu", threads, False)
    assert "KINETO_LOG_LEVEL" not in os.environ


def test_no_more_passes_than_asked_for() -> None:
    assert measure(CHAIN, [Input(shape=(64,))], seconds=60, most=7).passes == 7


def test_a_module_without_values_gets_random_ones_and_says_so() -> None:
    net = nn.Linear(3, 3, device="meta")
    assert measure(net, [Input(shape=(3,))], seconds=0).made_up
    assert net.weight.is_meta


def test_the_module_and_random_numbers_stay_as_they_were() -> None:
    net = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.5)).train()
    before = {name: one.clone() for name, one in net.state_dict().items()}
    torch.manual_seed(5)
    expected = torch.rand(2)
    torch.manual_seed(5)
    measure(net, [Input(shape=(4,))], seconds=0)
    assert torch.equal(torch.rand(2), expected)
    assert net.training
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())


def test_inputs_that_do_not_fit_are_told() -> None:
    with pytest.raises(InspectError, match="could not be run on real numbers"):
        measure(CHAIN, [Input(shape=(63,))], seconds=0)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_nothing_is_measured_on_it() -> None:
    with pytest.raises(InspectError, match="torch sees none"):
        measure(CHAIN, [Input(shape=(64,))], device="cuda")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_a_pass_allocates_at_least_its_maps() -> None:
    inputs = [Input(shape=(1, 64, 64))]
    measured = measure(POINTS, inputs, device="cuda", seconds=0)
    assert measured.device == torch.cuda.get_device_name()
    assert measured.peak_bytes >= 8 * 64 * 64 * 4 * 2


class Keyword(nn.Module):
    def forward(self, x: Tensor, *, scale: Tensor) -> Tensor:
        return x * scale


def test_inputs_by_keyword() -> None:
    assert measure(Keyword(), [Input(shape=(3,)), Input(shape=(3,), name="scale")], batch=4, seconds=0).batch == 4


@given(st.lists(st.integers(min_value=1, max_value=100)))
def test_highest_is_the_largest_sum_of_a_beginning(sizes: list[int]) -> None:
    changes = [change for size in sizes for change in (size, size, -size)] + [-size for size in sizes]
    assert highest(changes) == max(sum(changes[:count]) for count in range(len(changes) + 1))
