"""Do the deep facts foretell which rung wins? All image and table classification sets, one short fit each.

Of each set at most 3,000 samples that are not its test part, images at most 48 pixels high, decoded beforehand. For
each: the deep facts of the training part, and the validation accuracy of every candidate of `fieldcraft fit`. Two
things are to be foretold: the advantage of the best network over the best baseline, and that of the largest rung over
the smallest; each as log of the error there over the error here, with half an error added. Each fact is ranked against
them (Spearman, with the interval of Bonett and Wright 2000), and so are the nulls: number of samples, and whether the
samples are images. With so few sets, only the chance that any of so many facts would rank as well when the sets are
shuffled is worth a conclusion. No set is begun after LIMIT_S.
Usage: python benchmarks/topology.py [BUDGET_S] [LIMIT_S]
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ["FIELDCRAFT_NO_RESTART"] = "1"
os.environ.setdefault("FIELDCRAFT_DATA", str(Path(__file__).resolve().parents[2] / "shared" / "data"))

import numpy as np
from scipy.io import loadmat
from scipy.stats import rankdata
from sklearn.datasets import load_iris, load_wine

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import BudgetError
from fieldcraft.fingerprint.deep import deep_facts
from fieldcraft.fingerprint.some import some
from fieldcraft.plan.schema import ImageInput
from fieldcraft.records.deep_facts import DeepFacts
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.prepare import prepare
from fieldcraft.verbs.samples import ready
from result import write

FACTS_S = 6.0
MOST_SAMPLES, TALLEST = 3_000, 48
SHUFFLES = 2_000
DATA = Path(os.environ["FIELDCRAFT_DATA"])
BUILT_IN = ("breast-cancer", "digits", "mnist", "cifar10")
FILES = ("pneumoniamnist/pneumoniamnist.npz", "usps/usps.npz")
DOMAINS = ("amazon", "caltech10", "dslr", "webcam")


@dataclass(frozen=True)
class Seen:
    """What one set gave."""

    facts: dict[str, float]
    accuracy: dict[str, float]
    """Of each candidate, on validation."""
    advantage: float
    """Of the best network over the best baseline: log of the one error over the other."""
    size: float
    """Of the largest rung over the smallest, in the same way."""
    winner: str
    facts_s: float
    fit_s: float
    fit_processor_s: float
    """Less than the budget times the cores where other processes took their share."""
    left_out: tuple[str, ...]


def sources() -> Iterator[tuple[str, object]]:
    """Every classification set of images or rows, by name, as the readers take it."""
    yield from (("iris", load_iris(return_X_y=True)), ("wine", load_wine(return_X_y=True)))
    office = DATA / "office_caltech"
    for file in sorted((office / "features").rglob("*.mat")):
        content = loadmat(file)
        features, labels = content["fts"].astype(np.float32), content["labels"].ravel().astype(np.int64)
        yield f"{file.stem} {file.parent.name}", (features, labels)
    yield from ((name, name) for name in BUILT_IN)
    yield from ((Path(name).stem, str(DATA / name)) for name in FILES)
    for domain in DOMAINS:
        yield f"{domain} images", str(office / "images" / domain)


def arrays(source: object) -> tuple[np.ndarray, np.ndarray]:
    """(X, y) of some samples that are not for testing."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(source, ReadOptions(), seed=0)
        if isinstance(prepared.start.input, ImageInput):
            shape = prepared.start.input.height, prepared.start.input.width
            scale = min(1.0, TALLEST / shape[0])
            edits = [f"input.{side}={round(scale * one)}" for side, one in zip(("height", "width"), shape, strict=True)]
            prepared = prepare(source, ReadOptions(), seed=0, edits=edits)
        samples, data = ready(prepared.dataset, prepared.parts, prepared.start, Path(scratch)), prepared.dataset
        known = np.arange(len(data)) if data.given is None else np.flatnonzero(data.given != "test")
        rows = known[some(data.targets.values[known], MOST_SAMPLES, 0, "benchmark")]
        x = samples.features if samples.pixels is None else samples.pixels
        return np.array(x[rows]), data.targets.values[rows].astype(np.int64)


def seen(source: tuple[np.ndarray, np.ndarray], budget_s: int) -> Seen:
    """Facts first, then a fit that knows nothing of them."""
    with tempfile.TemporaryDirectory() as scratch:
        prepared = prepare(source, ReadOptions(), seed=0)
        samples = ready(prepared.dataset, prepared.parts, prepared.start, Path(scratch))
        rows, targets = samples.parts.train, samples.dataset.targets
        pixels = None if samples.pixels is None else samples.pixels[rows]
        features = None if samples.features is None else samples.features[rows]
        groups = None if samples.dataset.groups is None else samples.dataset.groups[rows]
        began = time.perf_counter()
        deep = deep_facts(
            pixels, features, targets.values[rows], targets.names, groups, targets.task, seed=0, limit_s=FACTS_S
        )
        facts_s, began, busy = time.perf_counter() - began, time.perf_counter(), time.process_time()
        run = fit(source, budget=budget_s, out=Path(scratch) / "run", edits=("task.metric=accuracy",))
        fit_s, busy = time.perf_counter() - began, time.process_time() - busy
        candidates = run.results.candidates
    judged = len(samples.parts.validation)
    error = {one.name: (judged * (1 - one.validation) + 0.5) / (judged + 1) for one in candidates}
    rungs = [one.name for one in candidates if one.kind == "rung"]
    baselines = [one.name for one in candidates if one.kind == "baseline"]
    return Seen(
        facts=numbers(deep, len(rows), pixels is not None),
        accuracy={one.name: one.validation for one in candidates},
        advantage=float(np.log(min(error[name] for name in baselines) / min(error[name] for name in rungs))),
        size=float(np.log(error[rungs[0]] / error[rungs[-1]])) if len(rungs) > 1 else 0.0,
        winner=run.results.winner,
        facts_s=facts_s,
        fit_s=fit_s,
        fit_processor_s=busy,
        left_out=deep.left_out,
    )


