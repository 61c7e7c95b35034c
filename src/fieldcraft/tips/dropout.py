"""Dropout: in moderation, before the last linear map, where the weights outnumber what the samples can settle.

Helps: large networks that see few samples many times, without augmentation to make them new each time.
Hurts: short training, which does not fit the samples as it is; in front of batch norm, whose statistics it spoils; and
beside augmentation and weight decay there is little left for it to do. With any augmentation it stays off, as no gain
was measured: `fieldcraft doctor` says when the gap between training and validation asks for it.
Cost: no measurable time; some more steps to the same loss.
Source: Srivastava et al. 2014, JMLR 15; Li et al. 2019, arXiv:1801.05134 (batch norm).
"""

from dataclasses import replace

from fieldcraft.plan.schema import Augment, Cnn, ImageInput, Network, Plan, ResNet
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Skipped, Tip
from fieldcraft.tips.rough import likely_epochs, weights
from fieldcraft.tips.rungs import with_networks

SHARE = 0.1
WEIGHTS_A_SAMPLE, EPOCHS = 100, 60
"""Both have to be reached."""


def decide(brief: Brief, plan: Plan) -> Applied | Skipped:
    """Drop a tenth of the pooled features of large networks that see the same few samples very often."""
    networks = [rung.network for rung in plan.ladder.rungs if isinstance(rung.network, Cnn | ResNet)]
    if not networks:
        return Skipped(because="no convolutions: fully connected networks have batch norm behind each place for it")
    train, epochs = max(1, brief.data.train), likely_epochs(brief)
    most = max(weights(network, brief, plan.input) for network in networks) / train
    facts = f"{most:.3g} weights a sample, about {epochs} passes"
    if isinstance(plan.input, ImageInput) and plan.input.augment != Augment():
        return Skipped(because=f"{facts}, and augmentation makes each pass a new one")
    if most < WEIGHTS_A_SAMPLE or epochs < EPOCHS:
        return Skipped(because=f"{facts}: it would take {WEIGHTS_A_SAMPLE} and {EPOCHS} for it to pay")

    def dropped(network: Network) -> Network:
        large = isinstance(network, Cnn | ResNet) and weights(network, brief, plan.input) >= WEIGHTS_A_SAMPLE * train
        return replace(network, dropout=SHARE) if isinstance(network, Cnn | ResNet) and large else network

    return Applied(plan=with_networks(plan, dropped), because=f"{facts} of the same images: a share of {SHARE:g}")


TIP = Tip(name="dropout", decide=decide, refines=("architecture", "residual-connections"))
