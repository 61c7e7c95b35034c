from pathlib import Path

import nibabel
import numpy as np
import pytest
import torch

from fieldcraft.data.intensities import Scaling
from fieldcraft.data.patches.changes import Look, Shape
from fieldcraft.data.patches.loader import PatchBatches
from fieldcraft.data.patches.volume import Volume

LOUD = {
    "shape": Shape(flip=(0,), rotate_deg=25, turn_about=(0, 1, 2), scale=0.2, elastic=1.5, knots=6, share=0.7),
    "look": Look(noise=0.1, blur=1.0, brightness=0.3, contrast=0.3, low_resolution=0.5, gamma=0.3, share=0.5),
}


def volumes(*shapes: tuple[int, ...], channels: int = 2) -> list[Volume]:
    random = np.random.default_rng(0)
    found = []
    for index, shape in enumerate(shapes):
        image = random.normal(100, 20, (channels, *shape)).astype(np.float32)
        mask = random.integers(-1, 3, shape).astype(np.int8)
        found.append(Volume.of(f"case-{index}", image, mask, Scaling.of_case(image)))
    return found


def batches(cases: list[Volume], patch: tuple[int, ...], **more) -> PatchBatches:
    return PatchBatches.of(
        cases, **({"patch": patch, "batch": 4, "foreground": 0.5, "seed": 0, "name": "train"} | more)
    )


@pytest.mark.parametrize(
    ("shapes", "patch"),
    [([(40,), (25,)], (16,)), ([(30, 20), (9, 50)], (12, 16)), ([(12, 14, 9), (20, 9, 9)], (8, 8, 8))],
)  # fmt: skip
def test_batches_of_one_to_three_axes(shapes, patch) -> None:
    for more in ({}, LOUD):
        batch = batches(volumes(*shapes), patch, **more).training_batch(5)
        assert batch.inputs.shape == (4, 2, *patch) and batch.inputs.dtype == torch.float32
        assert batch.targets.shape == (4, *patch) and batch.targets.dtype == torch.int64
        assert batch.inputs.isfinite().all() and set(batch.targets.unique().tolist()) <= {-1, 0, 1, 2}
        assert [len(part.rows) for part in batch.parts(3)] == [2, 2]


def test_without_changes_a_batch_is_what_lies_there_normalised() -> None:
    cases = volumes((12, 14, 9), (20, 9, 9))
    made = batches(cases, (8, 6, 5))
    batch = made.training_batch(3)
    for index, place in enumerate(made.draw.at(3)):
        volume = cases[place.case]
        box = tuple(slice(first, first + side) for first, side in zip(place.start, (8, 6, 5), strict=True))
        expected = volume.scaling(volume.image[(slice(None), *box)].copy())
        assert np.array_equal(batch.inputs[index].numpy(), expected)
        assert np.array_equal(batch.targets[index].numpy(), volume.mask[box])
        assert int(batch.rows[index]) == place.case


def test_beyond_the_border_masks_are_void_and_images_go_on_by_the_rule() -> None:
    (case,) = volumes((4, 4))
    beyond = {}
    for padding in ("constant", "edge", "reflect"):
        batch = batches([case], (8, 8), padding=padding).training_batch(0)
        assert (batch.targets[:, :2] == -1).all() and (batch.targets[:, 6:] == -1).all()
        assert torch.equal(batch.targets[0, 2:6, 2:6], torch.from_numpy(case.mask.astype(np.int64)))
        inside, beyond[padding] = batch.inputs[0, :, 2:6, 2:6], batch.inputs[0, :, 0, 2:6]
        assert torch.equal(inside, torch.from_numpy(case.scaling(case.image.copy())))
    assert (beyond["constant"] == 0).all()
    assert torch.equal(beyond["edge"], inside[:, 0]) and torch.equal(beyond["reflect"], inside[:, 2])


@pytest.mark.parametrize("more", [{}, LOUD])
def test_a_network_with_valid_convolutions_gets_more_image_than_mask(more) -> None:
    cases = volumes((20, 22, 18), (24, 20, 20))
    wide = batches(cases, (6, 4, 5), context=(8, 8, 8), **more).training_batch(2)
    assert wide.inputs.shape == (4, 2, 22, 20, 21) and wide.targets.shape == (4, 6, 4, 5)
    if not more:
        tight = batches(cases, (6, 4, 5)).training_batch(2)
        assert torch.equal(wide.inputs[:, :, 8:14, 8:12, 8:13], tight.inputs)
        assert torch.equal(wide.targets, tight.targets)


