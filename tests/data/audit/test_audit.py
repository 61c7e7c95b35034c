"""The audit: each check on data that was spoilt on purpose, and silence on data that was not."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldcraft.data.audit import audit
from fieldcraft.data.audit.audit import bad_samples, without
from fieldcraft.data.audit.near_repeats import near_pairs, radius, unit_vectors
from fieldcraft.data.audit.seen import may_move
from fieldcraft.data.audit.shift import told_apart
from fieldcraft.data.audit.small_copies import small_copies
from fieldcraft.data.dataset import Dataset, ImageArray, ReadOptions, Targets
from fieldcraft.data.open import open_data, read_data
from fieldcraft.data.take import take
from fieldcraft.errors import DataError
from fieldcraft.records.audit import Audit, Complaint

Pixels = npt.NDArray[np.generic]


def noise(count: int = 60, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (count, 12, 12, 1), dtype=np.uint8)


def arrays(pixels: Pixels, labels: object = None, parts: str = "", groups: object = None) -> Dataset:
    """A made-up set; `parts` has a letter a sample: r for training, v, or t."""
    count = len(pixels)
    names = {"r": "train", "v": "validation", "t": "test"}
    return Dataset(
        name="made-up",
        kind="arrays",
        inputs=ImageArray(pixels=pixels),
        targets=Targets(
            task="single-label",
            values=np.arange(count) % 2 if labels is None else np.asarray(labels),
            names=("a", "b"),
        ),
        ids=tuple(f"n{row}" for row in range(count)),
        given=np.array([names[letter] for letter in parts], np.str_) if parts else None,
        groups=None if groups is None else np.asarray(groups, np.str_),
    )


def only(found: Audit, kind: str) -> Complaint:
    """The one complaint of a kind."""
    (one,) = [each for each in found.complaints if each.kind == kind]
    return one


def kinds(found: Audit) -> set[str]:
    return {one.kind for one in found.complaints}


def photos(folder: Path, count: int = 12) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(count):
            pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


def test_nothing_is_said_of_sound_data() -> None:
    for name in ("digits", "breast-cancer", "diabetes"):
        assert audit(read_data(name)).complaints == ()


# ---------------------------------------------------------------- files


def test_files_that_cannot_be_read_are_named_with_the_reason(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    whole = (folder / "cat" / "0.png").read_bytes()
    (folder / "cat" / "0.png").write_bytes(whole[: len(whole) // 2])
    (folder / "dog" / "1.png").write_text("no image")
    (folder / "dog" / "2.png").write_bytes(b"")
    found = audit(read_data(folder))
    one = only(found, "unreadable")
    reasons = dict(zip(one.samples, one.details, strict=True))
    assert one.severity == "stop" and set(reasons) == {"cat/0.png", "dog/1.png", "dog/2.png"}
    assert "truncated" in reasons["cat/0.png"] and reasons["dog/2.png"] == "the file is empty"
    assert found.samples == 24
    rest = without(read_data(folder), bad_samples(found.complaints))
    assert len(rest) == 21 and rest.problems == () and audit(rest).stops == ()


def test_flat_and_odd_coloured_files_are_worth_a_warning(tmp_path: Path) -> None:
    folder = photos(tmp_path / "photos")
    Image.new("RGB", (24, 20), (9, 9, 9)).save(folder / "cat" / "flat.png")
    speck = Image.new("RGB", (400, 400), (9, 9, 9))
    speck.putpixel((133, 71), (10, 9, 9))
    speck.save(folder / "cat" / "speck.png")
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (20, 24), dtype=np.uint8)).save(folder / "dog" / "g.png")
    found = audit(read_data(folder))
    assert only(found, "constant").samples == ("cat/flat.png",)
    assert only(found, "channels").samples == ("dog/g.png",)
    assert found.stops == ()


def test_when_the_time_is_over_it_says_what_was_left_out(tmp_path: Path) -> None:
    found = audit(read_data(photos(tmp_path / "photos", count=200)), limit_s=0.0)
    assert "256 of 400 files were read" in found.looked[0]
    assert any("near duplicates" in text for text in found.looked)
    assert "all 60 images" in audit(arrays(noise()), limit_s=None).looked[0]


# ---------------------------------------------------------------- values and labels


def test_nan_and_infinity_are_found_where_they_spoil() -> None:
    pixels = noise().astype(np.float32)
    pixels[3, 0, 0], pixels[7, 1, 1] = np.nan, np.inf
    found = audit(arrays(pixels))
    assert only(found, "not-finite").samples == ("n3", "n7") and found.stops
    frame = pd.DataFrame({"a": np.arange(40.0), "b": np.sin(np.arange(40.0))})
    frame.loc[5, "b"], frame.loc[6, "b"] = np.inf, np.nan
    assert only(audit(read_data((frame, [0, 1] * 20))), "not-finite").samples == ("5",)


def test_arrays_with_nan_are_refused_by_open_data_and_read_by_the_audit() -> None:
    pixels = noise().astype(np.float32)
    pixels[3, 0, 0] = np.nan
    with pytest.raises(DataError, match=r"hold finite numbers, but 1 sample.*--skip-bad"):
        open_data((pixels, np.arange(60) % 2))
    assert bad_samples(audit(read_data((pixels, np.arange(60) % 2))).complaints) == ("3",)


def test_labels_out_of_range_and_small_classes() -> None:
    labels = np.arange(60) % 2
    labels[4] = 7
    assert only(audit(arrays(noise(), labels)), "label-out-of-range").samples == ("n4",)
    labels = np.zeros(60, np.int64)
    labels[:4] = 1
    assert only(audit(arrays(noise(), labels)), "small-class").severity == "warn"
    labels = np.arange(60) % 2
    data = read_data((noise(), [*map(str, labels[:-1]), "lonely"]))
    found = audit(data)
    assert only(found, "small-class").samples == ("59",) and found.stops
    rest = without(data, ("59",))
    assert rest.targets.names == ("0", "1") and len(rest) == 59


def test_what_is_left_must_be_something_to_learn_from() -> None:
    found = audit(read_data((noise(11), ["a"] * 10 + ["b"])))
    last = only(found, "nothing-to-learn")
    assert last.severity == "stop" and last.samples == () and "one class only" in last.reason


# ---------------------------------------------------------------- repeats and leaks


def test_equal_samples_with_other_labels_contradict_each_other() -> None:
    pixels = noise()
    pixels[10], pixels[21] = pixels[4], pixels[4]
    found = audit(arrays(pixels))
    assert only(found, "duplicate").samples == ("n10", "n21")
    assert only(found, "contradiction").samples == ("n21",)
    assert found.stops == ()


@pytest.mark.parametrize(("leaked", "severity"), [(1, "warn"), (8, "stop")])
def test_leaks_stop_when_they_could_move_the_result(leaked: int, severity: str) -> None:
    pixels = noise(120)
    pixels[:leaked] = pixels[80 : 80 + leaked]
    found = audit(arrays(pixels, parts="r" * 80 + "t" * 40))
    one = only(found, "leak")
    assert one.severity == severity == ("stop" if may_move(leaked / 40, 40) else "warn")
    assert one.samples == tuple(f"n{row}" for row in range(leaked))
    assert f"{leaked} of 40 test samples" in one.reason
    assert "equals n80 (test)" in one.details[0]


def test_rows_of_few_values_repeat_by_chance_and_that_is_no_leak() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(0, 3, (400, 3)), columns=["a", "b", "c"]).astype(str)
    frame["y"] = np.where(rng.random(400) < 0.5, "u", "v")
    frame["split"] = ["train"] * 300 + ["test"] * 100
    assert audit(read_data(frame, ReadOptions(target=("y",)))).stops == ()
    frame[["a", "b", "c"]] = rng.normal(size=(400, 3)).round(9)
    assert "leak" not in kinds(audit(read_data(frame, ReadOptions(target=("y",)))))
    frame.loc[300:329, ["a", "b", "c"]] = frame.loc[0:29, ["a", "b", "c"]].to_numpy()
    assert only(audit(read_data(frame, ReadOptions(target=("y",)))), "leak").severity == "stop"


def test_torn_groups_are_a_leak() -> None:
    groups = np.arange(120) // 4
    whole = audit(arrays(noise(120), parts="r" * 80 + "t" * 40, groups=groups))
    assert "group-leak" not in kinds(whole)
    groups[80:100] = groups[0:20]
    torn = only(audit(arrays(noise(120), parts="r" * 80 + "t" * 40, groups=groups)), "group-leak")
    assert torn.severity == "stop" and set(torn.samples) == {f"n{row}" for row in range(20)}


def smooth(count: int, seed: int = 0) -> Pixels:
    """Images of soft blobs, as photographs are: what is near in one cell is near in the next."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (count, 6, 6), dtype=np.uint8)
    big = [np.asarray(Image.fromarray(one).resize((48, 48), Image.Resampling.BICUBIC)) for one in coarse]
    return np.stack(big)[..., None]


