"""Folders of images with masks, as people have them."""

import locale
from collections.abc import Mapping
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from PIL import Image
from tests.data.made_up_cases import Array, ball, noisy, pictures, save, volumes

from fieldcraft.data.case_pixels import image_of, mask_of
from fieldcraft.data.cases import VOID, Cases
from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.describe import describe
from fieldcraft.data.open import open_data, read_data
from fieldcraft.data.splits import part
from fieldcraft.data.volumes.kept_locale import kept_locale
from fieldcraft.errors import DataError, ReaderError
from fieldcraft.plan.schema import Splits

V2: Mapping[str, object] = {
    "channel_names": {"0": "T1", "1": "T2"},
    "labels": {"background": 0, "tumour": 2, "oedema": 1, "ignore": 3},
    "file_ending": ".nii.gz",
}


def cases_of(dataset: Dataset) -> Cases:
    assert isinstance(dataset.inputs, Cases)
    return dataset.inputs


def test_nnunet_with_channels_names_and_an_ignored_label(tmp_path: Path) -> None:
    for number in range(4):
        mask = ball(8, 9, 7) + (np.arange(7) > 5) * np.uint8(3 - 0)
        mask[ball(8, 9, 7) == 1] = 1 + number % 2
        for channel in range(2):
            save(tmp_path / f"imagesTr/case_{number}_{channel:04d}.nii.gz", noisy(mask, 10 * number + channel))
        save(tmp_path / f"labelsTr/case_{number}.nii.gz", mask)
    (tmp_path / "dataset.json").write_text(__import__("json").dumps(V2))
    dataset = open_data(tmp_path)
    inputs = cases_of(dataset)
    assert (dataset.kind, inputs.channels, inputs.channel_names) == ("nnunet", 2, ("T1", "T2"))
    assert inputs.table.names == ("background", "oedema", "tumour") and inputs.table.void == (3,)
    assert dataset.targets.values.tolist() == [[1, 1, 0], [1, 0, 1], [1, 1, 0], [1, 0, 1]]
    image, mask = image_of(inputs.cases[1], 2), mask_of(inputs.cases[1], inputs.table)
    assert image.shape == (2, 8, 9, 7) and image.dtype == np.float32
    second = nib.load(tmp_path / "imagesTr/case_1_0001.nii.gz")
    assert np.array_equal(image[1], np.asarray(second.dataobj))
    assert (mask[..., 6][ball(8, 9, 7)[..., 6] == 0] == VOID).all() and (mask == 2).sum() == ball(8, 9, 7).sum()


def test_the_decathlon_names_classes_the_other_way_round_and_keeps_channels_in_a_fourth_axis(tmp_path: Path) -> None:
    said = {"modality": {"0": "FLAIR", "1": "T1w"}, "labels": {"0": "background", "1": "tumour"}}
    volumes(tmp_path, 3, said=said)
    for file in (tmp_path / "imagesTr").iterdir():
        one = np.asarray(nib.load(file).dataobj)
        save(file, np.stack([one, one + 1], axis=-1))
    inputs = cases_of(open_data(tmp_path))
    assert (inputs.table.names, inputs.channels) == (("background", "tumour"), 2)
    image = image_of(inputs.cases[0], 2)
    assert np.array_equal(image[1], image[0] + 1)


def test_regions_of_nnunet_are_refused(tmp_path: Path) -> None:
    volumes(tmp_path, 3, said={"labels": {"background": 0, "whole": [1, 2]}})
    with pytest.raises(DataError, match="whole are regions"):
        read_data(tmp_path)


