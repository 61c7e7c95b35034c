"""What a proof says where the answer is known, or should be: planted truth, and the same plan proved twice.

Planted: mirrored images where the label is the handedness of a shape (they destroy it) and on photographs (they
should help); augmentation on 200 digits (it should help); label smoothing on 4,000 images of CIFAR-10 with clean and
with human labels of growing noise (Wei et al. 2022, arXiv:2110.12088; the fold's labels are as noisy). What comes out
is reported also where it disagrees with what was expected. Twice: all tips of digits and breast-cancer, with disjoint
seeds; verdicts may differ in "cannot tell yet", and must never go from paid to hurt.
MINUTES of proof for each line. Usage: python benchmarks/proof_planted.py [MINUTES [CASE ...]]; what was measured
earlier stays in the result.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

import fieldcraft as fc
from fieldcraft.data.dataset import ImageArray
from fieldcraft.records.proof import Proof
from result import RESULTS, write

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.fingerprint.made_up_images import ALL as MADE_UP  # noqa: E402

DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(ROOT.parent / "shared" / "data")))
NAME = "proof_planted"
MIRRORED = "input.augment.flip_horizontal=true"
NOISES = {
    "clean": "clean_label",
    "aggregate": "aggre_label",
    "random1": "random_label1",
    "worst": "worse_label",
}

Arrays = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]


@dataclass(frozen=True)
class Case:
    """A question with an answer that was expected beforehand."""

    name: str
    data: Callable[[], object]
    tips: tuple[str, ...]
    expected: str
    without: tuple[str, ...] = ()


def handedness() -> Arrays:
    """1,500 made-up shapes, labelled by their handedness."""
    made = next(one for one in MADE_UP if one.name == "chirality")
    return made.sample(1500, seed=0)


def cifar(count: int, labels: str = "clean_label") -> Arrays:
    """The first training images, with labels that humans gave."""
    data = fc.open_data("cifar10")
    assert isinstance(data.inputs, ImageArray)
    assert data.given is not None
    rows = np.flatnonzero(data.given == "train")[:count]
    found = np.load(DATA / "cifar10n" / "cifar10n_labels.npz")
    assert (found["clean_label"][:count] == data.targets.values[rows]).all(), "the labels are of other images"
    return data.inputs.pixels[rows], found[labels][:count].astype(np.int64)


def few_digits() -> Arrays:
    """200 of scikit-learn's digits."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    rows = np.random.default_rng(0).permutation(len(digits.target))[:200]
    pixels: npt.NDArray[np.uint8] = (digits.images[rows] * 15.9).astype(np.uint8)[..., None]
    return pixels, digits.target[rows].astype(np.int64)


CASES = (
    Case("mirrored shapes of a handedness", handedness, (MIRRORED,), "hurt", ("augmentation", "trivial-augment")),
    Case("mirrored photographs", lambda: cifar(2000), (MIRRORED,), "paid", ("augmentation", "trivial-augment")),
    Case("augmentation of 200 digits", few_digits, ("augmentation",), "paid"),
    *(
        Case(f"label smoothing, {noise} labels", lambda labels=labels: cifar(4000, labels), ("label-smoothing",), "")  # type: ignore[misc]
        for noise, labels in NOISES.items()
    ),
)
TWICE = ("digits", "breast-cancer")


def proved(data: object, tips: Sequence[str], without: Sequence[str], minutes: float, seed: int) -> Proof:
    with TemporaryDirectory() as folder:
        return fc.prove(
            data, tips=tips, without=without, budget=60 * minutes, seed=seed, out=Path(folder) / "proof",
            evidence=False, say=lambda text: print(" ", text, file=sys.stderr, flush=True),
        )  # fmt: skip


def said(proof: Proof) -> dict[str, object]:
    """Verdicts in short, and whether the controls passed."""
    return {
        "controls": {one.kind: one.passed for one in proof.controls},
        "trial_s": dict(proof.setting.trial_s),
        "margin": proof.setting.margin,
        "trials": len(proof.outcomes),
        "verdicts": {
            one.factor: {
                "word": one.word,
                "effect": None
                if one.effect is None
                else [round(number, 5) for number in (one.effect.value, one.effect.low, one.effect.high)],
                "pairs": len(one.differences),
                "differences": [round(number, 5) for number in one.differences],
            }
            for one in proof.verdicts
        },
    }


def flips(first: Proof, second: Proof) -> list[str]:
    """Factors that paid in one and hurt in the other."""
    words = {one.factor: one.word for one in first.verdicts}
    return [one.factor for one in second.verdicts if {one.word, words.get(one.factor)} == {"paid", "hurt"}]


def main(minutes: float = 3.0, *only: str) -> None:
    path = RESULTS / f"{NAME}.json"
    found: dict[str, object] = json.loads(path.read_text())["measured"] if path.exists() else {}
    for case in CASES:
        if not only or case.name in only:
            proof = proved(case.data(), case.tips, case.without, minutes, seed=0)
            found[case.name] = {"expected": case.expected, "minutes": minutes, **said(proof)}
            write(NAME, "What proofs say where the answer is known", found)
    for name in TWICE:
        if not only or name in only:
            first, second = (proved(name, (), (), minutes, seed=seed) for seed in (0, 1))
            found[f"{name} twice"] = {
                "minutes": minutes, "flipped": flips(first, second), "first": said(first), "second": said(second)
            }  # fmt: skip
            write(NAME, "What proofs say where the answer is known", found)


if __name__ == "__main__":
    main(*(float(one) for one in sys.argv[1:2]), *sys.argv[2:])