def test_re_encoded_and_brightened_copies_look_alike_and_others_do_not() -> None:
    pixels = smooth(80)
    pixels[70] = np.clip(pixels[3].astype(np.float64) * 0.8 + 20, 0, 255).astype(np.uint8)
    small = Image.fromarray(pixels[4, ..., 0]).resize((30, 30)).resize((48, 48))
    pixels[60] = np.asarray(small)[..., None]
    found = audit(arrays(pixels, parts="r" * 70 + "t" * 10))
    assert only(found, "near-duplicate").samples == ("n60",)
    assert only(found, "near-leak").samples == ("n3",)
    assert found.stops == ()


@settings(max_examples=25)
@given(st.integers(0, 10_000), st.floats(0.05, 1.2))
def test_near_pairs_are_those_of_all_distances(seed: int, within: float) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit_vectors(rng.normal(size=(25, 4, 4)).astype(np.float32))
    distances = np.linalg.norm(vectors[:, None].astype(np.float64) - vectors[None], axis=2)
    a, b = np.nonzero(np.triu(distances <= within, k=1))
    if len(a) * 2 + 25 <= 21 * 25:
        assert {tuple(sorted(pair)) for pair in near_pairs(vectors, within).pairs.tolist()} == set(
            zip(a, b, strict=True)
        )


