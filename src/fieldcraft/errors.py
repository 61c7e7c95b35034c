"""What went wrong, for a person: what must hold, what came, what to do next.

FieldcraftError
├── DataError          the samples, their files, their labels
│   └── ReaderError    a path that no reader recognises, or that one cannot read
├── PlanError          a plan file, a field, a tip
│   └── WeightsError   pretrained weights: no such file, no checkpoint, no network that they fit, not for this data
├── BudgetError        too little time or memory for what was asked
├── RunError           a run folder: foreign, damaged, not writable
│   └── Diverged       a loss that stays no number, however small the rate
├── InspectError       a module that cannot be built, called or looked at, or a rewrite that does not fit it
├── Stopped            a person or the system asked to stop; what was done is on disk
└── MissingExtraError  a part of fieldcraft that was not installed
"""


class FieldcraftError(Exception):
    """Anything that a user can put right. Shown without a traceback; the command exits with 2."""


class DataError(FieldcraftError):
    """Something about the samples, their files or their labels."""


class ReaderError(DataError):
    """A path that no reader recognises, or that the chosen reader cannot read."""


class PlanError(FieldcraftError):
    """Something about a plan file, one of its fields, or a tip."""


class WeightsError(PlanError):
    """Pretrained weights that cannot be found or read, that fit no known network, or that do not fit the data."""


class BudgetError(FieldcraftError):
    """Less time or memory than the least that works."""


class RunError(FieldcraftError):
    """A run folder that is foreign, damaged, or cannot be written."""


class Diverged(RunError):
    """A network whose loss stays no number, however small the learning rate."""


class InspectError(FieldcraftError):
    """A module that cannot be built, called or looked at, or a rewrite that does not fit it."""


class Stopped(FieldcraftError):
    """Someone asked to stop; everything done so far is on disk. The command exits with 130."""


class MissingExtraError(FieldcraftError):
    """A part that comes with an extra which is not installed."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs `{package}`, which is not installed: pip install 'fieldcraft[{extra}]'.")
