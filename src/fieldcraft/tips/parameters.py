"""Parameters: each is read, stands where it is meant to, and is no more precise than training needs.

Helps: memory, the optimiser and training on several devices, which waits for the gradient of every parameter.
Hurts: where weights are shared or double on purpose; those findings may be ignored.
Cost: none.
Source: Li et al. 2020, "PyTorch distributed", arXiv:2006.15704; Micikevicius et al. 2018, arXiv:1710.03740.
"""

import sys

from fieldcraft.tips.interface import Tip
from fieldcraft.tips.rules import double_precision, shared_parameters, unused_parameters

TIP = Tip(
    name="parameters",
    module=sys.modules[__name__],
    checks=(
        double_precision.RULE,
        shared_parameters.RULE,
        unused_parameters.RULE,
    ),
)
