"""Memory of a training step on the CPU: predicted before it is taken, and signs of having been killed for it."""

from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from torch import Tensor, nn

from fieldcraft.data.loader import Batch
from fieldcraft.regimes.interface import Regime
from fieldcraft.train.engine import Engine

MIB = 2**20
COPIES = 6  # weights, gradients, two optimiser moments, average, snapshot


@dataclass(frozen=True, kw_only=True)
class StepMemory:
    """What a training step is expected to take."""

    fixed_mib: float
    """Weights, gradients, optimiser, average, snapshot."""
    sample_mib: float
    """Tensors kept for the backward pass, per sample, doubled for their gradients."""

    def total_mib(self, samples: int) -> float:
        """Of a step with so many samples at once."""
        return self.fixed_mib + samples * self.sample_mib

    def fitting(self, samples: int, allowed_mib: float) -> int:
        """The largest half, quarter, ... of `samples` whose step takes no more than is allowed; at least 1."""
        while samples > 1 and self.total_mib(samples) > allowed_mib:
            samples = (samples + 1) // 2
        return samples


def predict(net: nn.Module, regime: Regime, batch: Batch, engine: Engine) -> StepMemory:
    """Measure what one small batch keeps for its backward pass; weights and norm statistics stay as they were."""
    state = {name: value.clone() for name, value in net.state_dict().items()}
    kept = 0
    seen: set[int] = set()

    def pack(tensor: Tensor) -> Tensor:
        nonlocal kept
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in seen:
            seen.add(storage.data_ptr())
            kept += storage.nbytes()
        return tensor

    parameters = sum(value.numel() * value.element_size() for value in net.parameters())
    seen.update(value.untyped_storage().data_ptr() for value in net.parameters())
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor), engine.precision():
        regime.step(net, batch)
    net.load_state_dict(state)
    return StepMemory(fixed_mib=COPIES * parameters / MIB, sample_mib=2 * kept / len(batch.rows) / MIB)


def free_mib() -> float:
    """Memory that can be taken without swapping."""
    return float(psutil.virtual_memory().available / MIB)


def memory_kills(proc: Path = Path("/proc/vmstat"), cgroup: Path = Path("/sys/fs/cgroup/memory.events")) -> int:
    """How many processes the system has killed for memory so far; 0 where it does not say (Linux only)."""
    return sum(_counter(path, "oom_kill") for path in (proc, cgroup))


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def _counter(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[:1] == [name])
