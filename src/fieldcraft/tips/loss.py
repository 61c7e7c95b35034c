"""Loss: the network gives out what the loss takes, logits or probabilities, and nothing is squashed twice.

Helps: whenever a network and a loss were written apart from each other.
Hurts: never; probabilities for people are made when predicting.
Cost: none.
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", MIT Press, section 6.2.2.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import softmax_before_loss

TIP = Tip(
    name="loss",
    module=sys.modules[__name__],
    checks=(softmax_before_loss.RULE,),
)
