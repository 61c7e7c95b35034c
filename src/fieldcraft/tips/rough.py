"""Rough estimates before anything is measured: cost of a network, seconds for training, passes over the data.

They choose between sizes that differ by factors of two; step times are then measured, never taken from here.
"""

from itertools import pairwise

from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.schema import Cnn, ImageInput, InputPlan, Linear, Mlp, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.masks import Counted, costs

A_FIFTH = 0.2
"""Of the budget, at most: facts, measurements and baselines."""
AUDIT = 0.03
"""Of the budget, at most: the audit."""
DEEP = {"image": 0.04, "table": 0.02, "cases": 0.04}
"""Of the budget: deep facts (symmetry, geometry, topology, noise)."""
BASELINES = {"image": 0.04, "table": 0.16, "cases": 0.08}
"""Of the budget: baselines alone, which on images are there to be beaten and on tables often win."""
MEASURING = 0.06
"""Of the budget: facts and measurements."""
RESERVE_SHARE, RESERVE_S = 0.08, 4.0
"""For the start, the predictions and the report: a share of the budget, and never less than so many seconds."""
LARGE_SHARE = 0.8
"""Of the training time, about: what the largest rung gets."""
UNLIMITED_S = 600.0
"""Training time that sizes are chosen for when there is no limit."""
ENOUGH_SAMPLES = 100_000
"""Samples to be seen in training from scratch, repeats counted, before a larger network is worth its time."""
FEW_PASSES = 10
"""A network that saw the data fewer times than this says little about larger ones."""
UNLIMITED_EPOCHS = 30
"""Passes when there is no limit, unless a small set needs more."""
FLOPS_PER_CORE = {"fp32": 0.07e12, "bf16": 0.25e12}
"""Multiplications and additions a second that training reached, per core; on a 2-core x86 machine with AVX-512."""
FLOPS_GPU = 20e12
LEAST_HIDDEN = 4
"""Of the gates of squeeze-and-excitation."""
STEP_S = 0.005
"""What every step takes, however small the network."""


def training_seconds(brief: Brief, budget_s: float) -> float:
    """Seconds that remain for training, of a budget that counts everything."""
    return max(0.0, budget_s * (1 - _before(brief)) - max(RESERVE_S, RESERVE_SHARE * budget_s))


def budget_for(brief: Brief, training_s: float) -> float:
    """The budget of which so many seconds remain for training."""
    share = 1 - _before(brief)
    return max((training_s + RESERVE_S) / share, training_s / (share - RESERVE_SHARE))


def _before(brief: Brief) -> float:
    """Share of a budget that is spent before training."""
    kind = brief.data.inputs.kind
    return min(A_FIFTH, AUDIT + MEASURING + DEEP[kind] + BASELINES[kind])


def enough_epochs(train: int) -> int:
    """Passes over so many training samples that a network needs before it is worth being larger: 6 to 60."""
    return max(6, min(60, round(ENOUGH_SAMPLES / max(train, 1))))


def likely_epochs(brief: Brief) -> int:
    """Passes to expect: a fixed number without a budget, else what the width was chosen for."""
    wanted = enough_epochs(brief.data.train)
    return max(UNLIMITED_EPOCHS, wanted) if brief.budget.seconds is None else wanted


def assumed_flops(brief: Brief) -> float:
    """Operations a second that training is assumed to reach on this machine."""
    if brief.machine.gpu is not None:
        return FLOPS_GPU
    return FLOPS_PER_CORE["bf16" if brief.machine.bf16 else "fp32"] * min(brief.machine.cores, 16)


def affordable_macs(brief: Brief) -> float:
    """Multiply-adds a sample that leave time for enough epochs (forward and backward: three times the forward)."""
    budget_s = brief.budget.seconds
    seconds = LARGE_SHARE * (UNLIMITED_S if budget_s is None else training_seconds(brief, budget_s))
    samples_seen = max(brief.data.train, 1) * enough_epochs(brief.data.train)
    return seconds * assumed_flops(brief) / (2 * 3 * samples_seen)


