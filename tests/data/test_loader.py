import math
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.data.loader import Batch, Batches
from fieldcraft.data.order import Order
from fieldcraft.data.pixel_store import PixelStore, mapping_of
from fieldcraft.plan.schema import Augment

CPU = torch.device("cpu")
CHANGES = Augment(crop_px=2, flip_horizontal=True, rotate_deg=5, erase=0.3)


def pixels(dtype: type = np.uint8, count: int = 40) -> np.ndarray:
    random = np.random.default_rng(0)
    if dtype == np.float32:
        return random.normal(size=(count, 6, 5, 3)).astype(np.float32)
    return random.integers(0, np.iinfo(dtype).max + 1, (count, 6, 5, 3)).astype(dtype)


def of_images(
    array: np.ndarray, *, augment: Augment | None = None, rows: np.ndarray | None = None, **settings
) -> Batches:
    chosen = {"batch": 8, "device": CPU, "channels_last": True, "seed": 0, "name": "small", **settings}
    rows = np.arange(len(array)) if rows is None else rows
    targets = torch.arange(len(array))
    return Batches.of_images(array, rows, targets, mean=(1.0, 2.0, 3.0), std=(2.0, 3.0, 4.0), augment=augment, **chosen)


@settings(deadline=None)
@given(count=st.integers(1, 30), batch=st.integers(1, 30), seed=st.integers(0, 5), steps=st.integers(1, 20))
def test_every_sample_comes_once_an_epoch_and_any_step_stands_alone(count, batch, seed, steps) -> None:
    rows = np.arange(100, 100 + count)
    batch = min(batch, count)
    order = Order(rows, batch, seed, "small")
    in_turn = np.concatenate([order.at(step) for step in range(steps)])
    for epoch in range(len(in_turn) // count):
        assert sorted(in_turn[epoch * count : (epoch + 1) * count]) == rows.tolist()
    for step in reversed(range(steps)):
        alone = Order(rows, batch, seed, "small").at(step)
        assert np.array_equal(alone, in_turn[step * batch : (step + 1) * batch])
        assert np.array_equal(order.at(step), alone), "going back gives the same"
    assert len(order._epochs) <= 2


def test_orders_differ_by_epoch_name_and_seed() -> None:
    rows = np.arange(50)
    order = Order(rows, 5, 0, "a")
    others = (order.epoch(1), Order(rows, 5, 1, "a").epoch(0), Order(rows, 5, 0, "b").epoch(0))
    assert all(not np.array_equal(order.epoch(0), other) for other in others)


@pytest.mark.parametrize("batch", [0, 6])
def test_batches_larger_than_the_data_are_refused_by_the_order(batch: int) -> None:
    with pytest.raises(ValueError, match="batch"):
        Order(np.arange(5), batch, 0, "a")


def test_batches_larger_than_the_data_are_all_of_it() -> None:
    batches = of_images(pixels(), batch=100, rows=np.array([3, 9, 30]))
    assert sorted(batches.training_batch(4).rows.tolist()) == [3, 9, 30]


@pytest.mark.parametrize("channels_last", [True, False])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("augment", [None, Augment()])
def test_without_changes_it_is_the_plain_normalised_image(dtype, channels_last, augment) -> None:
    array = pixels(dtype)
    batches = of_images(array, augment=augment, channels_last=channels_last)
    batch = batches.training_batch(2)
    slow = (array[batch.rows.numpy()].astype(np.float64) - [1, 2, 3]) / [2, 3, 4]
    np.testing.assert_allclose(batch.inputs.numpy(), slow.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)
    assert torch.equal(batch.targets, batch.rows)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert batch.inputs.is_contiguous(memory_format=layout)
    assert batch.inputs.dtype == torch.float32


def test_evaluation_gives_all_samples_in_order_and_unchanged() -> None:
    array, rows = pixels(), np.array([7, 3, 20, 21, 5])
    batches = of_images(array, rows=rows, augment=CHANGES)
    seen = list(batches.evaluation_batches(2))
    assert [len(batch.rows) for batch in seen] == [2, 2, 1]
    assert torch.cat([batch.rows for batch in seen]).tolist() == rows.tolist()
    slow = (array[rows].astype(np.float64) - [1, 2, 3]) / [2, 3, 4]
    together = torch.cat([batch.inputs for batch in seen]).numpy()
    np.testing.assert_allclose(together, slow.transpose(0, 3, 1, 2), rtol=1e-5, atol=1e-6)
    assert len(batches) == 5


def test_any_step_is_the_same_whatever_came_before() -> None:
    array = pixels()
    one = of_images(array, augment=CHANGES)
    for step in range(13):
        last = one.training_batch(step)
    alone = of_images(array, augment=CHANGES).training_batch(12)
    assert torch.equal(last.inputs, alone.inputs)
    assert torch.equal(last.rows, alone.rows)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_file_gives_what_memory_gives(tmp_path: Path, dtype: type) -> None:
    array = pixels(dtype)
    np.save(tmp_path / "pixels.npy", array)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    for augment in (None, CHANGES, Augment(crop_px=1)):
        one, other = of_images(array, augment=augment), of_images(mapped, augment=augment)
        for step in (0, 7):
            assert torch.equal(one.training_batch(step).inputs, other.training_batch(step).inputs)
        pairs = zip(one.evaluation_batches(16), other.evaluation_batches(16), strict=True)
        assert all(torch.equal(a.inputs, b.inputs) for a, b in pairs)


def test_a_file_larger_than_what_may_stay_is_let_go_of(tmp_path: Path) -> None:
    path = tmp_path / "large.npy"
    count = 160_000
    mapped = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(count, 64, 64, 1))
    mapped[::1000] = 1
    mapped.flush()
    mapped = np.load(path, mmap_mode="r")
    assert mapped.nbytes > 600 * 2**20
    assert mapping_of(mapped[5:]) is not None
    store = PixelStore.of(mapped, CPU)
    process = psutil.Process()
    before = most = process.memory_info().rss
    for step in range(60):
        rows = np.random.default_rng(step).integers(0, count, 500)
        store.rows(rows)
        most = max(most, process.memory_info().rss)
    assert (most - before) / 2**20 < 400