def test_images_of_the_test_part_need_masks_to_be_one(tmp_path: Path) -> None:
    volumes(tmp_path, 5)
    save(tmp_path / "imagesTs/case_90.nii.gz", noisy(ball(10, 12, 8), 9))
    dataset = open_data(tmp_path)
    assert dataset.given is None and any("1 cases of imagesTs have no masks" in note for note in dataset.notes)
    save(tmp_path / "labelsTs/case_90.nii.gz", ball(10, 12, 8))
    dataset = open_data(tmp_path)
    assert dataset.given is not None and dataset.given.tolist() == ["train"] * 5 + ["test"]


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("images/{}.png", "masks/{}.png"),
        ("img/{}.png", "gt/{}_mask.png"),
        ("{}.png", "{}_mask.png"),
        ("{}_image.png", "{}_seg.png"),
        ("images/img_{}.png", "labels/label_{}.png"),
        ("scans/p{}/scan.png", "masks/p{}/scan.png"),
        ("a/{}.png", "a/masks/{}.png"),
    ],
)
def test_masks_are_paired_with_images_by_name(tmp_path: Path, image: str, mask: str) -> None:
    random = np.random.default_rng(0)
    for number in random.permutation(7):
        found = ball(16, 20, at=(5 + number, 10))
        save(tmp_path / image.format(f"{number}x"), noisy(found, number))
        save(tmp_path / mask.format(f"{number}x"), found)
    dataset = open_data(tmp_path)
    inputs = cases_of(dataset)
    assert (dataset.kind, len(dataset), inputs.spatial) == ("image-masks", 7, 2)
    for case in inputs.cases:
        seen = image_of(case, 1)[0]
        assert seen[mask_of(case, inputs.table) == 1].min() >= 90 > seen[mask_of(case, inputs.table) == 0].max() - 40


@pytest.mark.parametrize("layout", ["{part}/{what}/{n}.png", "{what}/{part}/{n}.png"])
def test_folders_of_parts_are_the_parts(tmp_path: Path, layout: str) -> None:
    for name, count in (("train", 4), ("val", 2), ("test", 2)):
        for n in range(count):
            save(tmp_path / layout.format(part=name, what="images", n=n), noisy(ball(16, 20), n))
            if name != "test":
                save(tmp_path / layout.format(part=name, what="masks", n=n), ball(16, 20))
    dataset = open_data(tmp_path)
    assert dataset.given is not None and dataset.given.tolist() == ["train"] * 4 + ["validation"] * 2
    assert any("2 images of the part test have no masks" in note for note in dataset.notes)
    assert not dataset.problems


def test_class_folders_called_like_masks_stay_classes(tmp_path: Path) -> None:
    for name in ("mask", "nomask"):
        for number in range(4):
            save(tmp_path / name / f"{number}.png", noisy(ball(16, 20), number))
    assert open_data(tmp_path).kind == "image-folder"


def test_classes_are_derived_and_said(tmp_path: Path) -> None:
    dataset = open_data(pictures(tmp_path, value=255))
    assert cases_of(dataset).table.values == (0, 255)
    assert dataset.targets.names == ("background", "foreground")
    assert any("derived from the numbers in the masks: 0, 255" in note for note in dataset.notes)


def test_255_beside_class_numbers_is_no_label(tmp_path: Path) -> None:
    pictures(tmp_path)
    for file in (tmp_path / "masks").iterdir():
        mask = np.array(Image.open(file))
        mask[0], mask[1] = 255, 2
        Image.fromarray(mask).save(file)
    dataset = open_data(tmp_path)
    assert (cases_of(dataset).table.values, cases_of(dataset).table.void) == ((0, 1, 2), (255,))
    assert any("taken for: no label" in note for note in dataset.notes)
    told = cases_of(open_data(tmp_path, ReadOptions(void=(2,))))
    assert (told.table.values, told.table.void) == ((0, 1, 255), (2,))


def test_a_colour_table_is_read_or_derived(tmp_path: Path) -> None:
    colours = np.array([[0, 0, 0], [128, 64, 32], [9, 9, 9]], np.uint8)
    for number in range(4):
        found = ball(16, 20, at=(5.0 + number, 10.0))
        found[0] = 2
        save(tmp_path / f"images/{number}x.png", noisy(found, number))
        save(tmp_path / f"masks/{number}x.png", colours[found])
    derived = open_data(tmp_path)
    assert cases_of(derived).table.colours and derived.targets.names == ("background", "#090909", "#804020")
    (tmp_path / "classes.csv").write_text("r,g,b,name\n0,0,0,sky\n128,64,32,road\n9,9,9,void\n")
    inputs = cases_of(open_data(tmp_path))
    assert inputs.table.names == ("sky", "road") and inputs.table.void == (0x090909,)
    assert (mask_of(inputs.cases[0], inputs.table)[0] == VOID).all()
    (tmp_path / "classes.csv").write_text("r,g,b,name\n0,0,0,sky\n128,64,320,road\n")
    with pytest.raises(DataError, match=r"classes.csv, line 3: colours lie in 0 \.\. 255"):
        read_data(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("number,title\n1,a\n", "must have the columns"),
        ("value,name\n1,a\n1,b\n", "gives 1 to two classes"),
        ("value,name\n1,a\n2,a\n", "names a twice"),
        ("value,name\nx,a\n", "line 2"),
    ],
)
def test_a_wrong_table_is_told_by_its_line(tmp_path: Path, text: str, said: str) -> None:
    (pictures(tmp_path) / "classes.csv").write_text(text)
    with pytest.raises(DataError, match=said):
        read_data(tmp_path)


