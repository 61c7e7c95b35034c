"""How long a trial will take: from what was seen, before that as planned."""

from collections.abc import Sequence
from math import ceil

from fieldcraft.records.proof import Outcome, Setting, Trial

SHARE = 0.9
"""Of the trials seen, so many took no longer than what is expected."""


def expected_s(setting: Setting, outcomes: Sequence[Outcome], trial: Trial) -> float | None:
    """Wall clock of a trial; None where nothing is known yet.

    The same arm at the same stage says most, then other arms at the stage, then the plan, stretched by how much other
    stages took beyond theirs. Failed trials say nothing.
    """
    seen = [one for one in outcomes if one.score is not None]
    at_stage = [one for one in seen if one.trial.stage == trial.stage]
    same_arm = [one.seconds for one in at_stage if one.trial.arm.name == trial.arm.name]
    if same_arm or at_stage:
        return _high(same_arm or [one.seconds for one in at_stage])
    planned = setting.trial_s.get(trial.stage)
    if planned is None:
        # A function trains as long at every stage.
        return _high([one.seconds for one in seen]) if seen and not setting.trial_s else None
    stretch = [one.seconds / setting.trial_s[one.trial.stage] for one in seen if one.trial.stage in setting.trial_s]
    return planned * max(1.0, _high(stretch)) if stretch else planned


def _high(values: Sequence[float]) -> float:
    return sorted(values)[ceil(SHARE * len(values)) - 1]
