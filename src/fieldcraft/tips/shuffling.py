"""Shuffling: each batch is a random draw, anew each epoch.

Helps: steps then point the same way on average, and batch norm sees the mixture that it will be used on.
Hurts: nothing, but where batches are composed on purpose: pairs, episodes, slices of one volume.
Cost: a permutation an epoch.
Source: Bottou 2012, "Stochastic gradient descent tricks"; Bengio 2012, arXiv:1206.5533.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.watches import unshuffled_batches

TIP = Tip(name="shuffling", module=sys.modules[__name__], watches=(unshuffled_batches.WATCH,))
