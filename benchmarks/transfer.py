"""Office images with few samples a class: SqueezeNet taken over from ImageNet, against everything else that fits in.

For each domain and draw, 20 images a class (8 of dslr) are for learning and all others are the test part. Both arms are
whole fits with the same seconds, the same images and the same seed; one is given the weights, the other is not (it
still has its baselines and the networks that learn from nothing). Differences of accuracy on the test part are paired
by draw.
Usage: python benchmarks/transfer.py DRAWS SECONDS [DOMAIN...] (10 draws of 300 s in all four domains take 7 hours)
"""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import fieldcraft as fc
from result import summary, write

DOMAINS = ("amazon", "caltech10", "dslr", "webcam")
EACH = {"dslr": 8}
MANY = 20
"""Images a class for learning."""


def drawn(domain: Path, folder: Path, draw: int) -> Path:
    """A folder with the parts of one draw, as links."""
    rng = np.random.default_rng(draw)
    for kind in sorted(domain.iterdir()):
        files = sorted(kind.iterdir())
        order = rng.permutation(len(files))
        for place, row in enumerate(order):
            part = "train" if place < EACH.get(domain.name, MANY) else "test"
            at = folder / part / kind.name / files[row].name
            at.parent.mkdir(parents=True, exist_ok=True)
            at.symlink_to(files[row])
    return folder


def accuracies(source: Path, weights: Path | None, seconds: float, draw: int, out: Path) -> dict[str, object]:
    """The winner on the test part, and all candidates on validation."""
    run = fc.fit(source, budget=seconds, out=out, seed=draw, weights=weights, evidence=False)
    assert run.results.test is not None
    test = run.results.test.metrics["accuracy"]
    return {
        "accuracy": round(100 * test.value, 2),
        "test_images": test.n,
        "winner": run.results.winner,
        "validation": {one.name: round(100 * one.validation, 2) for one in run.results.candidates},
    }


def compared(domain: Path, weights: Path, draw: int, seconds: float) -> dict[str, object]:
    with TemporaryDirectory() as scratch:
        source = drawn(domain, Path(scratch) / "images", draw)
        arms = {
            name: accuracies(source, given, seconds, draw, Path(scratch) / name)
            for name, given in (("transferred", weights), ("scratch", None))
        }
    print(domain.name, draw, arms, file=sys.stderr, flush=True)
    return {"domain": domain.name, "draw": draw, **arms}


def gains(pairs: list[dict[str, object]]) -> list[float]:
    return [round(pair["transferred"]["accuracy"] - pair["scratch"]["accuracy"], 2) for pair in pairs]  # type: ignore[index]


def main(draws: int, seconds: float, domains: tuple[str, ...] = DOMAINS) -> None:
    data = Path(os.environ.get("FIELDCRAFT_DATA") or "../shared/data")
    weights = data / "weights" / "squeezenet_deep_compression"
    pairs = [
        compared(data / "office_caltech" / "images" / domain, weights, draw, seconds)
        for draw in range(draws)
        for domain in domains
    ]
    by_domain = {domain: gains([pair for pair in pairs if pair["domain"] == domain]) for domain in domains}
    means = [float(np.mean([by_domain[domain][draw] for domain in domains])) for draw in range(draws)]
    write(
        f"transfer_{seconds:g}s",
        "SqueezeNet taken over against training from nothing, percentage points of accuracy, paired by draw",
        {
            "seconds": seconds,
            "gain_by_domain": {domain: summary(values) for domain, values in by_domain.items()},
            "gain_over_domains": summary(means),
            "pairs": pairs,
        },
    )


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    main(int(sys.argv[1]), float(sys.argv[2]), tuple(sys.argv[3:]) or DOMAINS)
