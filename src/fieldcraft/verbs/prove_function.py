"""Prove which switches of one's own training function paid."""

import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

from fieldcraft.errors import BudgetError, PlanError
from fieldcraft.proof.conduct import InMemory, Journal, Progress, conduct
from fieldcraft.proof.document import write_proof
from fieldcraft.proof.engine import Engine, Inline
from fieldcraft.proof.journal import ProofJournal
from fieldcraft.proof.looks import FIRST
from fieldcraft.proof.workers import Processes
from fieldcraft.records.proof import Outcome, Proof, Setting, Verdict
from fieldcraft.verbs.budget import seconds
from fieldcraft.verbs.function_trial import AGAIN_SHARE, FunctionTrials, Train
from fieldcraft.verbs.interrupt import listening


def prove_function(
    train: Train,
    switches: Sequence[str],
    *,
    budget: str | float = "10m",
    seed: int = 0,
    metric: str = "score",
    higher_is_better: bool = True,
    margin: float = 0.002,
    alpha: float = 0.05,
    on: Sequence[str] | None = None,
    overlap: float = 0.0,
    placebo: Train | None = None,
    poison: Train | str | None = None,
    out: str | Path | None = None,
    workers: int = 1,
    say: Callable[[str], None] = lambda text: None,
) -> Proof:
    """Say of each switch of a training function whether it pays: effect, interval, cost.

    `train(switches, seed)` gets a dict from each name in `switches` to True or False, and a seed (an int below 2^31) to
    draw everything random from; it gives the metric as a number, or a `fieldcraft.Trained` with costs. Switches that
    are on in training as it stands are named in `on` (by default all): each is left out once, the others are added
    once, with the same seeds on both sides. `margin`: what matters, in units of the metric; smaller effects are called
    none. `alpha`: chance of any wrong verdict, however long it goes on. `overlap`: where the seed also draws what is
    validated on, samples validated on over samples trained on, because such pairs share data; else 0.

    Controls. Placebo: by default training as it stands with another seed than the pair's. On average that cannot
    matter, so that it shows whether noise gets called an effect, and whether calls change what later calls give; it
    cannot show that the function reads its switches rightly. `placebo`: a function like `train` with a change that
    cannot matter. `poison`: a function like `train` that trains on spoilt labels, or the name of a further switch that
    `train` spoils them by (it is False in all other trainings); without it the proof says that this control is missing.

    `budget`: wall clock of all sittings together; training goes on until all is decided or it ends. `workers` > 1:
    trainings run side by side in processes of their own. `out`: a folder for the trials and proof.json, so that the
    same call goes on where it stopped; None keeps nothing. After Ctrl-C, the running training ends and what is known
    comes back. What the function raises is recorded with its trial. It hurts where one training takes much of the
    budget: fewer than about six pairs decide only what is obvious.
    Source: Lan and DeMets 1983 for looks at any time; Nadeau and Bengio 2003 for `overlap`.
    Raises: PlanError for a wrong argument; BudgetError below one pair; RunError when the base always fails.
    """
    setting = _setting(
        train, switches, on, poison, seed=seed, metric=metric, higher_is_better=higher_is_better, margin=margin,
        alpha=alpha, overlap=overlap, workers=workers,
    )  # fmt: skip
    budget_s = seconds(budget)
    if budget_s is None:
        raise BudgetError(
            'a proof needs a budget, such as budget="10m": by itself it might never be sure enough to end.'
        )
    folder = None if out is None else Path(out)
    trials = FunctionTrials(setting, train, placebo, poison, again_s=AGAIN_SHARE * budget_s)
    with listening() as stop, _journal(folder, setting, say) as (journal, spent_s):
        proof = conduct(
            setting,
            _engine(trials, workers, folder),
            journal,
            budget_s=budget_s,
            spent_s=spent_s,
            see=_telling(say),
            stop=stop,
            doubt=_ignores_seed,
        )
    proof = _judged(proof)
    if folder is not None:
        write_proof(folder / "proof.json", proof)
    return proof


def _setting(
    train: Train,
    switches: Sequence[str],
    on: Sequence[str] | None,
    poison: Train | str | None,
    *,
    seed: int,
    metric: str,
    higher_is_better: bool,
    margin: float,
    alpha: float,
    overlap: float,
    workers: int,
) -> Setting:
    _takes_two(train, "train")
    names = _names(switches, "switches")
    if not names:
        raise PlanError('`switches` must name at least one thing to turn off and on, such as ["augment"].')
    base = names if on is None else _names(on, "on")
    if unknown := [name for name in base if name not in names]:
        raise PlanError(f"`on` names {', '.join(unknown)}, which is none of the switches ({', '.join(names)}).")
    if isinstance(poison, str) and poison in names:
        raise PlanError(f"`poison` must name a further switch, but {poison!r} is one of those in question.")
    if poison is not None and not isinstance(poison, str):
        _takes_two(poison, "poison")
    for name, value, holds, wanted in (
        ("margin", margin, margin > 0, "above 0, in units of the metric"),
        ("alpha", alpha, 0 < alpha < 1, "between 0 and 1, such as 0.05"),
        ("overlap", overlap, overlap >= 0, "0 or more: samples validated on over samples trained on"),
        ("workers", workers, workers >= 1, "1 or more"),
    ):
        if not holds:
            raise PlanError(f"`{name}` must be {wanted}, but got {value}.")
    return Setting(
        factors=names,
        base=tuple(name for name in names if name in base),
        metric=metric,
        higher_is_better=higher_is_better,
        seed=seed,
        effect="direct",
        equal="steps",
        alpha=alpha,
        margin=margin,
        overlap=overlap,
        controls=("placebo",) if poison is None else ("placebo", "poison"),
        workers=workers,
        wanted={"the function": _digest(train)},
    )


