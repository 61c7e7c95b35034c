"""Depthwise separable: look around in each channel alone, then mix channels at each position.

Helps: networks on processors and phones: an eighth of the multiply-adds for about one point of accuracy on ImageNet.
Hurts: on a GPU, depthwise steps wait for memory; networks that are small already lose more accuracy.
Cost: 1/channels + 1/k^2 of the dense convolution.
Source: Howard et al. 2017, arXiv:1704.04861; Chollet 2016, arXiv:1610.02357.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import depthwise_candidate

TIP = Tip(name="depthwise-separable", module=sys.modules[__name__], checks=(depthwise_candidate.RULE,))
