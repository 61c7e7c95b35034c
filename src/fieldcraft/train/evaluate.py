"""What a network says about samples: outputs in order, without gradients and without changing it."""

from contextlib import nullcontext

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fieldcraft.data.loader import Batches
from fieldcraft.train.engine import Engine

SIZE = 512


@torch.no_grad()
def outputs(
    net: nn.Module, batches: Batches, engine: Engine, *, exact: bool, size: int = SIZE
) -> npt.NDArray[np.float32]:
    """(samples, outputs) in the order of the batches' rows; the network is left in the mode it was in.

    `exact`: in single precision, as a saved model predicts; otherwise in the precision of training, which is quicker.
    """
    training = net.training
    net.eval()
    try:
        with nullcontext() if exact else engine.precision():
            parts: list[Tensor] = [net(batch.inputs).float().cpu() for batch in batches.evaluation_batches(size)]
    finally:
        net.train(training)
    found: npt.NDArray[np.float32] = torch.cat(parts).numpy()
    return found[np.argsort(np.concatenate(list(batches.evaluation_places(size))))]
