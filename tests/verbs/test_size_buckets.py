"""Whole runs on images of several sizes: trained in buckets, resumed to the same bits, predicted in the same way."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.data.test_buckets import BUCKETS, mixed
from tests.verbs.made_data import plan
from tests.verbs.test_resume import StopAt

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError, Stopped
from fieldcraft.plan.schema import Augment, Bucket, Cnn, ImageInput, Linear, Network, Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.spec import ImageSpec
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.prepare import Wardrobe, prepare


def bucketed(network: Network, steps: int = 60) -> Plan:
    sample = ImageInput(
        height=12, width=12, channels=3, buckets=BUCKETS, augment=Augment(crop_px=1, flip_horizontal=True)
    )
    return replace(plan(steps=steps, network=network), input=sample)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mixed(tmp_path_factory.mktemp("mixed") / "pictures", 160)


@pytest.mark.parametrize("head", ["global-average", "pyramid"])
def test_a_run_in_buckets_learns_resumes_and_predicts_the_same(source: Path, tmp_path: Path, head: str) -> None:
    network = Cnn(widths=(8, 16), head=head, levels=(1, 2))  # type: ignore[arg-type]
    whole = fit(source, bucketed(network), out=tmp_path / "whole")
    with pytest.raises(Stopped):
        fit(source, bucketed(network), out=tmp_path / "cut", hooks=(StopAt(30),))
    again = fit(source, bucketed(network), out=tmp_path / "cut")
    assert again.folder.weights.read_bytes() == whole.folder.weights.read_bytes()
    assert whole.results.winner == "small"
    assert read_plan(whole.folder.plan).plan.input == bucketed(network).input

    spec = whole.model.spec.input
    assert isinstance(spec, ImageSpec) and spec.buckets == BUCKETS
    kept = pd.read_parquet(whole.folder.predictions)
    kept = kept[kept["part"] == "test"].set_index("id")
    found = whole.model.predict_files([source / name for name in kept.index])
    assert not found.problems
    columns = [name for name in kept if name.startswith("p:")]
    np.testing.assert_allclose(found.frame[columns], kept[columns], atol=1e-5)
    assert (kept["prediction"] == kept["truth"]).mean() > 0.9
    arrays = [np.asarray(Image.open(source / name)) for name in kept.index]
    np.testing.assert_allclose(whole.model.scores(arrays), kept[columns], atol=1e-5)


def test_a_network_of_one_size_is_refused_with_what_to_set(source: Path, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"rung small takes one: set ladder\.rungs\.small\.network"):
        fit(source, bucketed(Linear()), out=tmp_path)


def test_arrays_of_one_size_are_refused(tmp_path: Path) -> None:
    wrong = replace(bucketed(Cnn(widths=(8,))), input=ImageInput(height=8, width=8, channels=1, buckets=BUCKETS))
    with pytest.raises(PlanError, match=r"set input\.buckets = \[\]"):
        fit("digits", wrong, out=tmp_path)


def test_the_pixels_of_one_size_are_shared_with_the_plan_without_buckets(source: Path, tmp_path: Path) -> None:
    there = bucketed(Cnn(widths=(8,)))
    wardrobe = Wardrobe(prepare(source, ReadOptions(), seed=1, plan=there), tmp_path)
    plain = wardrobe.samples(replace(there, input=replace(there.input, buckets=())))
    assert wardrobe.samples(there).pixels is plain.pixels
    assert plain.bucketed is None and wardrobe.samples(there).bucketed is not None


def test_bad_buckets_are_refused() -> None:
    same = (Bucket(height=8, width=9), Bucket(height=8, width=9))
    with pytest.raises(ValueError, match="different sizes"):
        ImageInput(height=12, width=12, channels=3, buckets=same)
