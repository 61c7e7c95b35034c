"""A network whose training steps run compiled, or as they are where compiling fails.

Stands alone: `net = Compiled(net, tell=print)` in anyone's own loop; weights are kept in the plain network.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn


class Compiled(nn.Module):
    """The same function as the network, by torch.compile.

    Every shape of a batch is compiled for itself. Random numbers are drawn as the plain network draws them, so that a
    step is the same to rounding. When compiling fails, `tell` hears once why, and the plain network goes on.
    `recorded`: on a GPU, record what forward and backward pass launch, and play it back from the third step on: small
    networks keep a GPU waiting for launches. Only for loops of one forward pass, its backward pass, and gradients that
    are set to None before the next: the next pass writes to the memory that outputs and gradients of this one lie in,
    so that sums over several passes would be wrong (pytorch/pytorch issue 169545). What has to last is copied.
    Cost: the first step of each shape takes half a minute or more; recorded, memory of its own is kept for each.
    """

    def __init__(self, net: nn.Module, tell: Callable[[str], None], *, recorded: bool = False) -> None:
        super().__init__()
        self.plain = net
        self._tell = tell
        options: dict[str, str | int | bool | Callable[..., object]] = {
            "fallback_random": True, "triton.cudagraphs": recorded,
        }  # fmt: skip
        self._call: Callable[[Tensor], Tensor] = torch.compile(net, dynamic=False, options=options)
        self._recorded = recorded
        self._works = True

    def in_parts(self) -> "Compiled":
        """The same network for batches that pass in parts; lets go of what was recorded, and of its memory."""
        if not self._recorded:
            return self
        torch.compiler.reset()
        return Compiled(self.plain, self._tell)

    def forward(self, x: Tensor) -> Tensor:
        """Map a batch."""
        if self._works:
            if self._recorded:
                torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
            try:
                return self._call(x)
            except torch._dynamo.exc.TorchDynamoException as error:
                self._works = False
                self._tell(f"not compiled ({reason(error)}): steps run as they are")
        found: Tensor = self.plain(x)
        return found


def reason(error: BaseException) -> str:
    """The line of a compiler's error that says what was wrong, shortened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:160].rstrip(" :.")
