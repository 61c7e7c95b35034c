"""Attention: tell tokens where they are, and do not compare too many of them.

Helps: each token can ask every other one, however far away.
Hurts: long sequences, and little data: what convolutions assume has to be learned.
Cost: multiply-adds and scores grow with the square of the number of tokens.
Source: Vaswani et al. 2017, arXiv:1706.03762; Dosovitskiy et al. 2020, arXiv:2010.11929.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import no_position, quadratic_attention

TIP = Tip(
    name="attention",
    module=sys.modules[__name__],
    checks=(quadratic_attention.RULE, no_position.RULE),
)
