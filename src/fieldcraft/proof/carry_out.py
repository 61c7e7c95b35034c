"""Carries out one trial so that whatever goes wrong in it is an outcome, never an exception."""

import math
import time
import traceback
from dataclasses import replace

from fieldcraft.proof.engine import Run
from fieldcraft.records.proof import Outcome, Trial


def carry_out(run: Run, trial: Trial) -> Outcome:
    """The outcome of a trial; an exception, an exit and a score that is no number are told in words.

    The traceback of an exception goes to stderr.
    """
    began = time.perf_counter()
    try:
        outcome: object = run(trial)
    except SystemExit as stop:
        return failed(trial, f"it called sys.exit({stop.code!r})", time.perf_counter() - began)
    except Exception as error:
        traceback.print_exc()
        return failed(trial, in_words(error), time.perf_counter() - began)
    if not isinstance(outcome, Outcome):
        told = f"it returned {type(outcome).__name__}, an Outcome was expected"
        return failed(trial, told, time.perf_counter() - began)
    if outcome.score is not None and not math.isfinite(outcome.score):
        return replace(outcome, score=None, diverged=True, error=f"the metric is {outcome.score}")
    return outcome


def failed(trial: Trial, error: str, seconds: float) -> Outcome:
    """An outcome without a score."""
    return Outcome(trial=trial, score=None, error=error, seconds=seconds)


def in_words(error: BaseException) -> str:
    """Kind and first line of an exception."""
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
