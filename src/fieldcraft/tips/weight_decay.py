"""Weight decay: pull weights towards zero, but leave norms and biases alone.

Helps: keeps weights small, which matters more the fewer samples there are; behind a norm it sets the effective rate.
Hurts: on norms and biases it only shifts signals that are few and carry no capacity.
Cost: none.
Source: Krogh and Hertz 1991, NeurIPS 4; Loshchilov and Hutter 2019, arXiv:1711.05101;
He et al. 2019, arXiv:1812.01187, section 3.1 (no decay on norms and biases).
"""

from dataclasses import replace

from fieldcraft.plan.schema import AdamW, Plan
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip

SGD_DECAY, ADAMW_DECAY = 5e-4, 0.05
"""Each in its optimiser's own convention; they are of the same order once AdamW's is multiplied by its rate.

RMSProp's convention is that of SGD.
"""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Decay weights of linear maps and convolutions."""
    if not plan.ladder.rungs:
        return Skipped(because="the ladder has no networks")
    decay = ADAMW_DECAY if isinstance(plan.optimiser, AdamW) else SGD_DECAY
    optimiser = replace(plan.optimiser, weight_decay=decay, decay_norms_and_biases=False)
    name = {"sgd": "SGD", "adamw": "AdamW", "rmsprop": "RMSProp"}[plan.optimiser.kind]
    return Applied(
        plan=replace(plan, optimiser=optimiser),
        because=f"{brief.data.train:,} training samples and {name}: {decay:g} on weights, none on norms and biases",
    )


TIP = Tip(name="weight-decay", decide=decide, refines=("optimiser",))
