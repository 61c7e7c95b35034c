"""Every network and loss of a plan goes the whole way: trained, kept, opened again, asked for masks of files."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image
from tests.verbs.masks.made_masks import AFFINE, pictures, volumes

import fieldcraft as fc
from fieldcraft.errors import RunError
from fieldcraft.plan.masks import Atrous, DeepMedic, MaskAugment, MaskLoss, PatchInput, Segmentation, UNet
from fieldcraft.plan.schema import Batch, Imported, Ladder, Network, Plan, Rung
from fieldcraft.prediction.masks.files import Done, predict_files
from fieldcraft.prediction.masks.model import load_mask_model
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.run import Run

SHAPE = {2: (24, 20), 3: (13, 16, 12)}
PATCH = {2: (16, 12), 3: (12, 16, 12)}
STEPS = 3


def unet(axes: int, **more: object) -> UNet:
    plain = UNet(
        widths=(4, 6, 8), depths=(1, 1, 1), decoder_depth=1, kernels=((3,) * axes,) * 3, strides=((2,) * axes,) * 2,
    )  # fmt: skip
    return replace(plain, **more)


def networks(axes: int) -> dict[str, Network]:
    return {
        "plain": unet(axes),
        "residual": unet(axes, encoder="residual", squeeze_excitation=2, norm="group"),
        "gated": unet(axes, attention=True, separable=True, norm="batch"),
        "supervised": unet(axes, deep_supervision=1, downsample="max-pool"),
        "no-skips": unet(axes, skips=False, norm="layer", activation="relu"),
        "deepmedic": DeepMedic(widths=(4, 4, 4), kernel=(3,) * axes, factors=(3,), joined=(8,), dropout=0.1),
        "one-pathway": DeepMedic(widths=(4, 4), kernel=(3,) * axes, factors=(), joined=(8,)),
        "atrous": Atrous(widths=(4, 6, 8), depths=(1, 1, 1), output_stride=2, rates=(1, 2)),
        "atrous-plain": Atrous(widths=(4, 6), depths=(1, 1), output_stride=2, rates=(1,), image_pooling=False),
        "own": Imported(target="own_net:Own"),
    }


LOSSES = {
    "tversky": MaskLoss(cross_entropy=0, tversky=1, missed=0.8),
    "focal": MaskLoss(cross_entropy=0, focal=1, dice=0.5),
    "boundary": MaskLoss(cross_entropy=1, boundary=0.1, class_weights="balanced"),
    "own": Imported(target="own_net:loss"),
}


def plan(axes: int, network: Network, **more: object) -> Plan:
    rung = Rung(name="net", network=network, steps=STEPS, lr=0.01)
    made = Plan(
        task=Segmentation(loss=MaskLoss(dice=1.0)),
        input=PatchInput(channels=1, patch=PATCH[axes], augment=MaskAugment(noise=0.1, flip=(0,))),
        batch=Batch(size=2),
        ladder=Ladder(baselines=(), rungs=(rung,), climb="always"),
    )
    return replace(made, **more)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("data")
    return {2: pictures(folder / "discs", count=8, shape=SHAPE[2]), 3: volumes(folder / "balls", count=8)}


@pytest.fixture(autouse=True)
def own_net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_net.py").write_text(
        "from torch import nn\n"
        "from torch.nn.functional import cross_entropy\n"
        "def Own(shape, outputs):\n"
        "    conv = nn.Conv3d if len(shape) == 4 else nn.Conv2d\n"
        "    return nn.Sequential(conv(shape[0], 4, 3, padding=1), nn.ReLU(), conv(4, outputs, 1))\n"
        "def loss(logits, targets):\n"
        "    return cross_entropy(logits, targets, ignore_index=-1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


def goes_the_whole_way(run: Run, data: Path, axes: int, out: Path) -> None:
    """The model that was kept writes a mask with the geometry of its image, and the same one each time."""
    assert run.results.winner == "net" and run.results.test is not None
    image = data / ("images/01.png" if axes == 2 else "imagesTr/case_01.nii.gz")
    (done,) = predict_files(load_mask_model(run.path), [image], out)
    assert isinstance(done, Done)
    if axes == 2:
        written = np.asarray(Image.open(out / image.name))
        assert written.shape == SHAPE[2] and set(np.unique(written)) <= {0, 100, 200}
        pixels, ids = np.asarray(Image.open(image)), written // 100
    else:
        found, source = nibabel.load(out / image.name), nibabel.load(image)
        assert np.array_equal(found.affine, AFFINE) and found.shape == source.shape
        pixels, ids = np.asarray(source.dataobj), np.asarray(found.dataobj)
        assert set(np.unique(ids)) <= {0, 1, 2}
    again = fc.load(run.path).predict(pixels, None if axes == 2 else (1.0, 2.0, 1.5))
    assert np.array_equal(again.mask, ids)
    assert np.isfinite(again.probabilities).all()


IN_BOTH = ("plain", "deepmedic", "atrous", "own")
IN_ONE = {"residual": 3, "gated": 2, "supervised": 3, "no-skips": 2, "one-pathway": 3, "atrous-plain": 2}


@pytest.mark.parametrize(("name", "axes"), [*((name, axes) for name in IN_BOTH for axes in (2, 3)), *IN_ONE.items()])
def test_every_network(name: str, axes: int, data: dict[int, Path], tmp_path: Path) -> None:
    run = fit(data[axes], plan(axes, networks(axes)[name]), out=tmp_path / "run")
    goes_the_whole_way(run, data[axes], axes, tmp_path / "masks")


@pytest.mark.parametrize(("name", "axes"), [("tversky", 2), ("focal", 3), ("boundary", 3), ("own", 2)])
def test_every_loss(name: str, axes: int, data: dict[int, Path], tmp_path: Path) -> None:
    supervised = networks(axes)["supervised" if name != "own" else "plain"]
    run = fit(data[axes], plan(axes, supervised, task=Segmentation(loss=LOSSES[name])), out=tmp_path / "run")
    goes_the_whole_way(run, data[axes], axes, tmp_path / "masks")


def test_a_network_at_another_spacing_answers_on_the_grid_of_its_image(data: dict[int, Path], tmp_path: Path) -> None:
    coarse = PatchInput(channels=1, patch=(8, 12, 8), spacing=(2.0, 2.0, 2.0), normalise="set")
    run = fit(data[3], plan(3, unet(3), input=coarse), out=tmp_path / "run")
    goes_the_whole_way(run, data[3], 3, tmp_path / "masks")


def test_kept_cases_that_are_damaged_are_made_anew_and_a_full_disk_is_told(
    data: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcraft.verbs.fit.CACHE", tmp_path / "cache")
    coarse = plan(3, unet(3), input=PatchInput(channels=1, patch=(8, 12, 8), spacing=(2.0, 2.0, 2.0)))
    whole = fit(data[3], coarse, out=tmp_path / "whole")
    kept = sorted((tmp_path / "cache").glob("resampled-*.npy"))
    kept[0].write_bytes(kept[0].read_bytes()[:200])
    kept[-1].write_bytes(b"")
    again = fit(data[3], coarse, out=tmp_path / "again")
    assert again.folder.weights.read_bytes() == whole.folder.weights.read_bytes()
    kept[0].unlink()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("fieldcraft.verbs.masks.samples.np.save", full)
    with pytest.raises(RunError, match=r"cannot keep a resampled case .* No space left on device. Free some space"):
        fit(data[3], coarse, out=tmp_path / "full")


def test_an_error_in_a_batch_is_shown_as_it_is(
    data: dict[int, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Patches are cut in the process that trains: no worker can die and hide why."""

    def fails(*_: object, **__: object) -> None:
        raise LookupError("the third patch is not to be had")

    monkeypatch.setattr("fieldcraft.data.patches.loader.cut", fails)
    with pytest.raises(LookupError, match="the third patch is not to be had"):
        fit(data[2], plan(2, unet(2)), out=tmp_path / "run")
    monkeypatch.undo()
    monkeypatch.syspath_prepend(tmp_path)
    assert fit(data[2], plan(2, unet(2)), out=tmp_path / "run").results.winner == "net"


def test_slices_of_volumes(data: dict[int, Path], tmp_path: Path) -> None:
    flat = unet(3, kernels=((3, 3, 1),) * 3, strides=((2, 2, 1),) * 2)
    run = fit(data[3], plan(3, flat, input=PatchInput(channels=1, patch=(12, 16, 1))), out=tmp_path / "run")
    goes_the_whole_way(run, data[3], 3, tmp_path / "masks")


def test_a_drafted_plan_takes_another_network_by_hand(data: dict[int, Path], tmp_path: Path) -> None:
    by_hand = ("kind=atrous", "widths=[4,8]", "depths=[1,1]", "output_stride=2", "rates=[1]")
    edits = (
        "ladder.baselines=[]", "batch.size=2", "ladder.rungs.small.steps=3", "ladder.rungs.large.steps=3",
        *(f"ladder.rungs.{rung}.network.{field}" for rung in ("small", "large") for field in by_hand),
    )  # fmt: skip
    tips = ("patch-size", "mask-network", "mask-kernels", "mask-depth", "patch-memory")  # none that measures for long
    run = fit(data[2], edits=edits, only=tips, out=tmp_path / "run")
    assert isinstance(fc.read_plan(run.folder.plan).plan.ladder.rungs[0].network, Atrous)
