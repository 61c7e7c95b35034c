"""Probable label errors: planted ones come first, the files are there, and the corrected file is taken back."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.verbs.made_data import images, plan

import fieldcraft as fc
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import DataError, RunError
from fieldcraft.prediction.label_issues import rank_labels
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.out_of_fold import shortened

pytest.importorskip("cleanlab")


def test_planted_errors_are_ranked_first() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    probabilities = 0.04 + 0.88 * np.eye(3)[truth] + rng.uniform(0, 0.02, (300, 3))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    given = truth.copy()
    given[:15] = (given[:15] + 1) % 3
    found = rank_labels(given, probabilities)
    assert set(found.suspects.tolist()) == set(range(15))
    np.testing.assert_array_equal(found.quality, probabilities[np.arange(300), given])
    assert (np.diff(found.quality[found.suspects]) >= 0).all()


@pytest.fixture(scope="module")
def table_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[str]]:
    """A run on a table in which 12 labels were swapped: the table, the run, the rows."""
    folder = tmp_path_factory.mktemp("labels")
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(300, 2)), columns=["heat", "flow"])
    good = frame["heat"] > 0
    swapped = [int(row) for row in np.argsort(-np.abs(frame["heat"].to_numpy()))[:12]]
    good.iloc[swapped] = ~good.iloc[swapped]
    frame["good"] = np.where(good, "yes", "no")
    frame.to_csv(folder / "parts.csv", index=False)
    run = fit(
        folder / "parts.csv", plan(image=False, baselines=("majority", "linear")), out=folder / "run",
        options=ReadOptions(target=("good",)),
    )  # fmt: skip
    return folder / "parts.csv", run.path, [str(row) for row in swapped]


def test_swapped_labels_of_a_table_are_found_and_can_be_corrected(table_run: tuple[Path, Path, list[str]]) -> None:
    source, run, swapped = table_run
    found = fc.labels(run, folds=3)
    looked = set(((run / "splits" / "train.txt").read_text() + (run / "splits" / "validation.txt").read_text()).split())
    there = set(swapped) & looked
    assert found.looked == len(looked)
    first = [one.id for one in found.suspects[: len(there)]]
    assert len(set(first) & there) >= 0.7 * len(there)
    lines = list(csv.DictReader((run / "label-issues.csv").read_text().splitlines()))
    assert [line["id"] for line in lines] == [one.id for one in found.suspects]
    assert all(line["label"] == line["given"] for line in lines)
    assert "Labels that are probably wrong" in (run / "report.html").read_text()
    for line in lines:
        line["label"] = line["suggested"]
    fixes = run.parent / "fixes.csv"
    pd.DataFrame(lines).to_csv(fixes, index=False)
    drafted = fc.audit(source, options=ReadOptions(target=("good",)), relabel=fixes)
    assert drafted.relabelled == len(lines)


def test_a_run_whose_data_changed_is_refused(table_run: tuple[Path, Path, list[str]]) -> None:
    source, run, _ = table_run
    before = source.read_text()
    try:
        source.write_text(before.replace("yes", "so", 1))
        with pytest.raises((RunError, DataError), match=r"no longer what|one sample"):
            fc.labels(run, folds=2)
    finally:
        source.write_text(before)


def test_images_from_memory_have_to_be_given_again(tmp_path: Path) -> None:
    x, y = images()
    small = plan("single-label", image=True)
    run = fit((x, y), small, out=tmp_path / "run")
    with pytest.raises(DataError):
        fc.labels(run.path, folds=2)
    found = fc.labels(run.path, data=(x, y), folds=2)
    assert found.folds == 2 and (run.path / "label-issues.npz").exists()


def test_numbers_have_no_wrong_class(tmp_path: Path) -> None:
    x, y = images("regression")
    run = fit((x, y), plan("regression", image=True), out=tmp_path / "run")
    with pytest.raises(DataError, match="one class"):
        fc.labels(run.path, data=(x, y))


def test_steps_are_shortened_to_the_time_and_never_lengthened() -> None:
    rung = plan("single-label", image=True).ladder.rungs[0]
    rung = replace(rung, steps=1000)
    assert shortened(rung, 0.1, 50.0).steps == 450
    assert shortened(rung, 0.1, 5000.0).steps == 1000
    assert shortened(rung, None, 5.0).steps == shortened(rung, 0.1, None).steps == 1000
    assert shortened(rung, 10.0, 5.0).steps == 20


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is no run folder"):
        fc.labels(tmp_path)
