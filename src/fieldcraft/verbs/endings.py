"""What every kind of run says at its end: who was compared with whom, why the ladder stopped, what was decided."""

from fieldcraft.report.metrics import spoken
from fieldcraft.train.journal import BackedOff, Climbed, Cooled, EarlyStop, Noted, RateCut, Retimed, SmallerMicro
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.contest import Judging
from fieldcraft.verbs.ensemble import firsts
from fieldcraft.verbs.verdict import Between
from fieldcraft.verbs.work import Work


def passed_over(judged: list[Judged], winner: Judged, judge: Judging) -> tuple[str, ...]:
    """Why a candidate with a better metric than the winner's is not returned; nothing when there is none."""
    sign = 1 if judge.higher_is_better else -1
    top = max(judged, key=lambda one: sign * one.candidate.validation)
    if sign * top.candidate.validation <= sign * winner.candidate.validation:
        return ()
    name, value = top.candidate.name, top.candidate.validation
    words = judge.compare(top.outputs, winner.outputs).words
    over_folds = [one.candidate.name for one in judged if judge.is_worse_over_folds(top, one)]
    if over_folds:
        words += f", but cross-validated on the training part it is worse than {over_folds[0]}"
    return (f"{name} reached {spoken(judge.metric)} {value:.4g}, yet {winner.candidate.name} is returned: {words}",)


def between(judged: list[Judged], winner: Judged, judge: Judging) -> Between | None:
    """The winner against the best of the other kind, an average against the best alone (repetitions of networks apart,
    of which one is always lucky); None when there is no other.
    """
    if winner.candidate.kind == "ensemble":
        alone = judge.best(firsts([one for one in judged if one is not winner]))
        return Between(winner.candidate, alone.candidate, judge.compare(winner.outputs, alone.outputs))
    others = [one for one in judged if one.candidate.kind != winner.candidate.kind]
    if not others:
        return None
    other = judge.best(others)
    net, plain = (winner, other) if winner.candidate.kind == "rung" else (other, winner)
    return Between(net.candidate, plain.candidate, judge.compare(net.outputs, plain.outputs))


def climbed(work: Work) -> tuple[str, ...]:
    """Why the ladder was climbed, rung by rung, and where it stopped."""
    return tuple(f"{event.rung}: {event.because}" for event in work.journal.read() if isinstance(event, Climbed))


def noted(work: Work) -> tuple[str, ...]:
    """Decisions that were journalled, in sentences."""
    notes = []
    for event in work.journal.read():
        match event:
            case Noted():
                notes.append(event.text)
            case Cooled() | Retimed() | SmallerMicro() | RateCut() | EarlyStop():
                notes.append(f"{event.rung}: {event.because}")
            case BackedOff():
                shown = ", ".join(event.samples[:5]) + (" ..." if len(event.samples) > 5 else "")
                notes.append(
                    f"{event.rung}, step {event.step}: {event.because}; went back to step {event.back_to} with "
                    f"{event.lr_scale:g} of the rate. Samples of that step: {shown}"
                )
            case _:
                pass
    return tuple(dict.fromkeys(notes))  # a run that goes on backs off again, in the same way
