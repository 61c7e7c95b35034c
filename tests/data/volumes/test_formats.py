"""Every format: what a file says of itself, and masks that come back with the place and the numbers they had."""

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from fieldcraft.data.cases import ClassTable, Source
from fieldcraft.data.images import Unreadable
from fieldcraft.data.volumes.files import format_of, image_slabs, read_header, read_image, read_mask
from fieldcraft.data.volumes.header import BadFile
from fieldcraft.data.volumes.kept_locale import kept_locale
from fieldcraft.data.volumes.write import mask_name, write_map, write_mask
from fieldcraft.errors import DataError, MissingExtraError

TABLE = ClassTable(names=("background", "a", "b"), values=(0, 5, 200))
OBLIQUE = np.array([[0.0, -2.0, 0.1, 10.0], [1.5, 0.0, 0.0, -20.0], [0.0, 0.2, 3.0, 30.0], [0.0, 0.0, 0.0, 1.0]])


def source(path: Path) -> Source:
    found = format_of(path)
    assert found is not None
    return Source(path=path, format=found)


def values(*shape: int, seed: int = 0) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.random.default_rng(seed).integers(-500, 500, shape, dtype=np.int16)


def ids(*shape: int) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.random.default_rng(1).integers(0, 3, shape).astype(np.int16)


def nifti(path: Path, array: np.ndarray[Any, Any], affine: np.ndarray[Any, Any] = OBLIQUE) -> Source:
    nib.save(nib.Nifti1Image(array, affine), path)
    return source(path)


def itk(path: Path, array: np.ndarray[Any, Any]) -> Source:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing((0.5, 0.75, 3.0)[: array.ndim])
    image.SetOrigin((1.0, 2.0, 3.0)[: array.ndim])
    if array.ndim == 3:
        image.SetDirection((0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, 1.0))
    sitk.WriteImage(image, str(path))
    return source(path)


def dicom(folder: Path, array: np.ndarray[Any, Any], gaps: float = 2.5, skip: int | None = None) -> Source:
    folder.mkdir()
    for place, plane in enumerate(array):
        if place == skip:
            continue
        image = sitk.GetImageFromArray(plane[None])
        image.SetSpacing((0.8, 0.9, gaps))
        image.SetOrigin((-10.0, 20.0, gaps * place))
        for tag, text in {
            "0010|0020": "patient-7", "0020|000d": "1.2.3", "0020|000e": "1.2.3.4", "0020|0013": str(place),
            "0020|0032": f"-10\\20\\{gaps * place}", "0020|0037": "1\\0\\0\\0\\1\\0", "0008|0060": "CT",
        }.items():  # fmt: skip
            image.SetMetaData(tag, text)
        writer = sitk.ImageFileWriter()
        writer.KeepOriginalImageUIDOn()
        writer.SetFileName(str(folder / f"{place:03d}.dcm"))
        with kept_locale():
            writer.Execute(image)
    return source(folder)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_keeps_its_axes_affine_spacing_and_orientation(tmp_path: Path, name: str) -> None:
    array = values(5, 6, 7)
    like = nifti(tmp_path / name, array)
    header = read_header(like)
    assert header.geometry.shape == (5, 6, 7)
    assert np.allclose(header.geometry.spacing, np.linalg.norm(OBLIQUE[:3, :3], axis=0))
    assert header.geometry.orientation == "ALS"
    assert (header.channels, header.dtype) == (1, "int16")
    assert np.array_equal(read_image(like)[0], array)
    mask = ids(5, 6, 7)
    back = nib.load(write_mask(mask, like, tmp_path / "out" / mask_name(like), TABLE))
    model = nib.load(like.path)
    assert np.array_equal(np.asarray(back.dataobj), np.array(TABLE.values)[mask])
    assert np.allclose(back.affine, model.affine) and back.header["sform_code"] == model.header["sform_code"]
    assert nib.aff2axcodes(back.affine) == ("A", "L", "S")


def test_nifti_in_pieces_is_nifti_as_a_whole(tmp_path: Path) -> None:
    like = nifti(tmp_path / "a.nii.gz", values(5, 6, 7))
    found = list(image_slabs(like, 5 * 6 * 2))
    assert [(axis, first) for axis, first, _ in found] == [(2, 0), (2, 2), (2, 4), (2, 6)]
    assert np.array_equal(np.concatenate([piece for _, _, piece in found], axis=3), read_image(like))


