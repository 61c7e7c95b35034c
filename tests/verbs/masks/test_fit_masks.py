"""Whole runs of segmentation: the folder, whether it agrees with itself, resuming, predictions of files."""

import os
import signal
from dataclasses import dataclass, replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from pydantic import TypeAdapter
from tests.verbs.masks.made_masks import AFFINE, disc, pictures, plan, volumes

import fieldcraft as fc
from fieldcraft.data.dataset import Problem
from fieldcraft.errors import DataError, PlanError, Stopped
from fieldcraft.plan.masks import CrfIfBetter, Masks, Segmentation
from fieldcraft.prediction.masks.files import Done, predict_files
from fieldcraft.prediction.masks.model import load_mask_model
from fieldcraft.prediction.masks.overlap import confusion, dice
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.rand import THRESHOLDS, Membranes, best_threshold, rand_score
from fieldcraft.records.files import read_json
from fieldcraft.records.mask_results import MaskResults
from fieldcraft.records.training import Look
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.train.loop import WARM_UP
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.score import score

IN_ANY = (
    "plan.toml", "facts.json", "splits/test.txt", "metrics.jsonl", "network.toml", "model.safetensors", "masks.json",
    "results.json", "report.html", "provenance.json", "ledger.jsonl", "repeat.toml", "journal.jsonl", "thumbnails.npz",
)  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {"volumes": volumes(folder / "balls"), "pictures": pictures(folder / "discs")}


@pytest.fixture(scope="module")
def runs(data: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "volumes": fit(data["volumes"], plan((12, 16, 12)), out=folder / "volumes"),
        "pictures": fit(
            data["pictures"],
            plan((16, 16), masks=Masks(components="filter-if-better", crf=CrfIfBetter())),
            out=folder / "pictures",
        ),
    }


def found(run: Run) -> MaskResults:
    return TypeAdapter(MaskResults).validate_python(read_json(run.folder.masks, "masks"))


@pytest.mark.parametrize("kind", ["volumes", "pictures"])
def test_the_run_folder_is_complete_and_the_network_beats_the_mean_shape(runs: dict[str, Run], kind: str) -> None:
    run = runs[kind]
    for name in IN_ANY:
        assert (run.path / name).exists(), name
    assert [one.name for one in run.results.candidates] == ["mean-shape", "small"]
    assert run.results.winner == "small"
    assert run.results.test is not None
    assert run.results.test.metrics["dice"].value > 0.7


