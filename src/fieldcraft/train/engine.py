"""The machine under the loop: device and precision; with several devices also processes, through Lightning Fabric.

On one device Fabric does nothing but cost time: its wrappers around network and optimiser do at each step
(benchmarks/loop_overhead.py measures them), and its import does at each start, since it loads torchmetrics and with it
torchvision and transformers where they are there. So it is not even imported here: several devices hand one in.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import Execution
from fieldcraft.train.compiled import Compiled

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Engine:
    """A process, set up as the plan says."""

    device: torch.device
    """Where the network and the batches live."""
    execution: Execution
    fabric: "Fabric | None" = None
    """Strategy of several devices; `device` is this process's own."""

    def place(self, net: nn.Module) -> nn.Module:
        """Move a network to the device and into the planned memory format."""
        net = net.to(self.device)
        return channels_last(net) if self.execution.channels_last else net

    def set_up(
        self, net: nn.Module, optimiser: torch.optim.Optimizer, tell: Callable[[str], None] = lambda text: None,
        *, whole: bool = False,
    ) -> tuple[nn.Module, torch.optim.Optimizer]:  # fmt: skip
        """Network and optimiser as the strategy wants them; unchanged on one device, unless the plan compiles.

        `tell` hears why a network could not be compiled. `whole`: whether batches pass at once, never in parts.
        """
        if self.execution.compile:
            net = self.compiled(net, tell, whole=whole)
        if self.fabric is None:
            return net, optimiser
        wrapped: tuple[nn.Module, torch.optim.Optimizer] = self.fabric.setup(net, optimiser)
        return wrapped

    def compiled(self, net: nn.Module, tell: Callable[[str], None], *, whole: bool) -> Compiled:
        """The compiled form of a network; on a GPU also recorded, where batches pass at once."""
        return Compiled(net, tell, recorded=whole and self.device.type == "cuda" and self.fabric is None)

    def precision(self) -> AbstractContextManager[object]:
        """Context in which forward passes run."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.execution.precision == "bf16")

    def seed(self, value: int) -> None:
        """Seed what dropout and its like draw from; torch.manual_seed does it too, but takes 0.5 ms a call."""
        torch.default_generator.manual_seed(value)
        if self.device.type == "cuda":
            torch.cuda.default_generators[self.device.index or 0].manual_seed(value)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss."""
        if self.fabric is None:
            loss.backward()  # type: ignore[no-untyped-call]
        else:
            self.fabric.backward(loss)


def channels_last(net: nn.Module) -> nn.Module:
    """The same network with the weights of 2-D and 3-D convolutions laid out channels last, in place.

    `Module.to(memory_format=...)` takes one of both layouts, and fails on weights of the other.
    """
    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for weight in net.parameters():
        if weight.ndim in layouts:
            weight.data = weight.data.contiguous(memory_format=layouts[weight.ndim])
    return net


@contextmanager
def restored() -> Iterator[None]:
    """Give the process back as it was: its number of threads, and what becomes of denormal numbers."""
    threads = torch.get_num_threads()
    flushing = float(torch.tensor(1e-40) * 1) == 0.0
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(flushing)


def engine(execution: Execution) -> Engine:
    """Set the process up as the plan says: threads, denormals, device.

    Raises: PlanError when the device is not there.
    """
    if execution.device == "cuda" and not torch.cuda.is_available():
        raise PlanError('execution.device is "cuda", but no usable GPU was found: --set execution.device=cpu.')
    torch.set_num_threads(execution.threads)
    torch.set_flush_denormal(execution.flush_denormals)
    return Engine(torch.device("cuda", 0) if execution.device == "cuda" else torch.device("cpu"), execution)
