"""Pretrained encoder: the network whose weights were given, with a fresh decoder, as the last rung of the ladder.

Its maps of each size go to the decoder, finest first. Pictures are shown standardised, as if their mean and deviation
were those of photographs, in their own size; gray ones are repeated over the channels. The encoder learns more slowly
towards its input, and its batch norms follow the new pictures: every position of a patch counts as a sample there.

Helps: few pictures that look like those of the weights.
Hurts: pictures unlike those of the weights (microscopy, X-rays), where it hardly helps; borders are drawn no finer than
the encoder's finest map. Weights that have seen the test pictures make results worthless.
Cost: the time of a rung.
Source: Iglovikov and Shvets 2018, arXiv:1801.05746; Raghu et al. 2019, arXiv:1902.07208 (where it hardly helps).
"""

from dataclasses import replace

from fieldcraft.plan.masks import EncodedUNet
from fieldcraft.plan.schema import Plan, Rung
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.layer_wise_rates import FIRST_RATE
from fieldcraft.tips.masks import INPUTS, known

NAME = "pretrained"
"""Of the rung."""
LR = 1e-3
"""Where no other network of the ladder has a rate."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Add a rung with the first of the weights that can be an encoder."""
    if not brief.weights:
        return Skipped(because="no pretrained weights were given (--weights)")
    if any(isinstance(rung.network, EncodedUNet) for rung in plan.ladder.rungs):
        return Skipped(because="the ladder has a pretrained network already")
    _, sample, _ = known(brief, plan)
    if len(sample.patch) != 2:
        return Skipped(because=f"pretrained encoders see pictures; these patches are in {len(sample.patch)}-D")
    if sample.channels not in (1, 3):
        return Skipped(because=f"pretrained encoders see 1 or 3 channels; these images have {sample.channels}")
    fit = [one for one in brief.weights if len(one.maps) > 1]
    if not fit:
        return Skipped(because="the networks of the weights have no maps of several sizes for a decoder to begin with")
    chosen, wants = fit[0], fit[0].wants
    network = EncodedUNet(
        weights=chosen.file, digest=chosen.digest, family=chosen.family, model=chosen.model, order=wants.order,
        mean=wants.mean, std=wants.std, full_scale=wants.full_scale, first_rate=FIRST_RATE,
    )  # fmt: skip
    lr = plan.ladder.rungs[-1].lr if plan.ladder.rungs else LR
    rung = Rung(name=NAME, network=network, steps=1, lr=lr)
    maps = ", ".join(f"{width} channels at 1/{reduction}" for width, reduction in chosen.maps)
    return Applied(
        plan=replace(plan, ladder=replace(plan.ladder, rungs=(*plan.ladder.rungs, rung))),
        because=f"{chosen.name} ({chosen.family} {chosen.model}, {chosen.parameters / 1e6:.2g} M weights, "
        f"{chosen.matched} tensors matched) as the encoder: {maps}",
    )


TIP = Tip(name="pretrained-encoder", decide=decide, refines=("mask-network",), inputs=INPUTS)