def test_time_is_kept_for_the_cases_that_are_predicted_after_training(
    data: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcraft.verbs.masks.rung.warm_seconds", lambda act: 600.0)
    run = fit(data["pictures"], plan((16, 16)), out=tmp_path / "run", budget=600)
    steps = run.results.candidates[-1].steps
    assert steps is not None and 1 <= steps < WARM_UP
    assert any("the time for it was over" in note for note in run.results.notes)


@pytest.mark.parametrize("kind", ["volumes", "pictures"])
def test_the_saved_model_gives_the_masks_that_were_scored(
    runs: dict[str, Run], data: dict[str, Path], kind: str
) -> None:
    run, results = runs[kind], found(runs[kind])
    model = fc.load(run.path)
    for case in results.cases:
        if kind == "volumes":
            image = np.asarray(nibabel.load(data[kind] / "imagesTr" / f"{case.case}.nii.gz").dataobj)
            truth = np.asarray(nibabel.load(data[kind] / "labelsTr" / f"{case.case}.nii.gz").dataobj)
        else:
            image = np.asarray(Image.open(data[kind] / "images" / f"{case.case}.png"))
            truth = np.asarray(Image.open(data[kind] / "masks" / f"{case.case}.png")) // 100
        said = model.predict(image, (1.0, 2.0, 1.5) if kind == "volumes" else None)
        pair = MaskPair(name="x", truth=truth.astype(int), predicted=said.mask, spacing=(1.0,) * truth.ndim)
        assert dice(confusion(pair, 3))[1:] == pytest.approx([one.dice for one in case.classes], abs=1e-6)
        assert said.probabilities.sum(axis=0) == pytest.approx(np.ones(truth.shape), abs=1e-4)
        assert said.uncertainty.min() >= 0 and said.uncertainty.max() <= 1


def test_refinements_say_why_they_are_kept_or_not(runs: dict[str, Run]) -> None:
    names = [one.name for one in found(runs["pictures"]).refinements]
    assert names[0] == "dense CRF" and len(names) > 1
    assert not found(runs["volumes"]).refinements


def test_the_report_shows_the_worst_case_first(runs: dict[str, Run]) -> None:
    page = runs["volumes"].report.read_text()
    worst = min(found(runs["volumes"]).cases, key=lambda one: np.mean([row.dice for row in one.classes]))
    assert "Masks, case by case" in page and worst.case in page
    assert page.index(f"Truth and prediction as outlines, {worst.case}") == page.index("Truth and prediction as")


def test_a_look_again_is_counted(runs: dict[str, Run]) -> None:
    looked = score(runs["volumes"].path)
    assert looked.look == 2 and looked.samples == len(found(runs["volumes"]).cases)
    assert looked.metrics["dice"] == found(runs["volumes"]).summary.mean["dice"]


@dataclass(frozen=True)
class StopAt:
    """Asks the process to stop once so many steps were taken."""

    step: int

    def begin(self, rung: str, step: int, end: int) -> None: ...

    def trained(self, record: Trained) -> None:
        if record.step == self.step:
            os.kill(os.getpid(), signal.SIGTERM)

    def validated(self, record: Validated) -> None: ...

    def looked(self, record: Look) -> None: ...

    def close(self) -> None: ...


def test_a_run_that_was_killed_ends_with_the_same_bits(data: dict[str, Path], tmp_path: Path) -> None:
    few = plan((16, 16), steps=25)
    whole = fit(data["pictures"], few, out=tmp_path / "whole")
    with pytest.raises(Stopped):
        fit(data["pictures"], few, out=tmp_path / "cut", hooks=[StopAt(10)])
    cut = fit(data["pictures"], few, out=tmp_path / "cut")
    assert whole.folder.weights.read_bytes() == cut.folder.weights.read_bytes()
    assert found(whole) == found(cut)


def test_files_get_masks_of_their_own_format_and_place(
    runs: dict[str, Run], data: dict[str, Path], tmp_path: Path
) -> None:
    model = load_mask_model(runs["volumes"].path)
    bad = tmp_path / "in" / "bad.nii.gz"
    bad.parent.mkdir()
    bad.write_bytes(b"no gzip")
    image, _ = disc((14, 16, 12), 99)
    nibabel.save(nibabel.Nifti1Image(image, AFFINE), bad.parent / "good.nii.gz")
    out = tmp_path / "out"
    first = list(predict_files(model, [bad.parent], out, probabilities=True))
    assert [type(one) for one in first] == [Problem, Done] or [type(one) for one in first] == [Done, Problem]
    mask, map_ = nibabel.load(out / "good.nii.gz"), nibabel.load(out / "good_uncertainty.nii.gz")
    assert np.array_equal(mask.affine, AFFINE) and np.array_equal(map_.affine, AFFINE)
    assert mask.shape == image.shape and np.asarray(mask.dataobj).dtype.kind in "iu"
    assert np.load(out / "good_probabilities.npz")["probabilities"].shape == (3, *image.shape)
    before = (out / "good.nii.gz").stat().st_mtime_ns
    again = [one for one in predict_files(model, [bad.parent], out) if isinstance(one, Done)]
    assert [one.before for one in again] == [True]
    assert (out / "good.nii.gz").stat().st_mtime_ns == before
    shares = (out / "good_probabilities.npz").read_bytes()
    (out / "good_probabilities.npz").unlink()
    corrected = np.ones(image.shape, np.uint8)
    nibabel.save(nibabel.Nifti1Image(corrected, AFFINE), out / "good.nii.gz")
    wanted = [one for one in predict_files(model, [bad.parent], out, probabilities=True) if isinstance(one, Done)]
    assert [one.before for one in wanted] == [True] and (out / "good_probabilities.npz").read_bytes() == shares
    assert (np.asarray(nibabel.load(out / "good.nii.gz").dataobj) == corrected).all()


def test_pictures_get_the_numbers_that_training_masks_had(
    runs: dict[str, Run], data: dict[str, Path], tmp_path: Path
) -> None:
    done = list(
        predict_files(load_mask_model(runs["pictures"].path), [data["pictures"] / "images" / "03.png"], tmp_path)
    )
    assert [type(one) for one in done] == [Done]
    assert set(np.unique(np.asarray(Image.open(tmp_path / "03.png")))) <= {0, 100, 200}
    assert (tmp_path / "03_uncertainty.tif").exists()


def test_an_image_that_does_not_fit_is_an_error(runs: dict[str, Run]) -> None:
    with pytest.raises(DataError, match=r"with 1 channel\(s\), but got \(2, 5\)"):
        fc.load(runs["volumes"].path).predict(np.zeros((2, 5)))


def test_a_plan_for_other_cases_is_an_error(data: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="3 spatial axes, but those of the data have 2"):
        fit(data["pictures"], plan((8, 8, 8)), out=tmp_path / "run")
    with pytest.raises(PlanError, match="its kernels have 2 axes, but patches have 3"):
        flat = plan((8, 8, 8))
        ladder = replace(flat.ladder, rungs=plan((8, 8)).ladder.rungs)
        fit(data["volumes"], replace(flat, ladder=ladder), out=tmp_path / "other")


def test_the_threshold_of_the_rand_score_is_fixed_on_validation(data: dict[str, Path], tmp_path: Path) -> None:
    few = plan((16, 16), steps=10)
    assert isinstance(few.task, Segmentation)
    run = fit(data["pictures"], replace(few, task=replace(few.task, membrane=1)), out=tmp_path / "run")
    kept = found(run)
    assert kept.membrane_threshold in THRESHOLDS
    model, dataset = run.mask_model, fc.open_data(data["pictures"])
    truths: list[list[Membranes]] = [[], []]
    for part, cases in zip(("validation", "test"), truths, strict=True):
        for name in (run.path / "splits" / f"{part}.txt").read_text().split():
            case = dataset.inputs.cases[dataset.ids.index(name)]
            image = np.asarray(Image.open(case.images[0].path))
            truth = np.asarray(Image.open(case.mask.path)) // 100
            cases.append(Membranes(truth != 1, model.predict(image).probabilities[1].astype(np.float64)))
    validation, test = truths
    assert kept.membrane_threshold == best_threshold(validation)
    expected = [rand_score(one.cells, one.membrane < kept.membrane_threshold).score for one in test]
    np.testing.assert_allclose([case.rand for case in kept.cases], expected)
    assert found(fit(data["pictures"], few, out=tmp_path / "other")).membrane_threshold is None