def stack(path: Path, count: int, *, seed: int = 0) -> tuple[Array, Array]:
    """Slices that drift: neighbours are alike, distant ones are not."""
    from scipy.ndimage import gaussian_filter

    field = gaussian_filter(np.random.default_rng(seed).normal(size=(count, 64, 64)), (2.0, 2.0, 2.0))
    image = np.clip(128 + 400 * field, 0, 255).astype(np.uint8)
    masks = (field > 0).astype(np.uint8) * np.uint8(255)
    pages = [[Image.fromarray(plane) for plane in both] for both in (image, masks)]
    for name, one in (("train-volume.tif", pages[0]), ("train-labels.tif", pages[1])):
        one[0].save(path / name, save_all=True, append_images=one[1:])
    return image, masks


def test_a_lone_stack_is_parted_in_blocks_with_one_slice_dropped(tmp_path: Path) -> None:
    image, masks = stack(tmp_path, 30)
    dataset = open_data(tmp_path)
    inputs = cases_of(dataset)
    assert (dataset.kind, inputs.spatial, inputs.within_volume, len(dataset)) == ("stack", 2, True, 28)
    assert dataset.given is not None and dataset.groups is not None
    pages = {name: [case.images[0].page for case, its in zip(inputs.cases, dataset.given, strict=True) if its == name]
             for name in ("train", "validation", "test")}  # fmt: skip
    assert pages == {"train": list(range(17)), "validation": list(range(18, 23)), "test": list(range(24, 30))}
    assert any("result says nothing of another one" in note for note in dataset.notes)
    assert np.array_equal(image_of(inputs.cases[20], 1)[0], image[21])
    assert np.array_equal(mask_of(inputs.cases[20], inputs.table), masks[21] // 255)
    parts = part(dataset, Splits(), 0)
    assert [len(parts.train), len(parts.validation), len(parts.test)] == [17, 5, 6]


def test_numbered_slices_are_a_stack_and_numbered_photographs_are_not(tmp_path: Path) -> None:
    image, masks = stack(tmp_path, 20)
    for folder, planes in (("image", image), ("label", masks)):
        for number, plane in enumerate(planes):
            save(tmp_path / "slices" / folder / f"{number}.png", plane)
    assert open_data(tmp_path / "slices").kind == "stack"
    assert len(open_data(tmp_path / "slices", ReadOptions(kind="image-masks"))) == 20
    assert open_data(pictures(tmp_path / "photographs", 12)).kind == "image-masks"
    with pytest.raises(ReaderError, match="a stack is one volume"):
        read_data(tmp_path / "slices", ReadOptions(group="x"))


def test_pages_and_masks_of_a_stack_must_be_as_many(tmp_path: Path) -> None:
    _, masks = stack(tmp_path, 12)
    pages = [Image.fromarray(plane) for plane in masks[:-1]]
    pages[0].save(tmp_path / "train-labels.tif", save_all=True, append_images=pages[1:])
    with pytest.raises(DataError, match=r"has 12 pages, but its masks train-labels\.tif have 11"):
        read_data(tmp_path)


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["patient01_frame1", "patient01_frame2", "patient02_frame1", "patient02_frame2"], ["patient01", "patient02"]),
        (["scan_a_slice_1", "scan_a_slice_2", "scan_b_slice_1", "scan_b_slice_2"], ["scan_a", "scan_b"]),
        (["a/1q", "a/2q", "b/1q", "b/2q"], ["a", "b"]),
        (["cats12", "cats13", "cats14", "dogs1"], []),
    ],
)
def test_slices_and_patients_stay_together(tmp_path: Path, names: list[str], groups: list[str]) -> None:
    for place, name in enumerate(names):
        save(tmp_path / f"images/{name}.png", noisy(ball(16, 20), place))
        save(tmp_path / f"masks/{name}.png", ball(16, 20))
    found = open_data(tmp_path).groups
    assert (sorted(set(found.tolist())) if found is not None else []) == groups


