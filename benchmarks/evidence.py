"""The first evidence: which tips pay on usual image sets and tables, MINUTES of proof for each set.

Verdicts go into the store that comes with the package. What was begun goes on and what is done is passed over, so the
script can be stopped at any moment; more MINUTES let the proofs go on, also on more cores: workers have a thread each.
Proofs stay below build/evidence.
Usage: python benchmarks/evidence.py [MINUTES [SET ...]]
"""

import json
import os
import sys
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import fieldcraft as fc
from fieldcraft.data.dataset import ImageArray
from fieldcraft.errors import Stopped
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.proof.document import read_proof
from fieldcraft.proof.evidence import ours
from fieldcraft.records.files import write_whole
from fieldcraft.records.proof import Proof
from result import write
from small_sets import source

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(ROOT.parent / "shared" / "data")))
PROOFS = ROOT / "build" / "evidence"
DONE = "done.json"
MNIST_SAMPLES = 10_000
DOMAINS = ("amazon", "caltech10", "dslr", "webcam")
UCI = ("concrete", "energy", "kin8nm")


@dataclass(frozen=True)
class Case:
    """A data set, as it is known in public."""

    name: str
    data: Callable[[Path], object]
    """From a folder for what has to be laid out on disk."""
    note: str = ""


def mnist(folder: Path) -> object:
    """Every sixth of the official training images."""
    found = fc.open_data("mnist")
    assert isinstance(found.inputs, ImageArray)
    assert found.given is not None
    rows = np.flatnonzero(found.given == "train")[:: 60_000 // MNIST_SAMPLES]
    return found.inputs.pixels[rows], found.targets.values[rows]


def office_caltech(folder: Path) -> object:
    """The images of all four domains, class by class; nothing is copied."""
    images = DATA / "office_caltech" / "images"
    for domain in DOMAINS:
        for path in sorted((images / domain).rglob("*")):
            if path.is_file():
                link = folder / "office-caltech" / path.parent.name / f"{domain}_{path.name}"
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(path)
    return folder / "office-caltech"


def uci(name: str) -> Callable[[Path], object]:
    def read(folder: Path) -> object:
        with tarfile.open(DATA / "uci_regression" / "uci_regression.tar.xz") as archive:
            wanted = [one for one in archive.getmembers() if one.name.startswith(f"UCI_Datasets/{name}/data/data.txt")]
            archive.extractall(folder, members=wanted, filter="data")
        return source(name, folder)

    return read


CASES = (
    Case("digits", lambda folder: "digits"),
    Case("mnist", mnist, f"{MNIST_SAMPLES:,} of the training images"),
    Case("pneumoniamnist", lambda folder: DATA / "pneumoniamnist" / "pneumoniamnist.npz"),
    Case("cifar10", lambda folder: "cifar10", "the first 10,000 training and 1,000 test images"),
    Case("usps", lambda folder: DATA / "usps" / "usps.npz"),
    Case("office-caltech", office_caltech, "four domains together"),
    Case("breast-cancer", lambda folder: "breast-cancer"),
    *(Case(name, uci(name)) for name in UCI),
)


def proved(case: Case, minutes: float) -> str:
    """Prove a set, or go on, and file it. Gives what became of it in words."""
    folder = PROOFS / case.name
    done = folder / DONE
    if done.exists() and (before := json.loads(done.read_text()))["minutes"] >= minutes:
        return str(before["said"])
    with TemporaryDirectory() as scratch:
        fc.prove(
            case.data(Path(scratch)), budget=60 * minutes, out=folder, seed=0, evidence=False,
            workers=machine_facts().cores, say=told,
        )  # fmt: skip
    try:
        kept = fc.keep_evidence(folder, name=case.name, store=ours())
        said = f"filed: {len(kept.lines)} verdicts"
    except fc.FieldcraftError as error:
        said = f"not filed: {error}"
    write_whole(done, json.dumps({"minutes": minutes, "said": said}))
    return said


def told(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def row(proof: Proof, said: str, note: str) -> dict[str, object]:
    setting = proof.setting
    return {
        "note": note,
        "said": said,
        "metric": setting.metric,
        "seconds": round(proof.seconds),
        "trial_s": dict(setting.trial_s),
        "trials": len(proof.outcomes),
        "controls": {one.kind: one.passed for one in proof.controls},
        "words": dict(Counter(one.word for one in proof.verdicts)),
        "verdicts": {one.factor: f"{one.word}: {one.because}" for one in proof.verdicts},
        "not_tested": len(proof.not_tested),
    }


def main(minutes: float = 10, *names: str) -> None:
    measured: dict[str, object] = {}
    for case in CASES:
        if names and case.name not in names:
            continue
        try:
            said = proved(case, minutes)
        except Stopped:
            raise
        except fc.FieldcraftError as error:
            told(f"{case.name}: {error}")
            measured[case.name] = {"note": case.note, "said": f"not proved: {error}"}
            continue
        measured[case.name] = row(read_proof(PROOFS / case.name / "proof.json"), said, case.note)
        told(f"{case.name}: {measured[case.name]}")
    known = fc.evidence()
    over = {f"{one.tip}, {one.kind}, {one.family}": f"{one.because}; {one.standing}" for one in known.tips}
    write("evidence", f"verdicts of {minutes:g} minutes of proof a set", {"sets": measured, "over_sets": over})


if __name__ == "__main__":
    main(*(float(minutes) for minutes in sys.argv[1:2]), *sys.argv[2:])
