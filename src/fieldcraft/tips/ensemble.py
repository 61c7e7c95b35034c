"""Ensemble: average several models, where one alone has had enough of the time.

A network that made its passes gains little from more of them; the same network from other starting weights errs in
other places, and the mean of both errs less. Baselines and smaller networks are there anyway: whatever is worth a share
of the average gets one, by greedy selection on validation, and the average is returned only where cross-fitting speaks
for it. Networks of masks have equal weights; there a higher mean on validation is enough.

Helps: small sets and long budgets; tables, where trees and networks err differently: on eleven of them, two minutes
each on one core, 0.5 points of accuracy or R2 on average (0.06 to 0.9), and in none of 22 pairs a loss
(benchmarks/ensemble.py).
Hurts: a prediction takes the time and the memory of all members, so a limit on predictions keeps one model alone. Of a
few dozen validation samples the weights are guesses: on 8 of 33 draws of diabetes an average is returned, and loses 3.5
points of R2 to ridge regression alone (benchmarks/families.py).
Cost: time that is left once the largest network has made most of the passes that are useful to it; of masks, up to a
tenth of the budget for the predictions of all.
Source: Lakshminarayanan et al. 2017, arXiv:1612.01474 (five networks); Caruana et al. 2004, "Ensemble selection from
libraries of models", ICML; Fort et al. 2019, arXiv:1912.02757 (why other starting weights err elsewhere).
"""

from dataclasses import replace

from fieldcraft.plan.masks import DeepMedic
from fieldcraft.plan.schema import Imported, PatchInput, Plan, Rung, TakenOver
from fieldcraft.records.brief import Brief
from fieldcraft.tips.epochs import cap
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip
from fieldcraft.tips.masks import known, steps_a_pass
from fieldcraft.tips.pace import pace_s, questions
from fieldcraft.tips.rough import training_seconds

MOST, MOST_OF_MASKS = 5, 8
"""Networks of one kind."""
MOST_PASSES = 0.6
"""Of the passes that are useful at most, as a share: what each network makes when there are several."""
MASK_STEPS, MASK_PASSES = 1_000, 75
"""Steps on patches, and passes over the voxels of the training cases, that each network makes when there are several;
twice as many at most. On 177 volumes of hippocampus, where 1,000 steps are about as many passes, more did not help:
after 1,186, 1,710, 1,789, 2,198 and 4,148 steps Dice on validation was 0.894, 0.892, 0.891, 0.891 and 0.890."""
LEAST_VALIDATION = 20
"""Samples (or groups of them) of the validation part below which no weights are chosen; masks need none."""
BESIDES = ("linear", "boosting")
"""Baselines that can be averaged with networks."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Have candidates averaged, and give time that is left to further networks like the largest one."""
    limits = plan.prediction
    if limits.limit_macs is not None or limits.limit_ms is not None:
        return Skipped(because="predictions are limited: one model answers them")
    if brief.data.validation < LEAST_VALIDATION and not isinstance(plan.input, PatchInput):
        return Skipped(because=f"{brief.data.validation} validation samples are too few to choose weights on")
    rungs = plan.ladder.rungs
    together = replace(plan, ladder=replace(plan.ladder, ensemble="if-better"))
    found = (*rungs, *(name for name in plan.ladder.baselines if _counts(name, plan)))
    few = len(found) < 2
    place = max((at for at, rung in enumerate(rungs) if not isinstance(rung.network, DeepMedic)), default=-1)
    if brief.budget.seconds is None or place < 0 or any(_is_alone(rung) for rung in rungs):
        if few:
            return Skipped(because=f"{len(found) or 'no'} candidate alone is nothing to average")
        return Applied(plan=together, because=f"{len(found)} candidates are there to be averaged")
    asked = questions(plan)
    if not all(brief.measured(question.key) for question in asked):
        return Ask(measurements=asked)
    pace = pace_s(brief, plan, place)
    before_s = sum(rung.steps * pace_s(brief, plan, at) for at, rung in enumerate(rungs) if at != place)
    there_s = training_seconds(brief, brief.budget.seconds) - before_s
    enough, masks = _enough(brief, plan), isinstance(plan.input, PatchInput)
    count = min(MOST_OF_MASKS if masks else MOST, int(there_s / (pace * enough)))
    if count < 2:
        told = f"there is time for {there_s / (pace * enough):.2g} times what {rungs[place].name} needs"
        if few:
            return Skipped(because=f"{told}, and nothing else to average it with")
        return Applied(plan=together, because=f"{len(found)} candidates are there to be averaged; {told}")
    steps = max(1, min(2 * enough if masks else rungs[place].steps, int(there_s / (count * pace))))
    return Applied(
        plan=replace(together, ladder=replace(together.ladder, rungs=_repeated(rungs, place, count, steps))),
        because=f"{there_s:.0f} s are enough for {count} networks like {rungs[place].name}, {steps:,} steps each at "
        f"{1000 * pace:.3g} ms",
    )


def _is_alone(rung: Rung) -> bool:
    """Whether nothing like a rung is added: it comes with weights of its own, or there are repetitions already."""
    return isinstance(rung.network, TakenOver | Imported) or bool(rung.copy_of)


def _counts(name: str, plan: Plan) -> bool:
    return name in BESIDES and not isinstance(plan.input, PatchInput)


def _enough(brief: Brief, plan: Plan) -> int:
    """Steps that each of several networks makes at least."""
    if isinstance(plan.input, PatchInput):
        facts, sample, _ = known(brief, plan)
        passes = steps_a_pass(facts, sample, plan.batch.size, brief.data.train)
        return max(MASK_STEPS, round(MASK_PASSES * passes))
    train = brief.data.train
    return max(1, round(MOST_PASSES * cap(train) * train / plan.batch.size))


def _repeated(rungs: tuple[Rung, ...], place: int, count: int, steps: int) -> tuple[Rung, ...]:
    """The ladder with one of its networks several times: itself, and copies at the end."""
    first = replace(rungs[place], steps=steps)
    copies = (replace(first, name=f"{first.name}-{number}", copy_of=first.name) for number in range(2, count + 1))
    return (*rungs[:place], first, *rungs[place + 1 :], *copies)


TIP = Tip(
    name="ensemble", decide=decide, refines=("architecture", "mask-network", "two-pathways", "epochs", "mask-steps")
)
