"""Factorisation: linear maps in a row are worth it only where they are narrower in the middle.

Helps: two wide linear maps with nothing between them become one, or get the activation that was forgotten.
Hurts: narrow middles (low rank) save weights and are left alone.
Cost: none.
Source: Saxe, McClelland and Ganguli 2014, arXiv:1312.6120, section 1.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import linear_chain

TIP = Tip(
    name="factorisation",
    module=sys.modules[__name__],
    checks=(linear_chain.RULE,),
)
