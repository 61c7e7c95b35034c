"""What came out, in words and in the numbers of the test part."""

from dataclasses import dataclass

from fieldcraft.records.results import Estimate, Test
from fieldcraft.report.mask_measures import OF_CASES, OF_CLASSES, measures_of
from fieldcraft.report.metrics import Metric, metric
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import estimate, plural


@dataclass(frozen=True)
class Tile:
    """One test metric."""

    label: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True)
class Verdict:
    """The head of the page."""

    lead: str
    sentences: tuple[str, ...]
    tiles: tuple[Tile, ...]
    test: str
    """What was tested, and how often the test part was looked at."""
    warning: str
    """Why the test numbers may be optimistic; empty when they are not."""
    missing: tuple[str, ...]


def verdict(run: Run) -> Verdict:
    """The verdict; of an unfinished run, what is there and what is not."""
    results = run.results
    if results is None:
        return Verdict(_unfinished(run), _done_so_far(run), (), "", "", _missing(run))
    said = results.verdict or (f"The run returns {results.winner}.",)
    if results.test is None:
        test = "There are no test numbers: the data has no test part, or the run was stopped before it was looked at."
        return Verdict(said[0], said[1:], (), test, "", _missing(run))
    key = sorted(results.test.metrics.items(), key=lambda item: item[0] != results.metric)
    tiles = tuple(_tile(known, value) for name, value in key if (known := _known(run, name)) is not None)
    return Verdict(said[0], said[1:], tiles, _tested(run, results.test), _warning(run, results.test), _missing(run))


def _unfinished(run: Run) -> str:
    if any(name.startswith("results.json") for name in run.damaged):
        return "The results of this run cannot be read."
    return "This run has not finished."


def _done_so_far(run: Run) -> tuple[str, ...]:
    went_on = "Give the same command again: it goes on where it was stopped and writes this page anew."
    if run.log:
        last = run.log[-1]
        return (f"It got as far as step {last.last_step:,} of {last.rung}.", went_on)
    return ("No network was trained yet.", went_on)


def _known(run: Run, name: str) -> Metric | None:
    """A metric in words; of masks those of single classes stand in their own table, and None is returned."""
    if run.masks is None:
        return metric(name)
    return measures_of(run)[name] if name in (*OF_CLASSES, *OF_CASES) else None


def _tile(known: Metric, value: Estimate) -> Tile:
    shown, bounds = estimate(value, known.share)
    return Tile(known.label, shown, bounds, known.meaning)


def _tested(run: Run, test: Test) -> str:
    count = max((value.n for value in test.metrics.values()), default=0)
    noun = "group" if run.facts is not None and run.facts.data.grouped else "case" if run.masks else "sample"
    if run.masks is not None and run.masks.within_volume:
        noun = "block of slices"
        count = 1
    ranges = " Ranges are 95 % bootstrap intervals." if not all(one.alone for one in test.metrics.values()) else ""
    return (
        f"Look {test.look} of the test part: {plural(count, noun)} that took no part in training or in any "
        f"choice.{ranges}"
    )


def _warning(run: Run, test: Test) -> str:
    looks = max([test.look, *(look["look"] for look in run.looks if isinstance(look.get("look"), int))])
    if looks < 2:
        return ""
    return (
        f"The test part has been looked at {looks} times. Choices made after a look make later numbers too good: trust "
        "the first look most, and confirm on new data."
    )


def _missing(run: Run) -> tuple[str, ...]:
    expected = {
        "plan.toml": run.plan,
        "facts.json": run.facts,
        "results.json": run.results,
        **({"masks.json": run.masks} if run.of_masks else {"predictions.parquet": run.predictions}),
    }
    damaged = {line.split(":")[0] for line in run.damaged}
    gone = [name for name, content in expected.items() if content is None and name not in damaged]
    told = (f"Not there (yet): {', '.join(gone)}.",) if gone else ()
    return (*told, *(f"Cannot be read: {line}" for line in run.damaged))