def _names(given: Sequence[str], argument: str) -> tuple[str, ...]:
    if isinstance(given, str) or not all(isinstance(name, str) and name for name in given):
        raise PlanError(f"`{argument}` must be a list of names, such as ['augment', 'warm_up'], but got {given!r}.")
    if twice := [name for name, many in Counter(given).items() if many > 1]:
        raise PlanError(f"`{argument}` names {', '.join(twice)} twice: name each once.")
    return tuple(given)


def _takes_two(function: object, argument: str) -> None:
    if not callable(function):
        raise PlanError(f"`{argument}` must be a function {argument}(switches, seed), but got {function!r:.60}.")
    try:
        signature = inspect.signature(function)
    except ValueError:
        return  # built in, without a signature to look at
    try:
        signature.bind({}, 0)
    except TypeError as error:
        raise PlanError(
            f"`{argument}` is called as {argument}(switches, seed), but it takes {signature}: {error}. "
            "Wrap it in a function of these two."
        ) from None


def _digest(train: Train) -> str:
    """Its name and its own source; another source asks another question."""
    name = getattr(train, "__qualname__", type(train).__qualname__)
    try:
        source = inspect.getsource(train)
    except (OSError, TypeError):
        return name
    return f"{name} {blake2b(source.encode(), digest_size=8).hexdigest()}"


def _engine(trials: FunctionTrials, workers: int, folder: Path | None) -> Engine:
    if workers == 1:
        return Inline(trials)
    threads = max(1, len(os.sched_getaffinity(0)) // workers) if hasattr(os, "sched_getaffinity") else 1
    return Processes(lambda: trials, workers, threads, logs=None if folder is None else folder / "logs")


@contextmanager
def _journal(folder: Path | None, setting: Setting, say: Callable[[str], None]) -> Iterator[tuple[Journal, float]]:
    """Where outcomes are kept, and the seconds that earlier sittings spent."""
    if folder is None:
        yield InMemory(), 0.0
        return
    journal = ProofJournal(folder)
    with journal.alone():
        for sentence in journal.mend():
            say(sentence)
        journal.begin(setting)
        if before := journal.read():
            say(f"goes on from {len(before)} trials and {journal.seconds():.0f} s into the proof")
        yield journal, journal.seconds()


def _telling(say: Callable[[str], None]) -> Callable[[Progress], None]:
    """One line an outcome."""
    told: set[str] = set()

    def see(progress: Progress) -> None:
        if not progress.outcomes or progress.outcomes[-1].trial.key in told:
            return
        last = progress.outcomes[-1]
        told.add(last.trial.key)
        got = f"{last.score:.6g}" if last.score is not None else last.error
        decided = sum(one.word != "cannot tell yet" for one in progress.verdicts)
        say(
            f"{last.trial.arm.name}, pair {last.trial.pair}: {got} in {last.seconds:.3g} s; "
            f"{decided} of {len(progress.verdicts)} decided, {progress.left_s:.0f} s left"
        )

    return see


def _ignores_seed(outcomes: Sequence[Outcome]) -> str:
    """Why pairs are no repetitions: every arm gives one and the same result, whatever the seed; empty otherwise."""
    scores: dict[str, list[float]] = {}
    for one in outcomes:
        if one.trial.stage == "confirm" and one.trial.arm.kind in ("base", "toggled") and one.score is not None:
            scores.setdefault(one.trial.arm.name, []).append(one.score)
    many = len(scores.get("base", ()))
    if many < FIRST or len(scores) < 2 or any(len(set(own)) > 1 for own in scores.values()):
        return ""
    return (
        f"The function seems to ignore its seed: every arm gave one and the same result in {many} pairs. Repeating it "
        "shows nothing, so that nothing is decided; draw what is random (weights, order, split) from the seed."
    )


def _judged(proof: Proof) -> Proof:
    """With what the trials noted; where pairs are no repetitions, nothing is decided."""
    notes = tuple(dict.fromkeys(note for one in proof.outcomes for note in one.notes))
    doubt = _ignores_seed(proof.outcomes)
    verdicts = tuple(_undecided(one, doubt) for one in proof.verdicts) if doubt else proof.verdicts
    return replace(proof, verdicts=verdicts, notes=(*proof.notes, *notes))


def _undecided(verdict: Verdict, because: str) -> Verdict:
    return replace(verdict, word="cannot tell yet", because=because, pairs_needed=None, seconds_needed=None)
