"""Whole runs with everything on that changes what a network sees."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.verbs.made_data import images, plan
from tests.verbs.test_resume import StopAt

import fieldcraft as fc
from fieldcraft.errors import PlanError, Stopped
from fieldcraft.plan.schema import Augment, CrossEntropy, Plan, Regression, SingleLabel, SmallerImages
from fieldcraft.prediction.spec import read_spec
from fieldcraft.verbs.fit import fit

STEPS = 60


def sighted() -> Plan:
    made = plan(steps=STEPS)
    augment = Augment(crop_px=1, quarter_turns=True, brightness=0.1, gray=0.1, mixup=0.4, cutmix=1.0, trivial=("blur",))
    return replace(
        made,
        task=SingleLabel(loss=CrossEntropy(logit_adjustment=1.0, class_weights="square-root")),
        input=replace(made.input, augment=augment, progressive=(SmallerImages(until=0.6, px=6),)),
        batch=replace(made.batch, sampling="balanced"),
        prediction=replace(made.prediction, tta=("mirror", "shift")),
    )


def test_a_run_that_was_stopped_and_resumed_is_the_same_and_its_model_keeps_its_views(tmp_path: Path) -> None:
    data = images()
    whole = fit(data, sighted(), out=tmp_path / "whole")
    with pytest.raises(Stopped):
        fit(data, sighted(), out=tmp_path / "cut", hooks=(StopAt(30),))
    again = fit(data, sighted(), out=tmp_path / "cut")
    names = [path.name for path in (tmp_path / "whole" / "rungs").iterdir() if (path / "model.safetensors").exists()]
    assert names
    for name in names:
        one, other = (tmp_path / run / "rungs" / name / "model.safetensors" for run in ("whole", "cut"))
        assert one.read_bytes() == other.read_bytes()
    assert whole.results.winner == again.results.winner
    if whole.results.winner in names:
        assert read_spec(tmp_path / "whole" / "network.toml").tta == ("mirror", "shift")
    asked, mirrored = (fc.load(tmp_path / "whole").scores(x) for x in (data[0], data[0][:, :, ::-1]))
    assert np.isfinite(asked).all() and asked.shape == mirrored.shape


def test_numbers_cannot_be_blended(tmp_path: Path) -> None:
    made = plan(steps=STEPS)
    asked = replace(made, task=Regression(), input=replace(made.input, augment=Augment(mixup=0.4)))
    with pytest.raises(PlanError, match="regression"):
        fit(images("regression"), asked, out=tmp_path / "run")
