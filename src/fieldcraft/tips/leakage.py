"""Leakage: no input may hold the answer.

Helps: a model that reads the answer off one column is worth nothing where that column is not there yet.
Hurts: nothing; a column that is truly known in time may stay.
Cost: one table a column, on a few thousand samples.
Source: Kaufman et al. 2012, "Leakage in data mining", ACM TKDD 6(4).
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.watches import leaking_input

TIP = Tip(name="leakage", module=sys.modules[__name__], watches=(leaking_input.WATCH,))
