"""Choice of weights: of several pretrained networks take over the one whose frozen features explain the labels best.

The score is LogME: the largest evidence, over both precisions, of a Bayesian linear model from features to labels. It
is computed from one forward pass over some hundred training samples; nothing is trained for it.

Helps: a folder of candidates, of which one would have to be fine-tuned after the other to know.
Hurts: it knows of features as they are, not of what fine-tuning can still make of them; candidates that differ in size
more than in kind may change places.
Cost: 4 % of the budget, 30 s at most, over all candidates.
Source: You et al. 2021, arXiv:2102.11005.
"""

from dataclasses import replace
from math import isfinite

from fieldcraft.plan.schema import ImageInput, Plan, Pretrained
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip, TransferScore
from fieldcraft.tips.pretrained_rung import place_of, with_network, with_rung
from fieldcraft.tips.transfer import fitting, network_of, rate, told

SHOWN = 4
"""Scores that the reason tells."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped | Ask:
    """Score all candidates that fit the images, and take over the best."""
    place = place_of(plan)
    if place is None or not isinstance(plan.input, ImageInput):
        return Skipped(because="no network is taken over")
    fit = fitting(brief, plan.input)
    if len(fit) < 2:
        return Skipped(because="one candidate: there is nothing to choose")
    rung = plan.ladder.rungs[place]
    assert isinstance(rung.network, Pretrained)
    if all(one.digest != rung.network.digest for one in fit):
        return Skipped(because="the weights in the plan were set by hand")
    networks = {one.name: replace(network_of(one, brief, plan), tuning=rung.network.tuning) for one in fit}
    questions = {name: TransferScore(plan=with_network(plan, one), rung=place) for name, one in networks.items()}
    if any(brief.measured(question.key) is None for question in questions.values()):
        return Ask(measurements=tuple(questions.values()))
    answers = {name: fact.value for name, one in questions.items() if (fact := brief.measured(one.key))}
    scores = {name: value for name, value in answers.items() if isfinite(value)}
    if not scores:
        return Skipped(because=f"no candidate could be scored in the time: {fit[0].name}, the first, stays")
    best = max(scores, key=lambda name: scores[name])
    chosen = next(one for one in fit if one.name == best)
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    words = ", ".join(f"{name} {value:.3f}" for name, value in ranked[:SHOWN])
    words += f" and {len(ranked) - SHOWN} lower" if len(ranked) > SHOWN else ""
    changed = with_rung(plan, replace(rung, network=network_of(chosen, brief, plan), lr=rate(chosen, plan)))
    return Applied(plan=changed, because=f"LogME {words}; {told(chosen, brief, changed)}")


TIP = Tip(name="choice-of-weights", decide=decide, refines=("transfer",))
