"""The way into anyone's own Lightning Trainer: a network and a regime as a LightningModule."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fieldcraft.build.loss import build_loss
from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import Pace, build_optimiser
from fieldcraft.build.pretrained.take_over import Pixels, paces
from fieldcraft.build.regime import build_regime
from fieldcraft.build.schedule import rate
from fieldcraft.data.loader import Batch
from fieldcraft.errors import MissingExtraError
from fieldcraft.plan.schema import Optimiser, Plan, Schedule, Segmentation
from fieldcraft.regimes.interface import Regime

try:
    from lightning.pytorch import LightningModule
except ImportError as error:
    raise MissingExtraError("lightning", "lightning", "training with your own Lightning Trainer") from error


class FieldcraftModule(LightningModule):
    """A regime's step, a planned optimiser and a planned schedule, for `Trainer.fit`.

    Batches are (inputs, targets): inputs as the network takes them, targets as the loss does. Logs `train/loss`, each
    part of it, and `validation/loss`. Nothing else of fieldcraft takes part: no plan folder, no ladder, no budget.
    """

    def __init__(
        self,
        net: nn.Module,
        regime: Regime,
        *,
        optimiser: Optimiser,
        schedule: Schedule,
        lr: float,
        steps: int,
        paces: Mapping[nn.Parameter, Pace] | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self.regime = regime
        self._plan = (optimiser, schedule, lr, steps)
        self._paces = paces

    @classmethod
    def of_plan(
        cls,
        plan: Plan,
        rung: str,
        *,
        shape: tuple[int, ...],
        outputs: int,
        patches: Tensor | None = None,
        pixels: Pixels | None = None,
    ) -> "FieldcraftModule":
        """One rung of a plan; its weights are not averaged, whatever the plan says.

        `shape`: of a sample as the network sees it, without the batch axis. `patches`: normalised training images,
        (n, channels, height, width), for a plan whose first layer whitens; without them that layer stays random.
        A network that is taken over begins with the weights of its file and learns at the rates of its parts, but all
        of it from the first step on. Of images it must know how yours come in: `pixels`. Raises: WeightsError when
        they are missing there, or its file is.
        """
        chosen = next(one for one in plan.ladder.rungs if one.name == rung)
        net = build_network(
            chosen.network, shape=shape, outputs=outputs, initialisation=plan.initialisation, seed=plan.seed, name=rung,
            patches=patches, pixels=pixels, masks=isinstance(plan.task, Segmentation),
        )  # fmt: skip
        return cls(
            net,
            build_regime(plan.regime, build_loss(plan.task)),
            optimiser=plan.optimiser,
            schedule=plan.schedule,
            lr=chosen.lr,
            steps=chosen.steps,
            paces=paces(net, chosen.network),
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """What the network says."""
        found: Tensor = self.net(inputs)
        return found

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        """The regime's loss of one batch."""
        losses = self.regime.step(self.net, _batch(batch))
        self.log("train/loss", losses.total.detach())
        for name, part in losses.parts.items():
            self.log(f"train/{name}", part.detach())
        return losses.total

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        """The regime's loss, logged."""
        self.log("validation/loss", self.regime.step(self.net, _batch(batch)).total)

    def configure_optimizers(self) -> Any:
        """The planned optimiser, its rate set each step by the planned schedule."""
        optimiser, schedule, lr, steps = self._plan
        built = build_optimiser(self.net, optimiser, lr, self._paces)
        follow = torch.optim.lr_scheduler.LambdaLR(
            built, lambda step: rate(schedule, min(step, steps - 1), planned=steps)
        )
        return {"optimizer": built, "lr_scheduler": {"scheduler": follow, "interval": "step"}}


def _batch(batch: tuple[Tensor, Tensor]) -> Batch:
    inputs, targets = batch
    return Batch(inputs=inputs, targets=targets, rows=torch.arange(len(inputs)))
