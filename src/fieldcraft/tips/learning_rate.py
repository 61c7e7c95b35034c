"""Learning rate: measure the peak rate of one's own network, about whose inside no rule knows anything.

Three short runs on the planned network and data, their rate growing by a constant factor; the rate at which the loss
falls fastest, with its interval over the runs. It replaces the rule's rate only when the interval leaves that out.
Helps: networks whose inside is not known: one careful rate for all of them is a guess.
Hurts: the families that the rule was made for: in runs this short the loss falls fastest at a lower rate than the peak
that one-cycle can go up to, so their rate stays. The interval knows of other seeds, not of longer training.
Cost: 4 % of the budget, 30 s at most; so only with three minutes or more.
Source: Smith 2017, arXiv:1506.01186, section 3.3.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import Imported, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, RateRange, Skipped, Tip

LEAST_S = 180.0
MOST_RUNGS = 2
"""Rungs that share the time; with more each would get too few steps."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Replace the rate of one's own networks where the measurement contradicts it."""
    rungs = plan.ladder.rungs
    own = [place for place, rung in enumerate(rungs) if isinstance(rung.network, Imported)]
    if not own:
        return Skipped(because="no network of one's own: the rule knows the families of this ladder")
    if len(own) > MOST_RUNGS:
        return Skipped(because=f"{len(own)} networks of one's own would share the time for it; {MOST_RUNGS} at most do")
    budget_s = brief.budget.seconds
    if budget_s is not None and budget_s < LEAST_S:
        return Skipped(
            because=f"a budget of {budget_s:.0f} s, less than {LEAST_S:.0f} s: its time is better spent training"
        )
    questions = {place: RateRange(plan=plan, rung=place) for place in own}
    if any(brief.measured(question.key) is None for question in questions.values()):
        return Ask(measurements=tuple(questions.values()))
    changed, words = list(rungs), []
    for place, question in questions.items():
        rung = rungs[place]
        found = [brief.measured(key) for key in (question.key, question.low, question.high)]
        rate, low, high = (fact.value if fact is not None else float("inf") for fact in found)
        if not all(map(isfinite, (rate, low, high))):
            words.append(f"{rung.name}: no answer in the time")
        elif low <= rung.lr <= high:
            words.append(f"{rung.name}: {rate:.2g} ({low:.2g} to {high:.2g}) agrees with {rung.lr:g}")
        else:
            changed[place] = replace(rung, lr=float(f"{rate:.3g}"))
            words.append(f"{rung.name}: {rate:.2g} ({low:.2g} to {high:.2g}) instead of {rung.lr:g}")
    because = "range test, " + "; ".join(words)
    if tuple(changed) == rungs:
        return Skipped(because=because)
    return Applied(plan=replace(plan, ladder=replace(plan.ladder, rungs=tuple(changed))), because=because)


TIP = Tip(name="learning-rate", decide=decide, refines=("architecture", "optimiser"))