def numbers(deep: DeepFacts, count: int, images: bool) -> dict[str, float]:
    """The facts as numbers, nan where there is none; skills are shares of the way from chance to perfection."""
    shape, trust, none = deep.topology, deep.noise, float("nan")
    curve = trust.curve.value if trust is not None and trust.curve is not None else None
    straight = (shape.separability.value - shape.chance) / (1 - shape.chance) if shape is not None else none
    near = (shape.neighbours.value - shape.chance) / (1 - shape.chance) if shape is not None else none
    betti = shape.betti.value if shape is not None and shape.betti is not None else None
    return {
        "linear separability": straight,
        "agreement of neighbours": near,
        "neighbours beyond separability": near - straight,
        "intrinsic dimension": shape.dimension.value if shape is not None and shape.dimension is not None else none,
        "pieces and loops beyond one piece": (
            none if betti is None else float(sum(one.components - 1 + one.loops for one in betti))
        ),
        "error saved by a kernel": none if curve is None else curve.flexible,
        "error saved by doubling": none if curve is None else curve.doubling,
        "label noise, upper end": none if trust is None or trust.labels_95 is None else trust.labels_95[1],
        "null: log of samples": float(np.log(count)),
        "null: images": float(images),
    }


def rank_correlation(facts: np.ndarray, told: np.ndarray) -> float:
    """Spearman's, ties at their mean rank; 0 where one side does not vary."""
    kept = np.isfinite(facts)
    first, second = rankdata(facts[kept]), rankdata(told[kept])
    spread = first.std() * second.std()
    return float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread > 0 else 0.0


def interval(rho: float, count: int) -> list[float]:
    """95 %, by Fisher's transformation with the error of Bonett and Wright; of three sets or fewer, nothing."""
    if count <= 3:
        return [-1.0, 1.0]
    half = 1.96 * ((1 + rho**2 / 2) / (count - 3)) ** 0.5
    middle = np.arctanh(np.clip(rho, -0.999, 0.999))
    return [float(np.tanh(middle - half)), float(np.tanh(middle + half))]


def foretold(found: dict[str, Seen], what: str) -> dict[str, object]:
    """How each fact ranks with one outcome, and how often shuffled sets would let any fact rank as well as the best."""
    told = np.array([getattr(one, what) for one in found.values()])
    names = list(next(iter(found.values())).facts)
    columns = {name: np.array([one.facts[name] for one in found.values()]) for name in names}
    rho = {name: rank_correlation(column, told) for name, column in columns.items()}
    random, facts = np.random.default_rng(0), [name for name in names if not name.startswith("null")]
    best = max(abs(rho[name]) for name in facts)
    shuffled = [
        max(abs(rank_correlation(column, order)) for column in (columns[name] for name in facts))
        for order in (random.permutation(told) for _ in range(SHUFFLES))
    ]
    return {
        "rank_correlation": {
            name: {"rho": rho[name], "rho_95": interval(rho[name], int(np.isfinite(columns[name]).sum()))}
            for name in names
        },
        "best_fact": max(facts, key=lambda name: abs(rho[name])),
        "chance_of_any_fact_as_good": float((1 + sum(one >= best for one in shuffled)) / (1 + len(shuffled))),
    }


def main(budget_s: int = 30, limit_s: int = 720) -> None:
    found, failed, began = {}, {}, time.perf_counter()
    for name, source in sources():
        if time.perf_counter() - began > limit_s:
            failed[name] = "the limit of time was reached"
            continue
        try:
            one = found[name] = seen(arrays(source), budget_s)
        except BudgetError as error:
            failed[name] = str(error)
            continue
        told = f"{name}: {one.winner}, advantage {one.advantage:+.2f}, {one.fit_s:.0f} s"
        print(f"{told}, {one.fit_processor_s:.0f} s of processors", file=sys.stderr, flush=True)
    modality = np.array([one.facts["null: images"] for one in found.values()])
    within = {
        kind: {name: one for (name, one), its in zip(found.items(), modality, strict=True) if its == flag}
        for kind, flag in (("images", 1.0), ("tables", 0.0))
    }
    write(
        f"topology_{budget_s}s",
        "do deep facts foretell the winner? validation accuracy of one short fit a set, one seed; Spearman",
        {
            "budget_s": budget_s,
            "load_average": os.getloadavg(),
            "not_fitted": failed,
            "sets": {name: asdict(one) for name, one in found.items()},
            "network_over_baseline": foretold(found, "advantage"),
            "large_over_small": foretold(found, "size"),
            "network_over_baseline_within": {kind: foretold(some, "advantage") for kind, some in within.items()},
        },
    )


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
