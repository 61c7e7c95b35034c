"""All tips of digits in ten minutes of proof: how many verdicts, beside what the noise that was seen lets one expect.

Target: decided verdicts at least 80 % of what the power calculation predicts (`proof.needs.expected_decided`: the
effects and the noise of the pairs as they were seen, with as many pairs as each factor got).
Usage: python benchmarks/proof_digits.py [MINUTES | FOLDER of a proof that has ended]
"""

import statistics
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import fieldcraft as fc
from fieldcraft.proof.document import read_proof
from fieldcraft.proof.interval import spread
from fieldcraft.proof.needs import expected_decided
from fieldcraft.proof.rules import rules_of, with_resolution
from fieldcraft.records.proof import Proof
from proof_planted import said
from result import write

TARGET = 0.8


def expected(proof: Proof) -> float:
    """Verdicts that the pairs of all factors let one expect, each with its common error and in steps of a sample."""
    shared = rules_of(proof.setting, len(proof.setting.factors))
    one_sample = 1 / min(one.n for one in proof.outcomes if one.n)
    found = 0.0
    for one in proof.verdicts:
        if len(one.differences) > 1:
            seen = shared if one.overlap is None else replace(shared, overlap=one.overlap)
            rules = with_resolution(seen, one_sample, 0.0)
            effect, noise = statistics.fmean(one.differences), spread(one.differences, rules)
            found += expected_decided([effect], [noise], len(one.differences), rules)
    return found


def proved(minutes: float) -> Proof:
    with TemporaryDirectory() as folder:
        return fc.prove(
            "digits",
            budget=60 * minutes,
            out=Path(folder) / "proof",
            evidence=False,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )


def main(given: str = "10") -> None:
    proof = proved(float(given)) if given.replace(".", "").isdigit() else read_proof(Path(given) / "proof.json")
    decided = sum(one.word != "cannot tell yet" for one in proof.verdicts)
    predicted = expected(proof)
    beside = [one.seconds - one.cost.seconds for one in proof.outcomes if one.cost.seconds is not None]
    write(
        "proof_digits",
        "All tips of digits, proved",
        {
            "seconds": round(proof.seconds),
            "workers": proof.setting.workers,
            "factors": len(proof.verdicts),
            "decided": decided,
            "expected": round(predicted, 2),
            "target_share": TARGET,
            "share": round(decided / predicted, 3) if predicted else None,
            "seconds_beside_training_a_trial": {"median": statistics.median(beside), "most": max(beside)},
            **said(proof),
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:2])