def test_scaled_nifti_and_axes_of_length_one(tmp_path: Path) -> None:
    image = nib.Nifti1Image(values(5, 6, 1).astype(np.float32), np.eye(4))
    image.header.set_data_dtype(np.int16)
    image.header.set_slope_inter(0.5, 3.0)
    nib.save(image, tmp_path / "flat.nii.gz")
    like = source(tmp_path / "flat.nii.gz")
    assert read_header(like).geometry.shape == (5, 6)
    assert read_header(like).dtype == "float32"
    back = nib.load(write_mask(ids(5, 6), like, tmp_path / "mask.nii.gz", TABLE))
    assert back.shape == (5, 6, 1) and back.header.get_slope_inter() in ((1.0, 0.0), (None, None))
    assert np.array_equal(np.asarray(back.dataobj)[..., 0], np.array(TABLE.values)[ids(5, 6)])


@pytest.mark.parametrize("name", ["a.nrrd", "a.mha"])
@pytest.mark.parametrize("shape", [(4, 5, 6), (5, 6)])
def test_itk_files_keep_spacing_origin_and_direction(tmp_path: Path, name: str, shape: tuple[int, ...]) -> None:
    like = itk(tmp_path / name, values(*shape))
    header = read_header(like)
    assert header.geometry.shape == shape
    assert np.allclose(header.geometry.spacing, (3.0, 0.75, 0.5)[-len(shape) :])
    assert np.array_equal(read_image(like)[0], values(*shape))
    path = write_mask(ids(*shape), like, tmp_path / "out" / name, TABLE)
    back, model = sitk.ReadImage(str(path)), sitk.ReadImage(str(like.path))
    assert np.array_equal(sitk.GetArrayFromImage(back), np.array(TABLE.values)[ids(*shape)])
    assert np.allclose(back.GetOrigin(), model.GetOrigin()) and np.allclose(back.GetDirection(), model.GetDirection())


def test_itk_and_nibabel_place_one_file_alike(tmp_path: Path) -> None:
    """The same NIfTI through both: the affine of z, y, x is that of x, y, z with its columns turned round."""
    affine = np.diag([-2.0, -3.0, 4.0, 1.0])
    affine[:3, 3] = (5, 6, 7)
    first = read_header(nifti(tmp_path / "a.nii.gz", values(4, 5, 6), affine))
    sitk.WriteImage(sitk.ReadImage(str(tmp_path / "a.nii.gz")), str(tmp_path / "a.nrrd"))
    second = read_header(source(tmp_path / "a.nrrd"))
    assert np.allclose(np.array(second.geometry.affine)[:, [2, 1, 0, 3]], first.geometry.affine)
    assert second.geometry.orientation == first.geometry.orientation[::-1]


def test_a_dicom_series_is_one_volume_and_its_mask_a_series_of_the_same_patient(tmp_path: Path) -> None:
    like = dicom(tmp_path / "scan", values(5, 6, 7))
    header = read_header(like)
    assert header.geometry.shape == (5, 6, 7)
    assert np.allclose(header.geometry.spacing, (2.5, 0.9, 0.8), atol=1e-4)
    assert header.geometry.orientation == "SPL"
    assert np.array_equal(read_image(like)[0], values(5, 6, 7))
    path = write_mask(ids(5, 6, 7), like, tmp_path / "out" / mask_name(like), TABLE)
    back = source(path)
    assert np.array_equal(read_mask(back)[0], np.array(TABLE.values)[ids(5, 6, 7)])
    assert read_header(back).geometry == header.geometry
    one = sitk.ReadImage(str(next(path.iterdir())))
    assert one.GetMetaData("0010|0020").strip() == "patient-7"


def test_a_dicom_series_with_a_slice_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="one is missing"):
        read_header(dicom(tmp_path / "scan", values(6, 4, 4), skip=3))


def test_a_tiff_stack_knows_its_pages_and_what_imagej_says(tmp_path: Path) -> None:
    pages = [Image.fromarray(plane) for plane in values(4, 5, 6).astype(np.uint16)]
    said = "ImageJ=1.53\nimages=4\nslices=4\nunit=micron\nspacing=5.0\n"
    pages[0].save(
        tmp_path / "a.tif",
        save_all=True,
        append_images=pages[1:],
        description=said,
        x_resolution=0.5,
        y_resolution=0.25,
    )
    like = source(tmp_path / "a.tif")
    header = read_header(like)
    assert (header.geometry.shape, header.dtype, header.geometry.unit) == ((4, 5, 6), "uint16", "mm")
    assert np.allclose(header.geometry.spacing, (0.005, 0.004, 0.002))
    assert np.array_equal(read_image(like)[0], values(4, 5, 6).astype(np.uint16))
    page = Source(path=like.path, format="tiff-stack", page=2)
    assert read_header(page).geometry.shape == (5, 6)
    assert np.array_equal(read_image(page)[0], values(4, 5, 6).astype(np.uint16)[2])
    back = source(write_mask(ids(4, 5, 6), like, tmp_path / "mask.tif", TABLE))
    assert np.array_equal(read_mask(back)[0], np.array(TABLE.values)[ids(4, 5, 6)])
    fractions = np.linspace(0, 1, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    assert np.array_equal(read_image(source(write_map(fractions, like, tmp_path / "map.tif")))[0], fractions)


def test_pictures_as_masks_hold_numbers_palettes_or_colours(tmp_path: Path) -> None:
    numbers = ids(5, 6).astype(np.uint8)
    palette = Image.fromarray(numbers)
    palette.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "p.png")
    assert np.array_equal(read_mask(source(tmp_path / "p.png"))[0], numbers)
    colours = ClassTable(names=("sky", "road"), values=(0x0000FF, 0x804020), colours=True)
    like = source(tmp_path / "p.png")
    found, coloured = read_mask(source(write_mask(numbers % 2, like, tmp_path / "c.png", colours)))
    assert coloured and np.array_equal(colours.ids(found), numbers % 2)
    Image.fromarray(np.repeat(numbers[..., None], 3, axis=2)).save(tmp_path / "g.png")
    found, coloured = read_mask(source(tmp_path / "g.png"))
    assert not coloured and np.array_equal(found, numbers)
    Image.fromarray(numbers > 0).save(tmp_path / "b.png")
    assert set(np.unique(read_mask(source(tmp_path / "b.png"))[0])) <= {0, 1, 255}


