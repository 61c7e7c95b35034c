"""Linear probe: fit the head of a network that was taken over to its frozen features, before the first step.

The features of some training samples are computed once and a penalised linear map is fitted to them to the end, with
the penalty that validation likes best. Fine-tuning then starts from there instead of from a random head.

Helps: nearly always: a random head would take many passes through the body for what this finds from one.
Hurts: never for long; it costs time where the features say nothing about the labels.
Cost: one forward pass over the samples, bounded by a tenth of the training time.
Source: Kumar et al. 2022, arXiv:2202.10054 (first the probe, then fine-tuning).
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip
from fieldcraft.tips.pretrained_rung import place_of, tuning_of, with_tuning
from fieldcraft.tips.rough import training_seconds

MOST = 2_000
LEAST = 16
"""Training samples that the head is fitted to; as many again of the validation part choose the penalty."""
SHARE = 0.1
"""Of the training time."""
FORWARD = 0.4
"""Of the time of a whole step, at the most: what its forward pass takes."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Choose how many samples the head is fitted to."""
    place, tuning = place_of(plan), tuning_of(plan)
    if place is None or tuning is None:
        return Skipped(because="no network is taken over")
    train, budget_s = brief.data.train, brief.budget.seconds
    many = min(MOST, train)
    because = f"the head starts from a fit to {many:,} of {train:,} training samples"
    if budget_s is not None:
        question = StepTime(plan=plan, rung=place)
        answer = brief.measured(question.key)
        if answer is None:
            return Ask(measurements=(question,))
        if not isfinite(answer.value):
            return Skipped(because="the time of a step could not be measured: the head starts from a fit as it is")
        each_s = FORWARD * answer.value / 1000 / plan.batch.size
        limit_s = SHARE * training_seconds(brief, budget_s)
        many = min(many, int(limit_s / each_s / 2))  # half of them are for the penalty
        if many < LEAST:
            many, because = 0, f"{limit_s:.1f} s allow fewer than {LEAST} samples at {1000 * each_s:.3g} ms each"
        else:
            because = (
                f"the head starts from a fit to {many:,} of {train:,} training samples, {1000 * each_s:.3g} ms each"
            )
    return Applied(plan=with_tuning(plan, replace(tuning, probe=many)), because=because)


TIP = Tip(name="linear-probe", decide=decide, refines=("transfer", "choice-of-weights"))