def test_micro_batches_are_the_batch_in_parts() -> None:
    batch = of_images(pixels()).training_batch(0)
    parts = batch.parts(3)
    assert sorted(len(part.rows) for part in parts) == [2, 3, 3]
    assert torch.equal(torch.cat([part.inputs for part in parts]), batch.inputs)
    assert torch.equal(torch.cat([part.targets for part in parts]), batch.targets)
    assert batch.parts(8) == (batch,)


@pytest.mark.parametrize(("samples", "size"), [(33, 16), (33, 32), (100, 3), (7, 1), (128, 64), (5, 4), (33, 2)])
def test_parts_are_few_and_of_about_equal_size(samples: int, size: int) -> None:
    rows = torch.arange(samples)
    lengths = [len(part.rows) for part in Batch(rows.float()[:, None], rows, rows).parts(size)]
    assert sum(lengths) == samples and len(lengths) == math.ceil(samples / size)
    assert size >= lengths[0] == max(lengths) <= min(lengths) + 1


def test_features() -> None:
    features = np.random.default_rng(1).normal(size=(20, 4)).astype(np.float32)
    targets, rows = torch.randn(20, 2), np.arange(5, 20)
    batches = Batches.of_features(features, rows, targets, batch=4, device=CPU, seed=0, name="a")
    batch = batches.training_batch(3)
    assert np.array_equal(batch.inputs.numpy(), features[batch.rows.numpy()])
    assert torch.equal(batch.targets, targets[batch.rows])
    assert torch.cat([part.rows for part in batches.evaluation_batches(7)]).tolist() == rows.tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": np.array([50])}, "0 .. 39"),
        ({"rows": np.array([], np.int64)}, "n >= 1"),
        ({"rows": np.array([1, 2], np.int32)}, "int64"),
    ],
)
def test_what_does_not_fit_is_refused(change, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        of_images(pixels(), **change)


def test_lengths_and_types_that_do_not_fit_are_refused() -> None:
    features = np.zeros((4, 2), np.float32)
    with pytest.raises(ValueError, match="one entry for each of the 4 samples"):
        Batches.of_features(features, np.arange(2), torch.zeros(2), batch=2, device=CPU, seed=0, name="a")
    with pytest.raises(ValueError, match="float32"):
        Batches.of_features(features.astype(float), np.arange(2), torch.zeros(4), batch=2, device=CPU, seed=0, name="a")
    with pytest.raises(ValueError, match="uint8, uint16 or float32"):
        PixelStore.of(np.zeros((2, 3, 3, 1)), CPU)
    with pytest.raises(ValueError, match="3 values"):
        Batches.of_images(
            pixels(), np.arange(3), torch.arange(40), mean=(0.0,), std=(1.0,), augment=None, batch=2, device=CPU,
            channels_last=True, seed=0, name="a",
        )  # fmt: skip


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_what_the_cpu_gives() -> None:
    one, other = (
        of_images(pixels(), augment=CHANGES, device=torch.device(device)).training_batch(3)
        for device in ("cpu", "cuda")
    )
    torch.testing.assert_close(one.inputs, other.inputs.cpu(), atol=1e-3, rtol=1e-3)
