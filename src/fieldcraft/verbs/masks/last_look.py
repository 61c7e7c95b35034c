"""The last look of a proof of masks: the plan against what was kept of it, case by case, on the test part."""

from collections.abc import Callable

import numpy as np

from fieldcraft.errors import FieldcraftError
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.by_class import LESS_IS_BETTER, value_of
from fieldcraft.records.facts import Facts
from fieldcraft.records.masks import MaskMetric
from fieldcraft.records.proof import Between, FinalLook
from fieldcraft.verbs.judge import Outputs
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.masks.fold_score import of_numbers, scored
from fieldcraft.verbs.masks.judge import difference, units
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.masks.trial import train_alone
from fieldcraft.verbs.proven import DIVERGED_PLAN, LOOKED_FOR, NORMAL_95


def last_mask_look(
    planned: Plan,
    proven: Plan,
    samples: Callable[[Plan], MaskSamples],
    facts: Facts,
    planned_s: float,
    metric: MaskMetric,
    ledger: Ledger,
    command: tuple[str, ...] = (),
) -> FinalLook:
    """Train both plans once on the training part and compare their masks of the test part, case by case.

    A positive difference: the proven plan is better. The interval is that of the test cases (groups whole; slices,
    where all are of one volume); what another seed would do is not in it. The look is in the ledger before it is taken.
    A class that is rightly not there is as good as can be in all three figures, so that the difference is theirs.
    Raises: FieldcraftError when one of them does not train.
    """
    trained = [(plan, train_alone(plan, samples(plan), facts, planned_s).trained) for plan in (planned, proven)]
    if not all(of_numbers(network) for _, network in trained):
        raise FieldcraftError(DIVERGED_PLAN)
    number = ledger.look(LOOKED_FOR, command)
    less = metric in LESS_IS_BETTER
    found: list[Outputs] = []
    for plan, network in trained:
        own = samples(plan)
        said = scored(plan, own, network, metric, own.parts.test)
        if said is None:
            raise FieldcraftError(DIVERGED_PLAN)
        found.append(np.where(np.isnan(said.table), 0.0 if less else 1.0, said.table))
    own = samples(planned)
    unit = units(own, own.parts.test)
    gain, error = difference(found[1], found[0], unit)
    gain = -gain if less else gain
    return FinalLook(
        look=number,
        planned=value_of(found[0]),
        kept=value_of(found[1]),
        difference=Between(value=gain, low=gain - NORMAL_95 * error, high=gain + NORMAL_95 * error, pairs=1),
        n=len(set(unit.tolist())),
    )