def test_drawn_parts_never_tear_a_group(tmp_path: Path) -> None:
    for place in range(30):
        save(tmp_path / f"images/patient{place // 3:02d}_s{place % 3}.png", noisy(ball(16, 20), place))
        save(tmp_path / f"masks/patient{place // 3:02d}_s{place % 3}.png", ball(16, 20))
    dataset = open_data(tmp_path)
    assert dataset.groups is not None
    for seed in range(5):
        parts = part(dataset, Splits(), seed)
        held = [set(dataset.groups[rows]) for rows in (parts.train, parts.validation, parts.test)]
        assert not (held[0] & held[1] or held[0] & held[2] or held[1] & held[2]) and all(held)


def test_dicom_series_and_masks_of_another_format(tmp_path: Path) -> None:
    import SimpleITK as sitk

    encoding = locale.getencoding()
    for number in range(3):
        mask = ball(5, 12, 10)
        folder = tmp_path / f"images/p{number}"
        folder.mkdir(parents=True)
        for place, plane in enumerate(noisy(mask, number).astype(np.int16)):
            slice_ = sitk.GetImageFromArray(plane[None])
            slice_.SetOrigin((0, 0, 2.0 * place))
            for tag, text in {
                "0020|000e": f"1.2.{number + 1}", "0020|0013": str(place), "0020|0032": f"0\\0\\{2.0 * place}",
                "0020|0037": "1\\0\\0\\0\\1\\0",
            }.items():  # fmt: skip
                slice_.SetMetaData(tag, text)
            writer = sitk.ImageFileWriter()
            writer.KeepOriginalImageUIDOn()
            writer.SetFileName(str(folder / f"{place}.dcm"))
            with kept_locale():
                writer.Execute(slice_)
        whole = sitk.GetImageFromArray(mask)
        whole.SetSpacing((1, 1, 2))
        (tmp_path / "masks").mkdir(exist_ok=True)
        sitk.WriteImage(whole, str(tmp_path / f"masks/p{number}.nrrd"))
    dataset = open_data(tmp_path)
    inputs = cases_of(dataset)
    assert (dataset.ids, inputs.spatial) == (("p0", "p1", "p2"), 3)
    assert inputs.cases[0].geometry.spacing == pytest.approx((2, 1, 1))
    seen = image_of(inputs.cases[1], 1)[0]
    assert seen[mask_of(inputs.cases[1], inputs.table) == 1].min() >= 90
    assert locale.getencoding() == encoding, "reading left another locale: text files would be read as ASCII"


def test_what_was_read_is_described(tmp_path: Path) -> None:
    said = describe(open_data(volumes(tmp_path, 4, affine=np.diag([1.0, 1.0, 2.5, 1.0]))))
    assert "Volumes with masks, 10 x 12 x 8 voxels, 1 x 1 x 2.5 mm apart, gray." in said
    assert any("2 classes of voxels; cases with each: background: 4, foreground: 4" in line for line in said)


def test_another_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="whose task is segmentation, not regression"):
        read_data(pictures(tmp_path), ReadOptions(task="regression"))


def test_the_hippocampus_of_the_decathlon(real_data: Path) -> None:
    folder = real_data / "msd_hippocampus"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    dataset = open_data(folder)
    inputs = cases_of(dataset)
    assert (len(dataset), inputs.spatial, inputs.channels, inputs.table.values) == (260, 3, 1, (0, 1, 2))
    assert not dataset.problems and (dataset.targets.values == 1).all()


def test_the_membranes_of_isbi_are_the_slices_that_the_challenge_split_into(real_data: Path) -> None:
    folder = real_data / "isbi2012_membrane"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not here")
    dataset = open_data(folder)
    assert dataset.kind == "stack" and dataset.given is not None
    names = [Path(case.images[0].path).stem for case in cases_of(dataset).cases]
    held = {name: [int(stem) + 1 for stem, its in zip(names, dataset.given, strict=True) if its == name]
            for name in ("train", "validation", "test")}  # fmt: skip
    assert held == {"train": list(range(1, 18)), "validation": list(range(19, 24)), "test": list(range(25, 31))}