def step_seconds(network: Network, brief: Brief, plan: Plan) -> float:
    """Seconds that one training step is assumed to take, where it could not be measured."""
    return STEP_S + 2 * 3 * macs(network, brief, plan.input) * plan.batch.size / assumed_flops(brief)


def macs(network: Network, brief: Brief, sample: InputPlan) -> int:
    """Multiply-adds of one sample going forward; 0 where the inside is not known: one's own network, one taken over."""
    return sum(count for count, _ in _layers(network, brief, sample))


def activations(network: Network, brief: Brief, sample: InputPlan) -> int:
    """Numbers that the linear maps give for one sample; 0 where their number is not known, as in `macs`."""
    return sum(numbers for _, numbers in _layers(network, brief, sample))


def weights(network: Network, brief: Brief, sample: InputPlan) -> int:
    """Weights of the linear maps; norms and biases apart. 0 where their number is not known, as in `macs`."""
    if isinstance(sample, PatchInput):
        return sum(count for _, _, count in _of_masks(network, sample, brief.outputs))
    if not (isinstance(network, Cnn | ResNet) and isinstance(sample, ImageInput)):
        return macs(network, brief, sample)
    count, before = 0, sample.channels
    for stage, after in enumerate(network.widths):
        repeats = network.depth if isinstance(network, Cnn) else 1 + 2 * network.depths[stage]
        count += (before + (repeats - 1) * after) * after * network.kernel**2
        before = after
    return count + before * brief.outputs


def _layers(network: Network, brief: Brief, sample: InputPlan) -> list[tuple[int, int]]:
    """(multiply-adds, numbers given) of each linear map."""
    if isinstance(network, Cnn | ResNet) and isinstance(sample, ImageInput):
        return _convolutions(network, sample, brief.outputs)
    if isinstance(sample, PatchInput):
        return [(count, numbers) for count, numbers, _ in _of_masks(network, sample, brief.outputs)]
    if isinstance(network, Mlp | Linear):
        hidden = network.widths if isinstance(network, Mlp) else ()
        sizes = (_numbers(brief, sample), *hidden, brief.outputs)
        return [(before * after, after) for before, after in pairwise(sizes)]
    return []


def _of_masks(network: Network, sample: PatchInput, classes: int) -> tuple[tuple[int, int, int], ...]:
    return costs(network, sample, classes) if isinstance(network, Counted) else ()


def _numbers(brief: Brief, sample: InputPlan) -> int:
    if isinstance(sample, ImageInput):
        return sample.height * sample.width * sample.channels
    return brief.table.width if brief.table else 1


def _convolutions(network: Cnn | ResNet, sample: ImageInput, outputs: int) -> list[tuple[int, int]]:
    lost_px = 0 if network.padding == "same" else network.kernel - 1
    pools = network.downsample == "max-pool"
    height, width, channels = sample.height, sample.width, sample.channels
    layers: list[tuple[int, int]] = []
    for stage, given in enumerate(network.widths):
        repeats = network.depth if isinstance(network, Cnn) else 1 + 2 * network.depths[stage]
        for repeat in range(repeats):
            halves = stage > 0 and repeat == 0
            height, width = max(1, height - lost_px), max(1, width - lost_px)
            if halves and not pools:
                height, width = max(1, height // 2), max(1, width // 2)
            layers += _convolution(network, channels, given, height * width, first=not layers)
            channels = given
            if halves and pools:
                height, width = max(1, height // 2), max(1, width // 2)
        if isinstance(network, ResNet) and network.squeeze_excitation:
            hidden = max(LEAST_HIDDEN, given // network.squeeze_excitation)
            layers += [(given * hidden, hidden), (hidden * given, given)] * network.depths[stage]
    positions = {"flatten": height * width, "pyramid": sum(level**2 for level in network.levels)}
    return [*layers, (channels * positions.get(network.head, 1) * outputs, outputs)]


def _convolution(
    network: Cnn | ResNet, channels: int, given: int, positions: int, *, first: bool
) -> list[tuple[int, int]]:
    area = network.kernel**2
    if not network.separable or first or area == 1:
        return [(positions * channels * given * area, positions * given)]
    return [(positions * channels * area, positions * channels), (positions * channels * given, positions * given)]
