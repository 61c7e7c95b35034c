"""Antialiasing: smooth a map before taking every second pixel of it.

Helps: when results must not jump as the input moves by a pixel: video, measuring, dense outputs.
Hurts: fine textures are blurred; on plain classification most nets do well without.
Cost: one small depthwise convolution for each stride.
Source: Zhang 2019, "Making convolutional networks shift-invariant again", arXiv:1904.11486.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import aliasing_max_pool

TIP = Tip(
    name="antialiasing",
    module=sys.modules[__name__],
    checks=(aliasing_max_pool.RULE,),
)
