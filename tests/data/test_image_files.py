"""Every format and depth: what is written comes back, through a slow encoder of our own where Pillow has none."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldcraft.data.deep_png import read_deep_png
from fieldcraft.data.image_arrays import as_images, resized, with_channels, with_depth
from fieldcraft.data.images import Header, Unreadable, load_image, read_header
from fieldcraft.errors import DataError

RANDOM = np.random.default_rng(0)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda value: abs(guess - value))


def deep_png(pixels: np.ndarray, filters: list[int]) -> bytes:
    """A 16-bit PNG, byte by byte as the specification says."""
    height, width, channels = pixels.shape
    step, colour = 2 * channels, {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = pixels.astype(">u2").tobytes()
    stride, out = width * step, b""
    for y in range(height):
        out += bytes([filters[y]])
        for x in range(stride):
            here = rows[y * stride + x]
            left = rows[y * stride + x - step] if x >= step else 0
            up = rows[(y - 1) * stride + x] if y else 0
            corner = rows[(y - 1) * stride + x - step] if y and x >= step else 0
            guess = (0, left, up, (left + up) // 2, paeth(left, up, corner))[filters[y]]
            out += bytes([(here - guess) % 256])
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    body = zlib.compress(out)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", body[:7]), chunk(b"IDAT", body[7:]), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def deep_tiff(pixels: np.ndarray, *, order: str, deflate: bool, predictor: bool) -> bytes:
    """A 16-bit colour TIFF in two strips."""
    height, width, channels = pixels.shape
    stored = pixels.copy()
    if predictor:
        stored[:, 1:] = pixels[:, 1:] - pixels[:, :-1]
    cut = height // 2
    strips = [stored[:cut].astype(f"{order}u2").tobytes(), stored[cut:].astype(f"{order}u2").tobytes()]
    strips = [zlib.compress(strip) for strip in strips] if deflate else strips
    bits_at, offsets_at = 8, 8 + 2 * channels
    counts_at = offsets_at + 8
    first = counts_at + 8
    starts = [first, first + len(strips[0])]
    directory = first + sum(map(len, strips))
    body = struct.pack(f"{order}{channels}H", *[16] * channels) + struct.pack(f"{order}2I", *starts)
    body += struct.pack(f"{order}2I", *map(len, strips)) + b"".join(strips)
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, channels, bits_at), (259, 3, 1, 8 if deflate else 1)]
    tags += [(262, 3, 1, 2), (273, 4, 2, offsets_at), (277, 3, 1, channels), (278, 4, 1, cut), (279, 4, 2, counts_at)]
    tags += [(284, 3, 1, 1), (317, 3, 1, 2 if predictor else 1)]
    entries = b""
    for tag, kind, count, value in tags:
        short = kind == 3 and count == 1
        packed = struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
        entries += struct.pack(f"{order}HHI", tag, kind, count) + packed
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, directory)
    return head + body + struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", 0)


def load(path: Path, height: int, width: int, channels: int, bits: int) -> np.ndarray:
    return load_image(path, height=height, width=width, channels=channels, depth_bits=bits)


@pytest.mark.parametrize("suffix", ["png", "tiff", "bmp", "webp"])
@pytest.mark.parametrize("channels", [1, 3])
def test_lossless_formats_give_back_the_pixels(tmp_path: Path, suffix: str, channels: int) -> None:
    pixels = RANDOM.integers(0, 256, (9, 13, channels)).astype(np.uint8)
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(pixels.squeeze()).save(path, **({"lossless": True} if suffix == "webp" else {}))
    assert (load(path, 9, 13, channels, 8) == pixels).all()
    # WebP has no gray: it comes back as three equal channels.
    assert read_header(path) == Header(9, 13, 3 if suffix == "webp" else channels, 8)


def test_jpeg_is_read_at_its_size_and_near_its_values(tmp_path: Path) -> None:
    pixels = np.full((64, 48, 3), (200, 100, 50), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.jpg", quality=95)
    assert read_header(tmp_path / "a.jpg") == Header(64, 48, 3, 8)
    assert np.abs(load(tmp_path / "a.jpg", 64, 48, 3, 8).astype(int) - pixels).max() <= 3
    assert np.abs(load(tmp_path / "a.jpg", 8, 6, 3, 8).astype(int) - (200, 100, 50)).max() <= 3


def test_jpeg_turned_by_exif_stands_upright(tmp_path: Path) -> None:
    pixels = np.zeros((40, 20), np.uint8)
    pixels[:20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter clockwise
    Image.fromarray(np.rot90(pixels)).save(tmp_path / "a.jpg", exif=exif)
    assert read_header(tmp_path / "a.jpg") == Header(40, 20, 1, 8)
    assert np.abs(load(tmp_path / "a.jpg", 40, 20, 1, 8)[..., 0].astype(int) - pixels).max() < 40


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_gray_of_16_bits_stays_whole(tmp_path: Path, suffix: str) -> None:
    pixels = RANDOM.integers(0, 65536, (7, 5)).astype(np.uint16)
    Image.fromarray(pixels).save(tmp_path / f"a.{suffix}")
    assert read_header(tmp_path / f"a.{suffix}") == Header(7, 5, 1, 16)
    assert (load(tmp_path / f"a.{suffix}", 7, 5, 1, 16)[..., 0] == pixels).all()


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 6), st.integers(1, 6), st.sampled_from([1, 2, 3, 4]))
def test_deep_png_equals_what_a_slow_encoder_wrote(data: st.DataObject, height: int, width: int, channels: int) -> None:
    filters = data.draw(st.lists(st.integers(0, 4), min_size=height, max_size=height))
    seed = data.draw(st.integers(0, 2**32 - 1))
    pixels = np.random.default_rng(seed).integers(0, 65536, (height, width, channels)).astype(np.uint16)
    assert (read_deep_png(deep_png(pixels, filters)) == pixels).all()


def test_deep_colour_png_is_read_whole_and_agrees_with_pillow_on_the_upper_bytes(tmp_path: Path) -> None:
    pixels = RANDOM.integers(0, 65536, (12, 9, 3)).astype(np.uint16)
    path = tmp_path / "a.png"
    path.write_bytes(deep_png(pixels, [row % 5 for row in range(12)]))
    assert read_header(path) == Header(12, 9, 3, 16)
    assert (load(path, 12, 9, 3, 16) == pixels).all()
    with Image.open(path) as image:
        assert (np.asarray(image.convert("RGB")) == pixels >> 8).all()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("predictor", [False, True])
def test_deep_colour_tiff_is_read_whole(tmp_path: Path, order: str, deflate: bool, predictor: bool) -> None:
    pixels = RANDOM.integers(0, 65536, (8, 11, 3)).astype(np.uint16)
    path = tmp_path / "a.tif"
    path.write_bytes(deep_tiff(pixels, order=order, deflate=deflate, predictor=predictor))
    assert read_header(path) == Header(8, 11, 3, 16)
    assert (load(path, 8, 11, 3, 16) == pixels).all()


def test_float_tiff_keeps_its_numbers(tmp_path: Path) -> None:
    pixels = RANDOM.normal(size=(6, 4)).astype(np.float32)
    Image.fromarray(pixels).save(tmp_path / "a.tiff")
    assert read_header(tmp_path / "a.tiff") == Header(6, 4, 1, 32)
    assert (load(tmp_path / "a.tiff", 6, 4, 1, 32)[..., 0] == pixels).all()


def test_gray_palettes_count_as_gray_and_alpha_is_dropped(tmp_path: Path) -> None:
    gray = Image.fromarray(RANDOM.integers(0, 256, (8, 8)).astype(np.uint8))
    gray.convert("P").save(tmp_path / "gray.png")
    colour = Image.fromarray(RANDOM.integers(0, 256, (8, 8, 4)).astype(np.uint8))
    colour.save(tmp_path / "alpha.png")
    assert read_header(tmp_path / "gray.png").channels == 1
    assert (load(tmp_path / "gray.png", 8, 8, 1, 8)[..., 0] == np.asarray(gray)).all()
    assert (load(tmp_path / "alpha.png", 8, 8, 3, 8) == np.asarray(colour)[..., :3]).all()


def test_damaged_files_say_why(tmp_path: Path) -> None:
    Image.fromarray(RANDOM.integers(0, 256, (64, 64, 3)).astype(np.uint8)).save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:3000])
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no picture")
    reasons = {"cut": "damaged", "empty": "the file is empty", "text": "is no image", "absent": "no such file"}
    for name, reason in reasons.items():
        with pytest.raises(Unreadable, match=reason):
            load(tmp_path / f"{name}.png", 8, 8, 3, 8)


def test_depths_keep_black_and_white() -> None:
    levels = np.array([0, 1, 128, 255], np.uint8)
    assert with_depth(levels, 16).tolist() == [0, 257, 128 * 257, 65535]
    assert (with_depth(with_depth(levels, 16), 8) == levels).all()
    assert with_depth(np.array([-3.0, 254.6, 999.0], np.float32), 8).tolist() == [0, 255, 255]


def test_channels_are_repeated_or_weighed_as_pillow_does() -> None:
    colour = RANDOM.integers(0, 256, (5, 5, 3)).astype(np.uint8)
    gray = np.asarray(Image.fromarray(colour).convert("L")).astype(int)
    assert np.abs(with_channels(colour, 1)[..., 0].astype(int) - gray).max() <= 1
    assert (with_channels(colour[..., :1], 3) == colour[..., :1]).all()
    with pytest.raises(ValueError, match="5 channels, 3 are needed"):
        with_channels(np.zeros((2, 2, 5), np.uint8), 3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_resizing_keeps_dtype_and_flat_colour(dtype: type, channels: int) -> None:
    flat = np.full((12, 10, channels), 77, dtype)
    small = resized(flat, 5, 7)
    assert small.shape == (5, 7, channels) and small.dtype == dtype and np.allclose(small, 77)
    assert resized(flat, 12, 10) is flat


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((6, 8, 8), (6, 8, 8, 1)),
        ((6, 8, 8, 3), (6, 8, 8, 3)),
        ((6, 3, 8, 8), (6, 8, 8, 3)),
        ((6, 1, 8, 9), (6, 8, 9, 1)),
        ((6, 8, 9, 1), (6, 8, 9, 1)),
        ((6, 16, 16, 7), (6, 16, 16, 7)),
        ((6, 7, 16, 16), (6, 16, 16, 7)),
        ((6, 3, 3, 3), (6, 3, 3, 3)),
    ],
)
def test_the_axis_of_channels_is_found(shape: tuple[int, ...], expected: tuple[int, ...]) -> None:
    pixels, notes = as_images(np.zeros(shape, np.uint8))
    assert pixels.shape == expected and notes


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (np.zeros((2, 4, 4), bool), np.uint8),
        (np.full((2, 4, 4), 255, np.int64), np.uint8),
        (np.full((2, 4, 4), 256, np.int32), np.uint16),
        (np.full((2, 4, 4), -1, np.int16), np.float32),
        (np.full((2, 4, 4), 0.5), np.float32),
    ],
)
def test_numbers_are_kept_in_the_smallest_dtype_that_holds_them(values: np.ndarray, dtype: type) -> None:
    pixels, _ = as_images(values)
    assert pixels.dtype == dtype and (pixels[..., 0] == values).all()


def test_what_is_no_image_is_refused() -> None:
    for values, message in (
        (np.zeros((2, 8, 8, 8)), "volumes"),
        (np.zeros(5), "3 or 4 axes"),
        (np.zeros((0, 8, 8)), "nothing in it"),
        (np.full((3, 2, 2), np.nan), "3 sample"),
        (np.array([[["a"]]]), "must hold numbers"),
        (np.zeros((2, 100, 90, 80)), "no axis of channels"),
    ):
        with pytest.raises(DataError, match=message):
            as_images(values)
