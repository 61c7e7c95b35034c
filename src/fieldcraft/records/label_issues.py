"""Labels that are probably wrong: the content of `label-issues.json`."""

from pydantic.dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A sample whose label is probably wrong."""

    id: str
    given: str
    """The class that it is labelled with."""
    suggested: str
    """The most probable class by networks that did not learn from this sample."""
    score: float
    """Probability of the given class by the same; the lower, the more suspect."""


@dataclass(frozen=True, kw_only=True)
class LabelIssues:
    """A ranked list, and how it was found."""

    suspects: tuple[Suspect, ...]
    """The most suspect first."""
    looked: int
    """Samples of the training and validation parts."""
    folds: int
    trained: str
    """What was trained in each fold."""
    agreement: float
    """Share of the samples whose given class is the most probable one."""
    seconds: float
