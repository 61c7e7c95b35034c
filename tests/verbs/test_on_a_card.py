"""Whole runs on a GPU that is pretended: nothing is on the wrong device, and steps do not wait for it."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretended_card import CARD, pretended
from tests.verbs.made_data import images, plan
from tests.verbs.masks.made_masks import plan as mask_plan
from tests.verbs.masks.made_masks import volumes
from torch import nn

from fieldcraft.build.loss import build_loss
from fieldcraft.build.regime import build_regime
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import Stopped
from fieldcraft.plan.masks import CrfIfBetter, MaskAugment, MaskLoss, Masks, PatchInput, Segmentation, UNet
from fieldcraft.plan.schema import (
    Augment,
    AutoClip,
    CrossEntropy,
    ImageInput,
    Initialisation,
    Patience,
    Plan,
    Prediction,
    ResNet,
    SingleLabel,
)
from fieldcraft.prediction.masks.files import Done, predict_files
from fieldcraft.prediction.masks.model import load_mask_model
from fieldcraft.records.training import Look
from fieldcraft.tips.interface import RateRange
from fieldcraft.train.engine import engine
from fieldcraft.train.hooks.interface import Trained, Validated
from fieldcraft.verbs.draft import draft
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.masks.rung import built
from fieldcraft.verbs.measure import together, training_step
from fieldcraft.verbs.prepare import Wardrobe, prepare
from fieldcraft.verbs.range_test import LEAST_STEPS, range_test

CHANGES = Augment(
    crop_px=1, flip_horizontal=True, scale=0.1, rotate_deg=10, erase=0.5, quarter_turns=True, brightness=0.2,
    contrast=0.2, gray=0.1, blur=0.5, trivial=("rotation", "blur", "contrast"), mixup=0.5, cutmix=0.5,
)  # fmt: skip
MASK_CHANGES = MaskAugment(
    flip=(0, 1), rotate_deg=20, turn_about=(0, 1, 2), scale=0.2, elastic=2, shape_share=1.0, noise=0.2, blur=1.0,
    brightness=0.2, contrast=0.2, gamma=0.3, look_share=1.0,
)  # fmt: skip


def on_the_card(one: Plan) -> Plan:
    return replace(one, execution=replace(one.execution, device="cuda", channels_last=True, precision="bf16"))


def image_plan(steps: int = 60) -> Plan:
    made = plan(SingleLabel(loss=CrossEntropy(class_weights="balanced", label_smoothing=0.1)), steps=steps,
                network=ResNet(widths=(8, 16), depths=(0, 1), squeeze_excitation=4, drop_path=0.1))  # fmt: skip
    assert isinstance(made.input, ImageInput)
    return on_the_card(
        replace(
            made,
            input=replace(made.input, augment=CHANGES),
            clipping=AutoClip(),
            stopping=Patience(looks=10),
            initialisation=Initialisation(whiten=True),
            prediction=Prediction(tta=("mirror", "shift")),
        )
    )


def volume_plan(steps: int = 6) -> Plan:
    made = mask_plan(
        (12, 16, 12), steps=steps, masks=Masks(crf=CrfIfBetter(), components="filter-if-better", mirror=(0,))
    )
    rung = made.ladder.rungs[0]
    assert isinstance(rung.network, UNet)
    net = replace(rung.network, widths=(4, 6, 8), depths=(1, 1, 1), kernels=((3,) * 3,) * 3, strides=((2,) * 3,) * 2,
                  deep_supervision=1)  # fmt: skip
    return on_the_card(
        replace(
            made,
            task=replace(made.task, loss=MaskLoss(dice=1.0, focal=0.5, boundary=0.01, class_weights="balanced")),
            input=PatchInput(
                channels=1, patch=(12, 16, 12), spacing=(1.2, 1.8, 1.5), augment=MASK_CHANGES, foreground=0.5
            ),
            ladder=replace(made.ladder, rungs=(replace(rung, network=net),)),
        )
    )


class Listener:
    """Calls back at every look at the loss."""

    def __init__(self, heard: Callable[[int], None]) -> None:
        self.heard = heard

    def begin(self, rung: str, step: int, end: int) -> None: ...

    def trained(self, record: Trained) -> None:
        self.heard(record.step)

    def validated(self, record: Validated) -> None: ...

    def looked(self, look: Look) -> None: ...

    def close(self) -> None: ...


def test_images_go_the_whole_way_also_when_interrupted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupt(step: int) -> None:
        if step >= 50:
            os.kill(os.getpid(), 2)

    with pretended(monkeypatch):
        with pytest.raises(Stopped):
            fit(images(), image_plan(), out=tmp_path / "run", hooks=[Listener(interrupt)])
        run = fit(images(), image_plan(), out=tmp_path / "run")
    assert {one.name for one in run.results.candidates} == {"majority", "small"}
    assert (run.path / "report.html").exists()


def test_volumes_go_the_whole_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = volumes(tmp_path / "balls", 12)
    with pretended(monkeypatch):
        run = fit(data, volume_plan(), out=tmp_path / "run")
        model = load_mask_model(run.path).on(CARD)
        (done,) = predict_files(model, [data / "imagesTr" / "case_00.nii.gz"], tmp_path / "masks")
    assert isinstance(done, Done) and done.mask.exists()
    assert (run.path / "report.html").exists()


def test_a_plan_is_drafted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended(monkeypatch):
        drafted = draft(images(), budget="60s")
    assert drafted.plan.execution.device == "cuda" and drafted.plan.ladder.rungs


def test_steps_are_timed_without_a_pause_between_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one, events = image_plan(), list[str]()
    with pretended(monkeypatch):
        samples = Wardrobe(prepare(images(), ReadOptions(), seed=0, plan=one, edits=()), tmp_path).samples(one)
        rung, machine = one.ladder.rungs[0], engine(one.execution)
        net = machine.place(nn.Sequential(nn.Flatten(), nn.Linear(64, 3)))
        net.register_forward_hook(lambda *_: events.append("step"))
        monkeypatch.setattr(torch.cuda, "synchronize", lambda: events.append("done"))
        batches = samples.batches("train", one, machine.device, name="a", augment=True)
        regime = build_regime(one.regime, build_loss(one.task, samples.counts(), device=machine.device))
        training_step(one, rung, net, batches, machine, regime, times=together(one.execution))()
    assert events == [*["step"] * together(one.execution), "done"] and together(one.execution) > 1
    assert together(replace(one.execution, device="cpu")) == 1


def test_the_range_test_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = image_plan(steps=10)
    monkeypatch.setattr("fieldcraft.verbs.range_test.MOST_STEPS", LEAST_STEPS)
    with pretended(monkeypatch):
        samples = Wardrobe(prepare(images(), ReadOptions(), seed=0, plan=one, edits=()), tmp_path).samples(one)
        assert range_test(RateRange(plan=one, rung=0), samples, limit_s=60.0) is not None


def test_batches_of_images_do_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = image_plan()
    with pretended(monkeypatch) as card:
        samples = Wardrobe(prepare(images(), ReadOptions(), seed=0, plan=one, edits=()), tmp_path).samples(one)
        batches = samples.batches("train", one, CARD, name="a", augment=True)
        card.waits.clear()
        batch = batches.training_batch(3)
        assert batch.inputs.device == batch.targets.device == CARD
    assert card.waits == []


def test_batches_of_patches_do_not_wait(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = volume_plan()
    assert isinstance(one.task, Segmentation)
    with pretended(monkeypatch) as card:
        prepared = prepare(str(volumes(tmp_path / "balls", 12)), ReadOptions(), seed=0, plan=one, edits=())
        samples, machine = Wardrobe(prepared, tmp_path).masks(one), engine(one.execution)
        found = built(one.ladder.rungs[0], one, samples, machine, name="a")
        batches = samples.batches(one, machine.device, found.wants, name="a")
        card.waits.clear()
        batch = batches.training_batch(3)
        assert batch.inputs.device == batch.targets.device == CARD
    assert card.waits == []


def test_the_pretended_card_is_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    with pretended(monkeypatch) as card:
        there = torch.ones(3, device=CARD)
        assert there.device == CARD and (there * 2).is_cuda and not torch.ones(3).is_cuda
        with pytest.raises(RuntimeError, match="on the card and on the CPU"):
            there + torch.ones(3)
        with pytest.raises(TypeError, match="numpy"):
            there.numpy()
        with pytest.raises(RuntimeError, match="generator"):
            torch.randn(3, device=CARD, generator=torch.Generator())
        assert card.waits == []
        assert float(there.sum()) == 3 and np.array_equal(there.cpu().numpy(), np.ones(3))
        assert len(card.waits) == 2