def test_near_pairs_are_found_across_what_is_compared_at_a_time() -> None:
    """Of many images, with more cells than components: copies of some, and kin of others, wherever they stand."""
    rng = np.random.default_rng(0)
    gray = rng.normal(size=(900, 8, 8)).astype(np.float32)
    order = rng.permutation(900)
    gray[order[:300]] = gray[order[300:600]] + 0.05 * rng.normal(size=(300, 8, 8)).astype(np.float32)
    vectors = unit_vectors(gray)
    distances = np.linalg.norm(vectors[:, None].astype(np.float64) - vectors[None], axis=2)
    wanted = np.argwhere(np.triu(distances <= 0.05, k=1))
    found = near_pairs(vectors, 0.05)
    assert 50 < len(wanted) < 250
    assert {tuple(pair) for pair in found.pairs.tolist()} == {tuple(pair) for pair in wanted.tolist()}
    truth = 1 - distances[found.pairs[:, 0], found.pairs[:, 1]] ** 2 / 2
    np.testing.assert_allclose(found.correlations, truth, atol=1e-9)
    assert (np.diff(found.correlations) <= 0).all()


def test_no_pairs_where_all_images_look_the_same() -> None:
    """They cannot be told apart; neither is the radius halved for ever, nor does every image pair with every other."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(4, 4)).astype(np.float32)
    assert not len(near_pairs(unit_vectors(np.repeat(one[None], 50, axis=0)), 0.1).pairs)
    apart = unit_vectors(one + 0.01 * rng.normal(size=(50, 4, 4)).astype(np.float32))
    assert not len(near_pairs(apart, 0.1).pairs)


def test_the_radius_narrows_where_unlike_things_look_alike() -> None:
    rng = np.random.default_rng(0)
    base = rng.normal(size=(8, 8))
    alike = unit_vectors((base + 0.03 * rng.normal(size=(200, 8, 8))).astype(np.float32))
    unlike = unit_vectors(rng.normal(size=(200, 8, 8)).astype(np.float32))
    classes = np.arange(200) % 2
    assert radius(alike, classes) < radius(unlike, classes) == 0.1
    assert radius(unlike, None) == 0.05


def test_small_copies_are_means_of_cells() -> None:
    pixels = noise(5).repeat(4, axis=1).repeat(4, axis=2)  # 48 x 48: cells of 3 x 3
    copies = small_copies(ImageArray(pixels=pixels), lambda: False)
    slow = pixels[..., 0].astype(np.float64).reshape(5, 16, 3, 16, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(copies.gray, slow, rtol=1e-5)


# ---------------------------------------------------------------- shift


def test_test_samples_unlike_the_training_ones_are_told() -> None:
    pixels = noise(400) // 2
    same = audit(arrays(pixels, parts="r" * 200 + "t" * 200))
    assert "shift" not in kinds(same)
    pixels[200:] += 60
    moved = only(audit(arrays(pixels, parts="r" * 200 + "t" * 200)), "shift")
    assert moved.severity == "warn" and set(moved.samples) <= {f"n{row}" for row in range(200, 400)}


def test_the_two_sample_classifier_keeps_to_its_null() -> None:
    shares = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        hits, judged, _ = told_apart(rng.normal(size=(60, 5)), rng.normal(size=(60, 5)))
        assert judged == 60
        shares.append(hits / judged)
    # The mean of 12 shares of 60 coin tosses has a deviation of 0.019.
    assert abs(np.mean(shares) - 0.5) < 4 * 0.019


def test_a_table_that_moved_is_told() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.choice(["x", "y"], 400), "y": rng.normal(size=400)})
    frame["split"] = ["train"] * 200 + ["test"] * 200
    options = ReadOptions(target=("y",))
    assert "shift" not in kinds(audit(read_data(frame, options)))
    frame.loc[200:, "b"] = "z"
    assert "shift" in kinds(audit(read_data(frame, options)))


# ---------------------------------------------------------------- taking samples


@given(st.sets(st.integers(0, 19), min_size=1))
def test_taking_keeps_everything_beside_its_sample(chosen: set[int]) -> None:
    data = arrays(noise(20), parts="r" * 10 + "t" * 10, groups=np.arange(20) // 2)
    rows = np.array(sorted(chosen))
    some = take(data, rows)
    assert some.ids == tuple(data.ids[row] for row in rows)
    assert some.given is not None and data.given is not None and (some.given == data.given[rows]).all()
    assert some.groups is not None and data.groups is not None and (some.groups == data.groups[rows]).all()
    before = [data.targets.names[value] for value in data.targets.values[rows]]
    assert [some.targets.names[value] for value in some.targets.values] == before
    assert set(some.targets.names) == set(before)
