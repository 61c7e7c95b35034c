"""Images in buckets: which goes where, what is cut off, batches of one bucket each, every sample as often."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fieldcraft.data import buckets as module
from fieldcraft.data.bucket_order import BucketOrder
from fieldcraft.data.buckets import BucketPixels, assigned, decode_buckets
from fieldcraft.data.image_arrays import covering, middle
from fieldcraft.data.images import load_image
from fieldcraft.data.inputs import read_bucketed_images
from fieldcraft.data.loader import Batches
from fieldcraft.data.open import open_data
from fieldcraft.errors import PlanError
from fieldcraft.plan.buckets import cut_off, misfit, nearest
from fieldcraft.plan.schema import Augment, Bucket, Execution
from fieldcraft.train.engine import engine
from fieldcraft.train.evaluate import outputs

CPU = torch.device("cpu")
WIDE, TALL, SQUARE = Bucket(height=8, width=16), Bucket(height=16, width=8), Bucket(height=12, width=12)
SIDES = st.integers(1, 300)


@given(height=SIDES, width=SIDES, to_height=SIDES, to_width=SIDES)
def test_the_share_cut_off_is_what_the_middle_leaves(height: int, width: int, to_height: int, to_width: int) -> None:
    left, top, right, bottom = middle(height, width, to_height, to_width)
    lost = cut_off(height, width, Bucket(height=to_height, width=to_width))
    assert lost == pytest.approx(1 - (right - left) * (bottom - top) / (height * width), abs=1e-9)
    assert (right - left) / (bottom - top) == pytest.approx(to_width / to_height)
    assert left >= 0 and top >= 0 and min(left, top) == pytest.approx(0, abs=1e-9)


@given(height=SIDES, width=SIDES)
def test_a_size_fits_itself_and_goes_where_it_loses_least(height: int, width: int) -> None:
    assert misfit(height, width, Bucket(height=height, width=width)) == 0
    some = (WIDE, TALL, SQUARE)
    chosen = nearest(height, width, some)
    assert all(misfit(height, width, some[chosen]) <= misfit(height, width, one) for one in some)


@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(any),
    batch=st.integers(1, 12), seed=st.integers(0, 3),
)  # fmt: skip
def test_every_batch_is_of_one_bucket_and_every_sample_comes_as_often(counts: list[int], batch: int, seed: int) -> None:
    bucket = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    rows = np.arange(len(bucket)) + 100
    batch = min(batch, len(rows))
    order = BucketOrder.of(rows, bucket, batch, seed, "small")
    steps = [order.at(step) for step in range(60)]
    assert all(len(one) == batch and len(set(bucket[one - 100])) == 1 for one in steps)
    epochs = 60 * batch // len(rows)
    done = 0
    while order._before(done + 1) <= 60:
        done += 1
    assert epochs <= done + 1 or min(counts) < batch
    for number, count in enumerate(counts):
        given_ = [one for one in steps[: order._before(done)] if bucket[one[0] - 100] == number]
        assert len(given_) == done * count // batch
        seen = Counter(np.concatenate([*given_, np.empty(0, np.int64)]).tolist())
        times = [seen[row] for row in rows[bucket == number].tolist()]
        assert max(times, default=0) - min(times, default=0) <= 1
    for step in (59, 0, 31):
        assert np.array_equal(BucketOrder.of(rows, bucket, batch, seed, "small").at(step), steps[step])
        assert np.array_equal(order.at(step), steps[step])


def test_the_order_of_buckets_is_drawn_anew_each_epoch_and_by_name_and_seed() -> None:
    bucket = np.repeat([0, 1, 2], 20)
    order = BucketOrder.of(np.arange(60), bucket, 4, 0, "a")
    others = (order.epoch(1), order.drawn_by(1).epoch(0), BucketOrder.of(np.arange(60), bucket, 4, 0, "b").epoch(0))
    assert all(not np.array_equal(order.epoch(0), one) for one in others)
    assert not np.array_equal(order.orders[0].epoch(0), order.drawn_by(1).orders[0].epoch(0))
    assert sorted(order.epoch(0)) == [0] * 5 + [1] * 5 + [2] * 5


def test_classes_are_evened_out_within_each_bucket() -> None:
    bucket, classes = np.repeat([0, 1], 40), np.tile([0, 0, 0, 1], 20)
    order = BucketOrder.of(np.arange(80), bucket, 8, 0, "a").evened(classes, 0.0)
    seen = np.concatenate([order.at(step) for step in range(10)])
    assert Counter(classes[seen].tolist()) == {0: 40, 1: 40}
    assert all(len(set(bucket[order.at(step)])) == 1 for step in range(10))


def mixed(folder: Path, count: int = 24) -> Path:
    """A folder a class of wide, tall and square pictures in three sizes each; the class is the brighter half."""
    random = np.random.default_rng(0)
    for number in range(count):
        height, width = ((10, 21), (20, 11), (13, 13), (30, 60))[number % 4]
        image = random.integers(0, 100, (height, width, 3)).astype(np.uint8)
        kind = ("top", "bottom")[number // 4 % 2]
        half = slice(None, height // 2) if kind == "top" else slice(height // 2, None)
        image[half] += 100
        (folder / kind).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / kind / f"{number:03}.png")
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return mixed(tmp_path / "mixed")


BUCKETS = (WIDE, SQUARE, TALL)


def test_each_image_is_decoded_once_at_the_size_of_its_bucket(source: Path, tmp_path: Path) -> None:
    dataset = open_data(source)
    found = decode_buckets(dataset, BUCKETS, tmp_path / "cache")
    assert [one.shape for one in found.pixels] == [(12, 8, 16, 3), (6, 12, 12, 3), (6, 16, 8, 3)]
    assert np.array_equal(found.of, assigned(dataset.inputs.sizes, BUCKETS))  # type: ignore[union-attr]
    for row, path in enumerate(dataset.inputs.paths):  # type: ignore[union-attr]
        bucket = BUCKETS[found.of[row]]
        with Image.open(path) as image:
            box = middle(image.height, image.width, bucket.height, bucket.width)
            expected = image.resize((bucket.width, bucket.height), Image.Resampling.BILINEAR, box)
        assert np.array_equal(found.pixels[found.of[row]][found.place[row]], np.asarray(expected))


def test_files_in_the_cache_hold_the_same_and_are_used_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = open_data(source)
    near = decode_buckets(dataset, (*BUCKETS, Bucket(height=500, width=3)), tmp_path / "cache")
    assert len(near.pixels[3]) == 0 and not (tmp_path / "cache").exists()
    monkeypatch.setattr(module, "free_room_mib", lambda: 0.0)
    far = decode_buckets(dataset, BUCKETS, tmp_path / "cache")
    assert all(isinstance(one, np.memmap) for one in far.pixels)
    assert all(np.array_equal(one, two) for one, two in zip(far.pixels, near.pixels, strict=False))
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(written) == 3
    decode_buckets(dataset, BUCKETS, tmp_path / "cache")
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}


def test_arrays_have_one_size_already(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"arrays of one size: set input\.buckets = \[\]"):
        decode_buckets(open_data("digits"), BUCKETS, tmp_path)


@pytest.mark.parametrize("bits", [8, 16])
def test_covering_an_array_is_reading_the_file_that_way(tmp_path: Path, bits: int) -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 2**bits, (20, 30, 1)).astype(np.uint8 if bits == 8 else np.uint16)
    Image.fromarray(pixels[..., 0]).save(tmp_path / "one.png")
    found = load_image(tmp_path / "one.png", height=10, width=10, channels=1, depth_bits=bits, cover=True)
    assert np.array_equal(found, covering(pixels, 10, 10))
    inside = covering(pixels[:, 5:25], 10, 10)
    assert np.array_equal(found[:, 1:-1], inside[:, 1:-1]), "only at the rim the filter looks beyond"


def test_images_for_prediction_come_in_their_buckets(source: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", x=np.zeros((2, 9, 20, 3), np.uint8))
    names, images, problems = read_bucketed_images(
        [source / "top", tmp_path / "arrays.npz", tmp_path / "none.png"], buckets=BUCKETS, channels=3
    )
    assert len(names) == len(images) == 14 and len(problems) == 1
    assert Counter(image.shape for image in images) == {(8, 16, 3): 8, (12, 12, 3): 3, (16, 8, 3): 3}


def made_batches(augment: Augment | None = None, batch: int = 8) -> Batches:
    random = np.random.default_rng(0)
    shapes, counts = ((8, 16), (12, 12), (16, 8)), (20, 15, 25)
    of = random.permutation(np.repeat([0, 1, 2], counts))
    place = np.zeros(60, np.int64)
    for one in range(3):
        place[of == one] = np.arange(counts[one])
    stored = tuple(
        random.integers(0, 256, (count, *shape, 3)).astype(np.uint8)
        for count, shape in zip(counts, shapes, strict=True)
    )
    return Batches.of_buckets(
        BucketPixels(pixels=stored, of=of, place=place), np.arange(50), torch.arange(60), mean=(1.0, 2.0, 3.0),
        std=(2.0, 3.0, 4.0), augment=augment, batch=batch, device=CPU, channels_last=False, seed=0, name="small",
    )  # fmt: skip


def test_a_training_batch_holds_the_pixels_of_its_rows() -> None:
    batches = made_batches()
    assert {batches.training_batch(step).inputs.shape for step in range(12)} == {
        (8, 3, 8, 16), (8, 3, 12, 12), (8, 3, 16, 8),
    }  # fmt: skip
    batch = batches.training_batch(5)
    images = batches.source
    for row, seen in zip(batch.rows.tolist(), batch.inputs, strict=True):
        stored = images.buckets[images.of[row]].store.stored[images.place[row]]  # type: ignore[union-attr]
        expected = ((stored.float() - torch.tensor([1.0, 2, 3])) / torch.tensor([2.0, 3, 4])).permute(2, 0, 1)
        torch.testing.assert_close(seen, expected)
    assert torch.equal(batch.targets, batch.rows)


def test_augmented_batches_are_the_same_at_any_time() -> None:
    changes = Augment(crop_px=2, flip_horizontal=True, rotate_deg=5, erase=0.3)
    late = made_batches(changes).training_batch(7)
    batches = made_batches(changes)
    for step in range(7):
        batches.training_batch(step)
    assert torch.equal(batches.training_batch(7).inputs, late.inputs)
    assert not torch.equal(late.inputs, made_batches().training_batch(7).inputs)


@pytest.mark.parametrize("size", [1, 4, 512])
def test_outputs_are_in_the_order_of_the_rows(size: int) -> None:
    batches = made_batches().of_rows(np.array([3, 59, 0, 22, 41, 7, 30], np.int64))
    mean = torch.nn.AdaptiveAvgPool2d(1)
    found = outputs(torch.nn.Sequential(mean, torch.nn.Flatten()), batches, engine(Execution()), exact=True, size=size)
    for row, value in zip(batches.rows, found, strict=True):
        alone = next(iter(batches.of_rows(np.array([row])).evaluation_batches(1)))
        np.testing.assert_allclose(value, alone.inputs.mean(dim=(2, 3))[0], rtol=1e-5, atol=1e-5)


def test_a_batch_of_several_buckets_is_refused() -> None:
    batches = made_batches()
    with pytest.raises(ValueError, match="must be of one bucket, but got images of 3"):
        batches.source.evaluation(np.arange(50))


def test_memory_is_that_of_the_largest_bucket_and_time_that_of_a_typical_one() -> None:
    batches = made_batches()
    assert batches.largest().training_batch(0).inputs.shape[2:] == (12, 12)
    assert batches.typical().training_batch(0).inputs.shape[2:] in {(8, 16), (16, 8)}
    plain = Batches.of_features(
        np.zeros((4, 3), np.float32), np.arange(4), torch.zeros(4), batch=2, device=CPU, seed=0, name=""
    )
    assert plain.largest() is plain and plain.typical() is plain
