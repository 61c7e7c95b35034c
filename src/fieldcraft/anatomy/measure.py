"""Latency and peak memory of a forward pass, measured on this machine."""

import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from fieldcraft.anatomy.inputs import Input, make_tensors
from fieldcraft.anatomy.meta_copy import real_copy
from fieldcraft.anatomy.random_state import random_as_before
from fieldcraft.anatomy.trace import default_dtype
from fieldcraft.errors import InspectError

PROFILER_LOG = "KINETO_LOG_LEVEL"
WARM_UP = 3
LEAST = 5
"""Passes that are timed even when they take longer than was granted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What forward passes in evaluation mode took; the process did nothing else."""

    latency_s: float
    """Median."""
    spread_s: tuple[float, float]
    """First and third quartile of the latencies."""
    passes: int
    """That were timed, after a few that were not."""
    batch: int
    device: str
    """cpu, or the name of the GPU."""
    threads: int
    """That torch used within an operation, on the CPU."""
    peak_bytes: int
    """The most that one pass had allocated at once, beside weights and inputs; outputs and work space included."""
    made_up: bool
    """The module came without values, and random ones stood in for them."""


def measure(
    module: nn.Module,
    inputs: Sequence[Input | Tensor],
    *,
    batch: int = 1,
    device: Literal["cpu", "cuda"] = "cpu",
    seconds: float = 3.0,
    most: int = 100,
) -> Measured:
    """Time forward passes of a copy of `module` for about `seconds`, and watch one for its memory.

    Weights and inputs get random numbers where they have none. Threads are those that torch is set to.
    Raises: InspectError when there is no such device, or the module does not take the inputs.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InspectError("a GPU must be there to measure on it, but torch sees none: measure on the cpu.")
    copy = real_copy(module).eval().to(device)
    positional, named = make_tensors(inputs, batch=batch, device="cpu", default=default_dtype(module))
    args = tuple(_real(one).to(device) for one in positional)
    kwargs = {name: one.to(device) for name, one in named.items()}
    with random_as_before(), torch.inference_mode():
        try:
            taken = _latencies(copy, args, kwargs, seconds=seconds, most=most, device=device)
            peak = _peak_on_gpu(copy, args, kwargs) if device == "cuda" else _peak_on_cpu(copy, args, kwargs)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise InspectError(
                f"{type(module).__name__} could not be run on real numbers ({type(error).__name__}: {error}): give the "
                "shapes that it takes, or tensors; whole numbers that are made up are 0 or 1."
            ) from error
    quartiles = statistics.quantiles(taken, n=4, method="inclusive")
    return Measured(
        latency_s=statistics.median(taken),
        spread_s=(quartiles[0], quartiles[2]),
        passes=len(taken),
        batch=args[0].shape[0] if args and args[0].dim() else batch,
        device=torch.cuda.get_device_name() if device == "cuda" else "cpu",
        threads=torch.get_num_threads(),
        peak_bytes=peak,
        made_up=any(one.is_meta for one in (*module.parameters(), *module.buffers())),
    )


def _real(tensor: Tensor) -> Tensor:
    return torch.zeros(tensor.shape, dtype=tensor.dtype) if tensor.is_meta else tensor


def _latencies(
    copy: nn.Module, args: Sequence[Tensor], kwargs: Mapping[str, Tensor], *, seconds: float, most: int, device: str
) -> list[float]:
    for _ in range(WARM_UP):
        copy(*args, **kwargs)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < most and (len(taken) < LEAST or time.perf_counter() < end):
        _finish(device)
        began = time.perf_counter()
        copy(*args, **kwargs)
        _finish(device)
        taken.append(time.perf_counter() - began)
    return taken


def _finish(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _peak_on_gpu(copy: nn.Module, args: Sequence[Tensor], kwargs: Mapping[str, Tensor]) -> int:
    _finish("cuda")
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    copy(*args, **kwargs)
    _finish("cuda")
    return torch.cuda.max_memory_allocated() - before


def _peak_on_cpu(copy: nn.Module, args: Sequence[Tensor], kwargs: Mapping[str, Tensor]) -> int:
    """By torch's own record of what it allocates and frees; what libraries take past it is not seen."""
    with _quiet_profiler(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        copy(*args, **kwargs)
    return highest(_changes(watched))


@contextmanager
def _quiet_profiler() -> Iterator[None]:
    """It reads this variable when it first starts, and otherwise writes a line to standard error at every start."""
    given = os.environ.get(PROFILER_LOG)
    os.environ.setdefault(PROFILER_LOG, "99")
    try:
        yield
    finally:
        if given is None:
            del os.environ[PROFILER_LOG]


def _changes(watched: Any) -> list[int]:
    """Bytes allocated and (negative) freed, in the order of time."""
    events = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    return [event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())]


def highest(changes: Sequence[int]) -> int:
    """The most that is held at once, beginning with nothing."""
    held = most = 0
    for change in changes:
        held += change
        most = max(most, held)
    return most
