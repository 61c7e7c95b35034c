"""Networks that are taken over, on real samples: what their weights are worth here, and where their head starts."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fieldcraft.build.network import build_network
from fieldcraft.build.pretrained.take_over import Pixels
from fieldcraft.data.loader import Batches
from fieldcraft.data.order import Rows
from fieldcraft.errors import WeightsError
from fieldcraft.fingerprint.logme import logme
from fieldcraft.nn.linear_probe import linear_probe
from fieldcraft.nn.networks.transferred import Transferred
from fieldcraft.plan.schema import Network, Plan, Pretrained
from fieldcraft.records.fact import Fact
from fieldcraft.tips.interface import TransferScore
from fieldcraft.train.engine import Engine, engine
from fieldcraft.verbs.samples import Samples

AT_ONCE = 32
SCORED = 1_000
"""Training samples that a score is taken from, at the most."""
LEAST_SCORED = 20


def pixels_of(samples: Samples, network: Network) -> Pixels | None:
    """How images come in, for networks that are taken over; None for others."""
    if not isinstance(network, Pretrained) or samples.pixels is None:
        return None
    return Pixels(mean=samples.mean, std=samples.std, full_scale=samples.full_scale)


def fit_head(
    net: nn.Module, plan: Plan, network: Network, samples: Samples, batches: Batches, machine: Engine,
    loss: Callable[[Tensor, Tensor], Tensor],
) -> str:  # fmt: skip
    """Fit the head to the frozen features of training samples, as the plan says; what was done, or nothing.

    Evenly spread samples of the training part; as many of the validation part choose the penalty.
    """
    if not isinstance(network, Pretrained) or not isinstance(net, Transferred) or not network.tuning.probe:
        return ""
    known, held = (spread(samples.parts.rows(part), network.tuning.probe) for part in ("train", "validation"))
    found = linear_probe(
        *_features(net, replace(batches, rows=known), machine), _features(net, replace(batches, rows=held), machine),
        loss, samples.outputs,
    )  # fmt: skip
    net.start_from(found)
    return f"the head was fitted to the features of {len(known):,} samples, penalty {found.penalty:g}"


def transfer_score(question: TransferScore, samples: Samples, limit_s: float) -> dict[str, Fact[float]]:
    """LogME of one candidate by its key; nothing when the time did not allow enough samples."""
    plan, rung = question.plan, question.plan.ladder.rungs[question.rung]
    machine = engine(plan.execution)
    net = machine.place(
        build_network(
            rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
            seed=plan.seed, name=rung.name, pixels=pixels_of(samples, rung.network),
        )
    )  # fmt: skip
    assert isinstance(net, Transferred)
    rows = spread(samples.parts.train, SCORED)
    rows = rows[np.random.default_rng(plan.seed).permutation(len(rows))]
    batches = samples.batches("train", plan, machine.device, name="score", augment=False)
    began, seen, features = time.monotonic(), 0, []
    for batch in replace(batches, rows=rows).evaluation_batches(AT_ONCE):
        features.append(_told(net, batch.inputs, machine))
        seen += len(batch.rows)
        if time.monotonic() - began > limit_s:
            break
    if seen < min(LEAST_SCORED, len(rows)):
        return {}
    score = logme(torch.cat(features).double().cpu().numpy(), _columns(samples, rows[:seen]))
    told = f"{seen:,} training samples, {net.head.in_features} features"
    return {question.key: Fact(value=score, method="LogME of frozen features, in nats a sample", sample=told)}


def spread(rows: Rows, most: int) -> Rows:
    """At most so many of the rows, evenly spread."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def _features(net: Transferred, batches: Batches, machine: Engine) -> tuple[Tensor, Tensor]:
    parts = [(_told(net, batch.inputs, machine), batch.targets) for batch in batches.evaluation_batches(AT_ONCE)]
    return torch.cat([one for one, _ in parts]), torch.cat([targets for _, targets in parts])


@torch.no_grad()
def _told(net: Transferred, inputs: Tensor, machine: Engine) -> Tensor:
    training = net.training
    net.eval()
    try:
        with machine.precision():
            return net.features(inputs).float()
    finally:
        net.train(training)


def _columns(samples: Samples, rows: Rows) -> npt.NDArray[np.float64]:
    """Targets as numbers: classes one-hot, regression in deviations of the training part."""
    values = samples.dataset.targets.values[rows]
    match samples.dataset.targets.task:
        case "single-label":
            return np.eye(samples.outputs, dtype=np.float64)[values.astype(np.int64)]
        case "multi-label":
            return values.astype(np.float64)
        case "regression":
            numbers: npt.NDArray[np.float64] = values.astype(np.float64).reshape(len(rows), -1)
            numbers -= np.array(samples.target_mean)
            numbers /= np.array(samples.target_std)
            return numbers
        case "segmentation":
            raise WeightsError("networks that are taken over give one answer an image, and masks need one a pixel.")