def test_image_and_mask_of_a_batch_stay_together() -> None:
    """Cases whose image is their mask: what a batch gives is aligned through cut, margin, context and all changes."""
    cases = []
    for index in range(3):
        grid = np.stack(np.meshgrid(*(np.arange(30),) * 3, indexing="ij"))
        mask = (((grid - 15) ** 2).sum(0) < 60 + 20 * index).astype(np.int16)
        cases.append(Volume.of(f"ball-{index}", mask[None], mask))
    batch = batches(cases, (16, 14, 12), context=(2, 2, 2), shape=LOUD["shape"]).training_batch(1)
    inner = batch.inputs[:, 0, 2:-2, 2:-2, 2:-2]
    assert ((inner > 0.5) == (batch.targets == 1)).float().mean() > 0.97
    assert (inner[batch.targets == 1] >= 0.12).all() and (inner[batch.targets == 0] <= 0.88).all()


def test_corners_of_turned_patches_are_real_voxels() -> None:
    (case,) = volumes((40, 40))
    whole = Volume.of("no-void", case.image, np.zeros((40, 40), np.int16))
    shape = Shape(rotate_deg=45, turn_about=(0,), scale=0.2, share=1.0)
    made = batches([whole], (12, 12), batch=8, shape=shape)
    inside = [place for place in made.draw.at(0) if all(9 <= first <= 19 for first in place.start)]
    assert inside
    targets = made.training_batch(0).targets
    for index, place in enumerate(made.draw.at(0)):
        if place in inside:
            assert (targets[index] == 0).all()


@pytest.mark.parametrize("more", [{}, LOUD])
def test_any_step_is_the_same_whenever_and_by_whomever_it_is_asked_for(more) -> None:
    cases = volumes((20, 22), (24, 20))
    one = batches(cases, (8, 8), **more)
    steps = [one.training_batch(step) for step in range(6)]
    resumed = batches(cases, (8, 8), **more).training_batch(5)
    assert torch.equal(steps[5].inputs, resumed.inputs) and torch.equal(steps[5].targets, resumed.targets)
    other = batches(cases, (8, 8), seed=1, **more).training_batch(5)
    assert not torch.equal(other.inputs, resumed.inputs)


def test_mapped_files_give_the_batches_of_arrays(tmp_path: Path) -> None:
    cases = volumes((20, 22), (24, 20))
    mapped = []
    for case in cases:
        np.save(tmp_path / f"{case.name}-image.npy", case.image)
        np.save(tmp_path / f"{case.name}-mask.npy", case.mask)
        image, mask = (np.load(tmp_path / f"{case.name}-{part}.npy", mmap_mode="r") for part in ("image", "mask"))
        mapped.append(Volume.of(case.name, image, mask, case.scaling))
    for step in range(3):
        one, other = (batches(those, (8, 8), **LOUD).training_batch(step) for those in (cases, mapped))
        assert torch.equal(one.inputs, other.inputs) and torch.equal(one.targets, other.targets)


def test_channels_last_is_a_layout_and_nothing_else() -> None:
    for shapes, patch, layout in (([(20, 22)], (8, 8), torch.channels_last),
                                  ([(12, 12, 12)], (6, 6, 6), torch.channels_last_3d)):  # fmt: skip
        plain, last = (batches(volumes(*shapes), patch, channels_last=one).training_batch(0) for one in (False, True))
        assert torch.equal(plain.inputs, last.inputs)
        assert last.inputs.is_contiguous(memory_format=layout) and plain.inputs.is_contiguous()


def test_lists_of_the_wrong_length_are_named() -> None:
    with pytest.raises(ValueError, match="`spacing` must have one number for each of 2 axes"):
        batches(volumes((20, 22)), (8, 8), spacing=(1.0,))


def test_real_volumes_with_classes_in_turn(real_data: Path) -> None:
    folder = real_data / "msd_hippocampus"
    cases = []
    for path in sorted((folder / "labelsTr").glob("*.nii*"))[:6]:
        mask = np.asarray(nibabel.load(path).dataobj).astype(np.int16)
        image = np.asarray(nibabel.load(folder / "imagesTr" / path.name).dataobj, np.float32)[None]
        cases.append(Volume.of(path.name, image, mask, Scaling.of_case(image)))
    made = batches(cases, (24, 24, 24), batch=6, foreground=2 / 3, **LOUD)
    around = [place.around for step in range(3) for place in made.draw.at(step)]
    assert [around.count(one) for one in (None, 1, 2)] == [6, 6, 6]
    batch = made.training_batch(0)
    assert {0, 1, 2} <= set(batch.targets.unique().tolist())
    assert abs(float(batch.inputs.mean())) < 1.5
