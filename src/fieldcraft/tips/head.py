"""Head: pool over the positions before the linear layer.

Helps: far fewer weights, any input size, and an answer that does not depend on where the object is.
Hurts: answers that are places (key points, board positions).
Cost: none; it saves the weights of all positions but one.
Source: Lin et al. 2013, arXiv:1312.4400; He et al. 2014, arXiv:1406.4729.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import fixed_input_size, heavy_head

TIP = Tip(name="head", module=sys.modules[__name__], checks=(heavy_head.RULE, fixed_input_size.RULE))
