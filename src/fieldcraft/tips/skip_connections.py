"""Skip connections: bring the encoder's fine maps to the decoder.

Helps: segmentation and other dense answers keep borders that a bottleneck would blur.
Hurts: autoencoders, whose bottleneck is what they are for.
Cost: the fine maps stay in memory until the decoder reads them; the first convolution after each sees more channels.
Source: Ronneberger et al. 2015, arXiv:1505.04597; Drozdzal et al. 2016, arXiv:1608.04117.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import no_skip_to_decoder

TIP = Tip(name="skip-connections", module=sys.modules[__name__], checks=(no_skip_to_decoder.RULE,))
