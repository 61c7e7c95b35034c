"""Memory of training steps on patches: told before training, and a given plan's patch brought to what may be taken."""

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from fieldcraft.build.mask_network import Wants, wants
from fieldcraft.build.network import build_network
from fieldcraft.errors import BudgetError
from fieldcraft.plan.memory import allowed_mib, most_mib
from fieldcraft.plan.schema import Imported, Network, Plan, Rung, SmallerMicro
from fieldcraft.plan.toml import PlanFile
from fieldcraft.records.brief import Brief
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Facts
from fieldcraft.tips import patch_memory
from fieldcraft.tips.draft import draft
from fieldcraft.tips.interface import Measurement, MemoryNeed
from fieldcraft.train import memory
from fieldcraft.train.patch_memory import GRADIENTS, PatchMemory
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.rung import fitting_micro
from fieldcraft.verbs.work import Work

Measure = Callable[[tuple[Measurement, ...]], Mapping[str, Fact[float]]]


def memory_needs(questions: Sequence[MemoryNeed], samples: MaskSamples) -> dict[str, Fact[float]]:
    """MiB by key; nothing for networks that do not run without numbers."""
    answers = {}
    made: dict[Network, tuple[nn.Module, Wants]] = {}
    for one in questions:
        plan, rung = one.plan, one.plan.ladder.rungs[one.rung]
        if rung.network not in made:
            net = build_network(
                rung.network, shape=samples.shape, outputs=samples.outputs, initialisation=plan.initialisation,
                seed=plan.seed, name="measure", masks=True, read_weights=False,
            )  # fmt: skip
            made[rung.network] = net, wants(net, samples.spatial, own=isinstance(rung.network, Imported))
        net, found = made[rung.network]
        step = step_memory(net, found, samples, one.patch)
        if step is not None:
            answers[one.key] = Fact(
                value=step.total_mib(1), method="counted from shapes, in single precision", sample="one patch"
            )
    return answers


def within_memory(file: PlanFile, facts: Facts, measure: Measure, say: Callable[[str], None]) -> PlanFile:
    """A plan that was given, its patch brought to what may be taken here, with the reason."""
    drafted = draft(Brief(facts=facts), file.plan, (patch_memory.TIP,), measure=measure)
    applied = tuple(one for one in drafted.decisions if one.outcome == "applied" and one.sets)
    for one in applied:
        say(f"the patch of the plan shrinks: {one.because}")
    return PlanFile(drafted.plan, (*file.decisions, *applied))


def patches_at_once(
    rung: Rung, plan: Plan, step: memory.StepMemory, patch: tuple[int, ...], work: Work
) -> tuple[SmallerMicro, ...]:
    """The micro-batch for which the memory of the CPU suffices, decided before a rung begins, and journalled.

    `step`: what one takes on patches of this size. Raises: BudgetError when not even one patch fits.
    """
    most = most_mib(plan.execution, work.free_mib)
    if step.total_mib(1) > most:
        raise BudgetError(
            f"a training step of rung {rung.name} on one patch of {'x'.join(map(str, patch))} voxels "
            f"would take about {step.total_mib(1):,.0f} MiB, and {most:,.0f} MiB may be taken: take smaller patches "
            "(--set input.patch=...), narrower levels, or free some memory."
        )
    wanted = plan.batch.micro or plan.batch.size
    return fitting_micro(rung, wanted, step, allowed_mib(plan.execution, work.free_mib), work)


def step_memory(net: nn.Module, found: Wants, samples: MaskSamples, patch: tuple[int, ...]) -> memory.StepMemory | None:
    """What a step takes by the number of patches; None where the network does not run without numbers."""
    told = PatchMemory(net=net, channels=samples.sample.channels, context=found.context)
    try:
        kept = told.kept_mib(found.patch(patch))
    except Exception:  # whatever one's own network raises on tensors without numbers, or on so small a patch
        return None
    return memory.StepMemory(fixed_mib=told.fixed_mib, sample_mib=GRADIENTS * kept)
