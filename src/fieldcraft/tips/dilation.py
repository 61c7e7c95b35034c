"""Dilation: rates that see every pixel and stay within the map.

Helps: a larger field at full resolution, without more weights.
Hurts: rates with a common factor leave a grid unseen; rates as large as the map meet only padding.
Cost: that of an undilated convolution on a map which is not downsampled.
Source: Yu and Koltun 2015, arXiv:1511.07122; Wang et al. 2018, arXiv:1702.08502; Chen et al. 2017, arXiv:1706.05587.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import dilation_wider_than_map, gridding

TIP = Tip(
    name="dilation",
    module=sys.modules[__name__],
    checks=(gridding.RULE, dilation_wider_than_map.RULE),
)
