"""Models on disk and in use: what was saved predicts the same; whatever form the samples have; damage is named."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fieldcraft.baselines import fit_baseline
from fieldcraft.build.network import build_network
from fieldcraft.data.dataset import Table
from fieldcraft.data.table_encoder import TableEncoder
from fieldcraft.errors import DataError, FieldcraftError, RunError
from fieldcraft.plan.schema import Cnn, Initialisation, Mlp, ResNet, TableInput
from fieldcraft.prediction.saved import load_model, save_model
from fieldcraft.prediction.spec import ImageSpec, ModelSpec, TableSpec, read_spec, write_spec
from fieldcraft.train.run_folder import RunFolder

IMAGE = ImageSpec(height=8, width=8, channels=1, depth_bits=8, mean=(100.0,), std=(50.0,), full_scale=255.0)
FRAME = pd.DataFrame(
    {"age": np.arange(40.0), "colour": ["red", "blue"] * 20, "size": np.random.default_rng(0).normal(size=40)}
)
ROLES = (("age", "numeric"), ("colour", "categorical"), ("size", "numeric"))
ENCODER = TableEncoder.fit(Table(frame=FRAME, roles=ROLES), np.arange(40), TableInput())
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 1)).astype(np.uint8)


def network(shape, outputs, net, whiten=False):
    built = build_network(
        net, shape=shape, outputs=outputs, initialisation=Initialisation(whiten=whiten), seed=3, name="rung"
    )
    with torch.no_grad():
        built.train()(torch.randn(16, *shape))  # norms that know something
    return built.eval()


def image_model(tmp_path, net=None, names=("cat", "dog", "<b>eel</b>"), task="single-label", **more):
    net = net or Cnn(widths=(4, 8))
    built = network((1, 8, 8), len(names), net)
    spec = ModelSpec(task=task, names=names, input=IMAGE, network=net, temperature=2.0, threshold=0.5, **more)
    save_model(RunFolder(tmp_path), spec, weights=built.state_dict())
    return built, spec


def table_model(tmp_path, task, targets, names, **more):
    fitted = fit_baseline(
        "linear", ENCODER.transform(FRAME), targets, task, len(names), seconds=None, threads=1, seed=0
    )
    spec = ModelSpec(task=task, names=names, input=TableSpec(width=ENCODER.width), **more)
    save_model(RunFolder(tmp_path), spec, baseline=fitted, encoder=ENCODER)
    return fitted


@pytest.mark.parametrize("net", [Cnn(widths=(4, 8)), ResNet(widths=(4, 8), depths=(1, 0)), Mlp(widths=(8,))])
def test_a_saved_network_says_what_it_said(net, tmp_path):
    built, spec = image_model(tmp_path, net)
    model = load_model(tmp_path)
    assert model.spec == spec
    with torch.no_grad():
        logits = built((torch.from_numpy(PIXELS).float().permute(0, 3, 1, 2) - 100) / 50)
    np.testing.assert_allclose(model.scores(PIXELS), torch.softmax(logits / 2, 1), rtol=1e-4, atol=1e-6)


def test_a_whitened_network_comes_back(tmp_path):
    net = Cnn(widths=(4, 8))
    built = network((1, 8, 8), 2, net, whiten=True)
    spec = ModelSpec(task="single-label", names=("a", "b"), input=IMAGE, network=net, whiten=True, threshold=0.6)
    save_model(RunFolder(tmp_path), spec, weights=built.state_dict())
    for name, value in load_model(tmp_path).predictor.state_dict().items():
        assert torch.equal(value, built.state_dict()[name])


def test_predictions_of_classes(tmp_path):
    image_model(tmp_path)
    found = load_model(tmp_path).predict(PIXELS)
    shares = found[["p:cat", "p:dog", "p:<b>eel</b>"]].to_numpy()
    assert list(found.columns[:4]) == ["id", "prediction", "probability", "unsure"]
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (found["probability"] == shares.max(axis=1)).all()
    assert (found["unsure"] == (found["probability"] < 0.5)).all()
    assert set(found["prediction"]) <= {"cat", "dog", "<b>eel</b>"}
    assert len(load_model(tmp_path).predict(PIXELS[:0])) == 0


def test_predictions_of_labels(tmp_path):
    image_model(tmp_path, task="multi-label")
    found = load_model(tmp_path).predict(PIXELS)
    assert (found["cat"] == (found["p:cat"] >= 0.5)).all()
    least = np.maximum(found.filter(like="p:"), 1 - found.filter(like="p:")).min(axis=1)
    assert (found["unsure"] == (least < 0.5)).all()


def test_images_of_any_form_are_brought_to_the_trained_one(tmp_path):
    image_model(tmp_path)
    model = load_model(tmp_path)
    plain = model.scores(PIXELS)
    same = (
        PIXELS[..., 0],
        np.repeat(PIXELS, 3, axis=-1),
        PIXELS.astype(np.uint16) * 257,
        PIXELS.astype(np.int64),
        PIXELS.astype(np.float64),
        torch.from_numpy(PIXELS),
        list(PIXELS[..., 0]),
    )
    for one in same:
        np.testing.assert_allclose(model.scores(one), plain, atol=1e-5)
    dark = (PIXELS // 128).astype(np.int64)
    np.testing.assert_allclose(model.scores(dark), model.scores(dark.astype(np.uint8)), atol=1e-5)
    large = PIXELS.repeat(4, axis=1).repeat(4, axis=2)
    assert model.scores(large).shape == plain.shape
    mixed = [PIXELS[0, ..., 0], large[1], np.repeat(PIXELS[2], 3, axis=-1)]
    np.testing.assert_allclose(model.scores(mixed)[[0, 2]], plain[[0, 2]], atol=1e-5)


def test_the_order_and_the_company_of_samples_do_not_matter(tmp_path):
    image_model(tmp_path)
    model = load_model(tmp_path)
    many = np.concatenate([PIXELS] * 30)
    np.testing.assert_allclose(model.scores(many)[:12], model.scores(PIXELS), atol=1e-6)
    np.testing.assert_allclose(model.scores(PIXELS[::-1])[::-1], model.scores(PIXELS), atol=1e-6)


def test_predicting_changes_no_random_state_and_no_weight(tmp_path):
    image_model(tmp_path)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    model = load_model(tmp_path)
    before = {name: value.clone() for name, value in model.predictor.state_dict().items()}
    model.predict(PIXELS)
    assert torch.equal(state, torch.get_rng_state()) and torch.get_num_threads() == threads
    assert torch.is_grad_enabled()
    assert all(torch.equal(before[name], value) for name, value in model.predictor.state_dict().items())


def test_files_are_predicted_and_bad_ones_named(tmp_path):
    image_model(tmp_path / "run")
    for index in range(3):
        Image.fromarray(PIXELS[index, ..., 0]).save(tmp_path / f"{index}.png")
    (tmp_path / "bad.png").write_bytes(b"no image")
    model = load_model(tmp_path / "run")
    found = model.predict_files([tmp_path / "0.png", tmp_path / "bad.png", tmp_path / "2.png", tmp_path / "none.png"])
    assert [name.rsplit("/", 1)[-1] for name in found.frame["id"]] == ["0.png", "2.png"]
    assert [problem.sample.rsplit("/", 1)[-1] for problem in found.problems] in (
        ["none.png", "bad.png"],
        ["bad.png", "none.png"],
    )
    expected = model.scores(PIXELS[[0, 2]])
    np.testing.assert_allclose(found.frame.filter(like="p:"), expected, atol=1e-6)
    with pytest.raises(DataError, match=r"bad\.png"):
        model.predict([tmp_path / "0.png", str(tmp_path / "bad.png")])
    assert list(model.predict_files([tmp_path / "none.png"]).frame.columns) == list(found.frame.columns)


def test_rows_of_any_form_are_encoded_the_same(tmp_path):
    fitted = table_model(tmp_path, "single-label", (FRAME["age"] > 20).to_numpy(int), ("young", "old"), threshold=0.9)
    model = load_model(tmp_path)
    plain = model.predict(FRAME)
    np.testing.assert_allclose(plain[["p:young", "p:old"]], fitted.scores(ENCODER.transform(FRAME)), atol=1e-6)
    pd.testing.assert_frame_equal(model.predict(pl.from_pandas(FRAME)), plain)
    pd.testing.assert_frame_equal(model.predict(FRAME[["size", "colour", "age"]]), plain)
    pd.testing.assert_frame_equal(model.predict(FRAME.to_numpy(dtype=object)), plain)
    FRAME.to_csv(tmp_path / "rows.csv", index=False)
    read = model.predict(tmp_path / "rows.csv")
    np.testing.assert_allclose(read["p:old"], plain["p:old"], atol=1e-6)
    with pytest.raises(DataError, match="colour"):
        model.predict(FRAME.drop(columns="colour"))
    with pytest.raises(DataError, match="3 columns"):
        model.predict(np.zeros((2, 5)))


def test_numbers_come_in_their_own_units_with_an_interval(tmp_path):
    net = Mlp(widths=(8,))
    built = network((ENCODER.width,), 2, net)
    spec = ModelSpec(
        task="regression", names=("w", "h"), input=TableSpec(width=ENCODER.width), network=net,
        half_width=(1.0, 2.0), sigma=(0.5, 1.0), target_mean=(100.0, -5.0), target_std=(10.0, 2.0),
    )  # fmt: skip
    save_model(RunFolder(tmp_path), spec, weights=built.state_dict(), encoder=ENCODER)
    found = load_model(tmp_path).predict(FRAME)
    with torch.no_grad():
        raw = built(torch.from_numpy(ENCODER.transform(FRAME))).numpy()
    np.testing.assert_allclose(found["w"], raw[:, 0] * 10 + 100, rtol=1e-4)
    np.testing.assert_allclose(found["high:h"] - found["low:h"], 4.0)
    table_model(tmp_path / "one", "regression", FRAME["age"].to_numpy(), ("age",), half_width=(3.0,))
    one = load_model(tmp_path / "one").predict(FRAME)
    assert list(one.columns) == ["id", "prediction", "low", "high"]
    np.testing.assert_allclose(one["prediction"], FRAME["age"], atol=1.0)
    np.testing.assert_allclose(one["high"] - one["prediction"], 3.0)


def test_whatever_is_damaged_is_named(tmp_path):
    image_model(tmp_path)
    folder = RunFolder(tmp_path)
    whole = folder.weights.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"x" * 100):
        folder.weights.write_bytes(content)
        with pytest.raises(RunError, match=r"model\.safetensors"):
            load_model(tmp_path)
    folder.weights.unlink()
    with pytest.raises(RunError, match="missing"):
        load_model(tmp_path)
    folder.weights.write_bytes(whole)
    write_spec(
        folder.network, ModelSpec(task="single-label", names=("a", "b"), input=IMAGE, network=Cnn(widths=(4, 8)))
    )
    with pytest.raises(RunError, match="does not belong"):
        load_model(tmp_path)
    folder.network.write_text("schema = 1\ntask = 'dancing'\n")
    with pytest.raises(RunError, match=r"network\.toml is damaged"):
        load_model(tmp_path)
    folder.network.unlink()
    with pytest.raises(RunError, match="no model yet"):
        load_model(tmp_path)
    with pytest.raises(RunError, match="no run folder"):
        load_model(tmp_path / "nowhere")


def test_files_of_different_runs_are_found_out(tmp_path):
    table_model(tmp_path / "a", "single-label", (FRAME["age"] > 20).to_numpy(int), ("young", "old"))
    table_model(tmp_path / "b", "regression", FRAME["age"].to_numpy(), ("age",))
    RunFolder(tmp_path / "b").baseline.replace(RunFolder(tmp_path / "a").baseline)
    with pytest.raises(RunError, match="different runs"):
        load_model(tmp_path / "a")
    with pytest.raises(RunError, match=r"model\.skops"):
        load_model(tmp_path / "b")
    for content in ("[]", "{", "{}", '{"schema": 1}'):
        RunFolder(tmp_path / "a").encoder.write_text(content)
        with pytest.raises(FieldcraftError, match="encoder"):
            load_model(tmp_path / "a")


@given(
    st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4, unique=True),
    st.floats(0.05, 20),
    st.one_of(st.none(), st.floats(0, 1)),
)
@settings(deadline=None, max_examples=40)
def test_a_spec_survives_the_disk(tmp_path_factory, names, temperature, threshold):
    spec = ModelSpec(
        task="single-label", names=tuple(names), input=IMAGE, network=ResNet(), temperature=temperature,
        threshold=threshold,
    )  # fmt: skip
    path = tmp_path_factory.mktemp("spec") / "network.toml"
    write_spec(path, spec)
    assert read_spec(path) == spec
