"""What is wrong with images and masks is found, by name, before anything is trained."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from tests.data.made_up_cases import ball, noisy, pictures, save, volumes

from fieldcraft.data.audit import audit
from fieldcraft.data.audit.audit import bad_samples, without
from fieldcraft.data.open import read_data
from fieldcraft.errors import DataError
from fieldcraft.records.audit import Audit, Complaint, Kind
from fieldcraft.verbs.audit import Care, audited

SHAPE = (10, 12, 8)
FIRST = "case_00"


def found(folder: Path) -> Audit:
    return audit(read_data(folder))


def only(result: Audit, kind: Kind) -> Complaint:
    complaints = [one for one in result.complaints if one.kind == kind]
    assert len(complaints) == 1, result.complaints
    return complaints[0]


def image(folder: Path, number: int = 0) -> Path:
    return folder / "imagesTr" / f"case_{number:02d}.nii.gz"


def label(folder: Path, number: int = 0) -> Path:
    return folder / "labelsTr" / f"case_{number:02d}.nii.gz"


def test_nothing_is_wrong_with_good_cases(tmp_path: Path) -> None:
    result = found(volumes(tmp_path))
    assert result.complaints == () and result.looked == ("all 6 cases were read",)


def test_masks_of_another_shape(tmp_path: Path) -> None:
    volumes(tmp_path)
    save(label(tmp_path, 0), ball(10, 12, 9))
    save(label(tmp_path, 1), ball(8, 12, 10))
    save(label(tmp_path, 2), ball(20, 24, 16))
    one = only(found(tmp_path), "shape-mismatch")
    assert one.severity == "stop" and one.samples == ("case_00", "case_01", "case_02")
    assert "the mask has 10 x 12 x 9 voxels, but the image 10 x 12 x 8" in one.details[0]
    assert "axes of one are turned round" in one.details[1]
    assert "the mask is larger than its image" in one.details[2]


def test_masks_with_another_spacing_direction_or_place(tmp_path: Path) -> None:
    volumes(tmp_path)
    save(label(tmp_path, 0), ball(*SHAPE), np.diag([1.0, 1.0, 2.0, 1.0]))
    save(label(tmp_path, 1), ball(*SHAPE), np.diag([-1.0, 1.0, 1.0, 1.0]))
    moved = np.eye(4)
    moved[0, 3] = 3.0
    save(label(tmp_path, 2), ball(*SHAPE), moved)
    result = found(tmp_path)
    assert only(result, "spacing-mismatch").samples == ("case_00",)
    turned = [one for one in result.complaints if one.kind == "orientation-mismatch"]
    assert [(one.severity, one.samples) for one in turned] == [("stop", ("case_01",)), ("warn", ("case_02",))]
    assert "point to LAS, those of the image to RAS" in turned[0].details[0]
    assert "3 voxels apart" in turned[1].details[0]


def test_spacing_of_zero_and_four_axes(tmp_path: Path) -> None:
    volumes(tmp_path)
    raw = image(tmp_path, 0).with_suffix("").with_suffix(".nii")
    nib.save(nib.load(image(tmp_path, 0)), raw)
    image(tmp_path, 0).unlink()
    data = bytearray(raw.read_bytes())
    data[84:88] = b"\0\0\0\0"
    raw.write_bytes(data)
    save(image(tmp_path, 1), np.zeros((*SHAPE, 3), np.uint8) + np.arange(3, dtype=np.uint8))
    save(label(tmp_path, 2), np.zeros((*SHAPE, 3), np.uint8))
    result = found(tmp_path)
    assert only(result, "bad-spacing").samples == (FIRST,)
    assert "1 x 0 x 1 mm apart" in only(result, "bad-spacing").details[0]
    four = only(result, "too-many-axes")
    assert four.samples == ("case_01", "case_02") and all("4 axes (10 x 12 x 8 x 3)" in one for one in four.details)


def test_cut_files_and_files_of_something_else(tmp_path: Path) -> None:
    volumes(tmp_path, 9, shape=(30, 30, 30))
    for place, path in enumerate((image(tmp_path, 0), label(tmp_path, 1))):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) - 20 - place])
    label(tmp_path, 4).write_bytes(label(tmp_path, 4).read_bytes()[:60])
    image(tmp_path, 2).write_bytes(b"not an image at all")
    image(tmp_path, 3).write_bytes(b"")
    one = only(found(tmp_path), "unreadable")
    assert set(one.samples) == {f"case_{place:02d}" for place in range(5)}
    said = dict(zip(one.samples, one.details, strict=True))
    assert "cut short" in said["case_00"] and "cut short" in said["case_01"]
    assert "cut short" in said["case_04"] and "Not a gzipped file" in said["case_02"]
    assert "imagesTr/case_03.nii.gz: the file is empty" in said["case_03"]


def test_missing_pairs(tmp_path: Path) -> None:
    volumes(tmp_path)
    image(tmp_path, 0).unlink()
    label(tmp_path, 1).unlink()
    one = only(found(tmp_path), "unpaired")
    assert dict(zip(one.samples, one.details, strict=True)) == {
        "case_01": "labelsTr has no mask of it", "case_00": "imagesTr has no image of it",
    }  # fmt: skip
    folder = pictures(tmp_path / "pictures")
    (folder / "masks" / "3.png").unlink()
    assert only(found(folder), "unpaired").samples == ("images/3.png",)


def test_unknown_labels_empty_masks_constant_images_and_nan(tmp_path: Path) -> None:
    volumes(tmp_path, 8, said={"labels": {"background": 0, "organ": 1}})
    odd = ball(*SHAPE)
    odd[0, 0, 0] = 7
    save(label(tmp_path, 0), odd)
    save(label(tmp_path, 1), np.zeros(SHAPE, np.uint8))
    save(image(tmp_path, 2), np.full(SHAPE, 9, np.uint8))
    gaps = noisy(ball(*SHAPE), 3).astype(np.float32)
    gaps[1, 1, 1:3] = np.nan
    save(image(tmp_path, 3), gaps)
    result = found(tmp_path)
    unknown = only(result, "unknown-label")
    assert (unknown.severity, unknown.samples) == ("stop", (FIRST,)) and "7 (1 voxels)" in unknown.details[0]
    assert (only(result, "empty-mask").severity, only(result, "empty-mask").samples) == ("warn", ("case_01",))
    assert (only(result, "constant").severity, only(result, "constant").samples) == ("warn", ("case_02",))
    endless = only(result, "not-finite")
    assert endless.samples == ("case_03",) and "2 voxels" in endless.details[0]
    dataset = read_data(tmp_path)
    kept, after = audited(dataset, Care(skip_bad=True))
    assert len(kept) == 6 and set(after.skipped) == {FIRST, "case_03"}
    assert audit(without(dataset, bad_samples(result.complaints))).stops == ()
    with pytest.raises(DataError, match="case_00: its mask holds 7"):
        audited(dataset, Care())


def test_fractions_and_nan_in_a_mask(tmp_path: Path) -> None:
    volumes(tmp_path)
    save(label(tmp_path, 0), ball(*SHAPE).astype(np.float32) * np.float32(0.5))
    gaps = ball(*SHAPE).astype(np.float32)
    gaps[0] = np.nan
    save(label(tmp_path, 1), gaps)
    result = found(tmp_path)
    assert "holds fractions" in only(result, "unreadable").details[0]
    assert only(result, "not-finite").samples == ("case_01",)


def test_a_mask_with_losses_is_found_even_when_it_was_saved_as_png_again(tmp_path: Path) -> None:
    pictures(tmp_path, 8, value=255)
    for number in range(8):
        large = ball(96, 96, at=(40 + number, 48), radius=30) * np.uint8(255)
        save(tmp_path / f"images/{number}.png", noisy(large, number))
        save(tmp_path / f"masks/{number}.png", large)
    Image.open(tmp_path / "masks/0.png").save(tmp_path / "masks/0.jpg", quality=50)
    (tmp_path / "masks/0.png").unlink()
    Image.open(tmp_path / "masks/1.png").save(tmp_path / "again.jpg", quality=50)
    Image.open(tmp_path / "again.jpg").save(tmp_path / "masks/1.png")
    (tmp_path / "again.jpg").unlink()
    result = found(tmp_path)
    one = only(result, "lossy-mask")
    assert (
        one.samples == ("0", "1")
        and "lossy JPEG" in one.details[0]
        and "as if it had been saved as JPEG" in one.details[1]
    )


def test_two_and_three_dimensions_do_not_go_together(tmp_path: Path) -> None:
    volumes(tmp_path)
    save(image(tmp_path, 0), noisy(ball(10, 12), 0))
    save(label(tmp_path, 0), ball(10, 12))
    one = only(found(tmp_path), "mixed-dimensions")
    assert one.samples == (FIRST,) and "2 axes among 5 cases with 3" in one.details[0]


def test_colour_among_gray_is_fine_for_pictures_and_other_channels_are_not_for_volumes(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "pictures")
    save(folder / "images/0.png", np.repeat(noisy(ball(16, 20), 0)[..., None], 3, axis=2))
    assert read_data(folder).problems == ()
    volumes(tmp_path / "volumes", 4, said={"labels": {"background": 0, "a": 1}, "channel_names": {"0": "a", "1": "b"}})
    save(image(tmp_path / "volumes"), np.stack([noisy(ball(*SHAPE), one) for one in (0, 1)], axis=-1))
    assert only(found(tmp_path / "volumes"), "mixed-channels").samples == (FIRST,)


def test_a_single_case_and_one_class_only(tmp_path: Path) -> None:
    assert "1 case(s) with a mask: 3 at least" in only(found(volumes(tmp_path / "one", 1)), "nothing-to-learn").reason
    empty = volumes(tmp_path / "empty", 4, mask=lambda number: np.zeros(SHAPE, np.uint8))
    assert "masks of one class only" in only(found(empty), "nothing-to-learn").reason


def test_nothing_that_can_be_used_is_an_error_that_names_the_files(tmp_path: Path) -> None:
    volumes(tmp_path, 3)
    for number in range(3):
        save(label(tmp_path, number), ball(10, 12, 9))
    with pytest.raises(DataError, match=r"none of the 3 cases.*\n  case_00: the mask has"):
        read_data(tmp_path)


def test_instance_numbers_are_no_classes(tmp_path: Path) -> None:
    volumes(tmp_path, 4, mask=lambda number: (np.arange(960) // 3).astype(np.uint16).reshape(SHAPE))
    with pytest.raises(DataError, match="320 different numbers: at most 256 classes"):
        read_data(tmp_path)


def test_equal_images_and_torn_groups(tmp_path: Path) -> None:
    for name in ("train", "test"):
        for number in range(4):
            mask = ball(16, 20, at=(5.0 + number, 10.0))
            seed = 0 if number == 0 else number + 10 * (name == "test")
            save(tmp_path / name / f"images/patient{number}_s1.png", noisy(mask, seed))
            save(tmp_path / name / f"masks/patient{number}_s1.png", mask)
    result = found(tmp_path)
    assert only(result, "leak").samples == ("train/patient0_s1",)


def test_only_what_there_is_time_for_is_read(tmp_path: Path) -> None:
    result = audit(read_data(volumes(tmp_path)), 0.0)
    assert result.looked[0].startswith("1 of 6 cases were read")
