"""Upsampling: every output pixel is the sum of the same number of products.

Helps: decoders and generators, whose results are images that people look at.
Hurts: a larger kernel or a resize before the convolution computes more.
Cost: 4x4 instead of 3x3 takes 1.8 times the multiply-adds of that layer.
Source: Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts", Distill, doi:10.23915/distill.00003.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import checkerboard

TIP = Tip(
    name="upsampling",
    module=sys.modules[__name__],
    checks=(checkerboard.RULE,),
)
