"""Journals of made-up proofs for the tests of this folder."""

from collections.abc import Iterable, Iterator, Sequence

from fieldcraft.records.proof import Arm, ArmKind, Outcome, Setting, Stage, Trial

BASE = ("smoothing", "mixup")


def setting(**changed: object) -> Setting:
    """Three factors, two of them in the plan as it stands."""
    given: dict[str, object] = {
        "factors": ("smoothing", "mixup", "dropout"),
        "base": BASE,
        "metric": "accuracy",
        "higher_is_better": True,
        "margin": 0.002,
    }
    return Setting(**{**given, **changed})  # type: ignore[arg-type]


def arm(name: str, base: Sequence[str] = BASE) -> Arm:
    """The base, a control, or the base with one factor changed."""
    kinds: dict[str, ArmKind] = {"base": "base", "placebo": "placebo", "poison": "poison"}
    if name in kinds:
        return Arm(name=name, kind=kinds[name], on=tuple(base))
    if name in base:
        return Arm(name=f"without {name}", kind="toggled", on=tuple(one for one in base if one != name))
    return Arm(name=f"with {name}", kind="toggled", on=(*base, name))


def outcome(name: str, pair: int, score: float | None, stage: Stage = "confirm", **more: object) -> Outcome:
    """Of one trial; no score means that it diverged, unless an error is given."""
    trial = Trial(stage=stage, arm=arm(name), pair=pair)
    given: dict[str, object] = {"diverged": score is None and "error" not in more, "seconds": 2.0, **more}
    return Outcome(trial=trial, score=score, **given)  # type: ignore[arg-type]


def journal(
    base: Iterable[float | None], stage: Stage = "confirm", **changed: Iterable[float | None]
) -> Iterator[Outcome]:
    """Scores pair by pair: of the base, and of the arms that change one factor."""
    for name, scores in {"base": base, **changed}.items():
        for pair, score in enumerate(scores):
            yield outcome(name, pair, score, stage)