def test_the_mask_of_a_jpeg_is_a_png(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(tmp_path / "photo.jpg")
    like = source(tmp_path / "photo.jpg")
    assert mask_name(like) == "photo.png"
    back = source(write_mask(ids(8, 8), like, tmp_path / "out" / "photo.png", TABLE))
    assert np.array_equal(read_mask(back)[0], np.array(TABLE.values)[ids(8, 8)])
    with pytest.raises(BadFile, match="lossy JPEG"):
        read_mask(like)
    with pytest.raises(DataError, match=r"\.tif"):
        write_map(np.zeros((8, 8)), like, tmp_path / "map.png")


def test_what_is_wrong_with_a_file_is_said(tmp_path: Path) -> None:
    whole = nifti(tmp_path / "a.nii.gz", values(20, 20, 20)).path.read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(Unreadable, match="cut short"):
        read_image(source(tmp_path / "cut.nii.gz"))
    with pytest.raises(BadFile, match="5 axes") as caught:
        read_header(nifti(tmp_path / "b.nii.gz", values(3, 3, 3, 2, 2)))
    assert caught.value.kind == "too-many-axes"
    broken = nib.Nifti1Image(values(3, 4, 5), None)
    broken.header["pixdim"][1] = 0.0
    nib.save(broken, tmp_path / "z.nii")
    raw = bytearray((tmp_path / "z.nii").read_bytes())
    raw[80:84] = b"\0\0\0\0"
    (tmp_path / "z.nii").write_bytes(raw)
    with pytest.raises(BadFile, match="spacing must be above zero") as caught:
        read_header(source(tmp_path / "z.nii"))
    assert caught.value.kind == "bad-spacing"
    (tmp_path / "empty.nrrd").write_bytes(b"")
    with pytest.raises(Unreadable):
        read_header(source(tmp_path / "empty.nrrd"))
    with pytest.raises(Unreadable, match="no such file"):
        read_image(Source(path=tmp_path / "gone.nii", format="nifti"))


def test_a_mask_of_another_shape_and_ids_without_a_class_are_refused(tmp_path: Path) -> None:
    like = nifti(tmp_path / "a.nii.gz", values(4, 5, 6))
    with pytest.raises(Unreadable, match="must have the shape"):
        write_mask(ids(4, 5, 5), like, tmp_path / "m.nii.gz", TABLE)
    with pytest.raises(DataError, match=r"0 \.\. 2"):
        write_mask(ids(4, 5, 6) + 1, like, tmp_path / "m.nii.gz", TABLE)
    assert not list(tmp_path.glob("*m.nii.gz"))


def test_a_single_dicom_file_is_a_picture_with_a_spacing(tmp_path: Path) -> None:
    folder = dicom(tmp_path / "scan", values(3, 6, 7)).path
    like = source(folder / "001.dcm")
    header = read_header(like)
    assert header.geometry.shape == (6, 7) and np.allclose(header.geometry.spacing, (0.9, 0.8), atol=1e-4)
    assert np.array_equal(read_image(like)[0], values(3, 6, 7)[1])
    back = write_mask(ids(6, 7), like, tmp_path / "out" / mask_name(like), TABLE)
    assert np.array_equal(read_mask(source(next(back.iterdir())))[0], np.array(TABLE.values)[ids(6, 7)])


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    like = nifti(tmp_path / "a.nii.gz", values(4, 5, 6))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for path in (like.path, tmp_path / "a.nrrd", tmp_path / "a.dcm"):
        with pytest.raises(MissingExtraError, match=r"fieldcraft\[medical\]"):
            read_header(source(path))
