"""What looking inside training costs: a look beside a plain step, and over a rung as looks are spread.

Usage: python benchmarks/watching.py [ROUNDS]
"""

import sys
import time

import torch
from torch.nn import functional

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.plan.schema import Initialisation, Mlp, ResNet, Sgd
from fieldcraft.train.watcher import Watcher
from result import summary, write

BATCH, STEPS = 128, 1000
CASES = {
    "resnet9": (ResNet(widths=(32, 64, 128), depths=(1, 1, 1)), (3, 32, 32)),
    "mlp": (Mlp(widths=(256, 256)), (64,)),
}


def one_step(net, optimiser, inputs, targets) -> None:
    optimiser.zero_grad(set_to_none=True)
    functional.cross_entropy(net(inputs), targets).backward()
    optimiser.step()


def measured(plan, shape, rounds: int) -> dict[str, object]:
    net = build_network(plan, shape=shape, outputs=10, initialisation=Initialisation(), seed=0, name="watching")
    optimiser = build_optimiser(net, Sgd(), 0.01)
    inputs, targets = torch.randn(BATCH, *shape), torch.randint(10, (BATCH,))
    watcher = Watcher(net, name="watching", planned=STEPS, tell=lambda look: None, classes=10)
    for _ in range(5):
        one_step(net, optimiser, inputs, targets)
    plain, looked = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        one_step(net, optimiser, inputs, targets)
        middle = time.perf_counter()
        with watcher.step(0, targets):
            one_step(net, optimiser, inputs, targets)
        plain.append(1000 * (middle - began))
        looked.append(1000 * (time.perf_counter() - middle))
    extra = [100 * (late / soon - 1) for soon, late in zip(plain, looked, strict=True)]
    share = sum(watcher.due(step) for step in range(STEPS)) / STEPS
    return {
        "plain_ms_a_step": summary(plain),
        "looked_ms_a_step": summary(looked),
        "extra_percent_of_a_step_for_a_look": summary(extra),
        "share_of_steps_that_are_looked_at": share,
        "extra_percent_of_training": share * summary(extra)["median"],
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    write(
        "watching",
        f"a training step with and without a look inside, in turn; shares over a rung of {STEPS:,} steps",
        {name: measured(plan, shape, rounds) for name, (plan, shape) in CASES.items()},
    )


if __name__ == "__main__":
    main()
