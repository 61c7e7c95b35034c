"""Networks that are taken over, from the file to predictions without it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.verbs.made_data import images, plan, table
from tests.verbs.test_resume import StopAt
from typer.testing import CliRunner

from fieldcraft.build.pretrained.candidates import candidates
from fieldcraft.cli.app import app
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError, Stopped, WeightsError
from fieldcraft.fingerprint.logme import logme
from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.nn.networks.transferred import Transferred
from fieldcraft.plan.schema import Plan, Pretrained, Rung, Tuning
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.tips.interface import StepTime, TransferScore
from fieldcraft.verbs.draft import draft
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.measure import StepTimer
from fieldcraft.verbs.prepare import Wardrobe, prepare
from fieldcraft.verbs.transfer import spread, transfer_score
from fieldcraft.verbs.weights import listed

TUNING = Tuning(probe=60, head_until=0.2, thawed_at=0.6, first_rate=0.1)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_file(CifarResNet(10, depth=20).state_dict(), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def taken_over(path: Path, *, steps: int = 20, tuning: Tuning = TUNING, task: str = "single-label") -> Plan:
    """One rung whose images of 8 px are shown at 13."""
    one = candidates([path])[0]
    network = Pretrained(
        weights=one.file, digest=one.digest, family=one.family, model=one.model, height=13, width=13,
        mean=one.wants.mean, std=one.wants.std, tuning=tuning,
    )  # fmt: skip
    return plan(task, rungs=(Rung(name="pretrained", network=network, steps=steps, lr=1e-3),))


def test_the_plan_survives_being_written(checkpoint: Path) -> None:
    wanted = taken_over(checkpoint)
    assert from_toml(to_toml(wanted)).plan == wanted


def test_a_run_needs_its_weights_no_more(checkpoint: Path, tmp_path: Path) -> None:
    x, y = images()
    said: list[str] = []
    run = fit((x, y), taken_over(checkpoint), out=tmp_path / "run", say=said.append)
    assert run.results.winner == "pretrained"
    assert any("the head was fitted to the features of 60 samples" in one for one in said)
    assert "the head was fitted to the features of 60 samples" in run.report.read_text()
    checkpoint.unlink()
    accuracy = float((run.predict(x)["prediction"].astype(int) == y).mean())
    assert accuracy > 0.6
    net = run.model.predictor
    assert isinstance(net, Transferred) and float(net.view.pixel_shift[0]) != 0  # type: ignore[union-attr]


@pytest.mark.parametrize("task", ["multi-label", "regression"])
def test_other_tasks(checkpoint: Path, tmp_path: Path, task: str) -> None:
    run = fit(images(task), taken_over(checkpoint, steps=6, task=task), out=tmp_path / "run")
    candidate = next(one for one in run.results.candidates if one.name == "pretrained")
    assert np.isfinite(candidate.validation)


def test_a_stopped_run_goes_on_to_the_same_bits(checkpoint: Path, tmp_path: Path) -> None:
    """Also across the steps at which parts thaw; the head is not fitted again."""
    x, y = images()
    np.savez(tmp_path / "made.npz", x=x, y=y)
    wanted = taken_over(checkpoint, steps=40)
    source = str(tmp_path / "made.npz")
    whole = fit(source, wanted, out=tmp_path / "whole")
    with pytest.raises(Stopped):
        fit(source, wanted, out=tmp_path / "run", hooks=(StopAt(10),))
    said: list[str] = []
    again = fit(source, wanted, out=tmp_path / "run", say=said.append)
    assert again.folder.weights.read_bytes() == whole.folder.weights.read_bytes()
    assert not any("was fitted" in one for one in said)


def test_a_frozen_body_stays_as_it_was(checkpoint: Path, tmp_path: Path) -> None:
    wanted = taken_over(checkpoint, steps=5, tuning=Tuning(probe=0, head_until=1.0, thawed_at=1.0))
    run = fit(images(), wanted, out=tmp_path / "run")
    kept = load_file(run.folder.rungs / "pretrained" / "model.safetensors")
    before = load_file(checkpoint)
    bodies = [name for name in before if name.startswith("body.")]
    assert len(bodies) > 95 and all(torch.equal(before[name], kept[name]) for name in bodies)
    assert not torch.equal(kept["head.bias"], torch.zeros(3))


def test_steps_of_it_can_be_timed(checkpoint: Path, tmp_path: Path) -> None:
    wanted = taken_over(checkpoint)
    wardrobe = Wardrobe(prepare(images(), ReadOptions(), seed=0), tmp_path)
    question = StepTime(plan=wanted, rung=0)
    assert StepTimer(wardrobe.samples, 0.1)((question,))[question.key].value > 0


def test_the_score_is_logme_of_the_features(checkpoint: Path, tmp_path: Path) -> None:
    wanted = taken_over(checkpoint)
    samples = Wardrobe(prepare(images(), ReadOptions(), seed=0), tmp_path).samples(wanted)
    question = TransferScore(plan=wanted, rung=0)
    found = transfer_score(question, samples, limit_s=60.0)[question.key]
    torch.manual_seed(0)
    body = CifarResNet(10, depth=20).eval()
    rows = samples.parts.train
    network = wanted.ladder.rungs[0].network
    assert isinstance(network, Pretrained) and samples.pixels is not None
    pixels = torch.from_numpy(samples.pixels[rows].astype(np.float32) / samples.full_scale).permute(0, 3, 1, 2)
    large = torch.nn.functional.interpolate(pixels.expand(-1, 3, -1, -1), size=(13, 13), mode="bilinear")
    shown = (large - torch.tensor(network.mean)[:, None, None]) / torch.tensor(network.std)[:, None, None]
    with torch.no_grad():
        features = body.pool(body.body(shown)).double().numpy()
    classes = np.eye(3)[samples.dataset.targets.values[rows].astype(int)]
    assert found.value == pytest.approx(logme(features, classes), abs=1e-3)
    assert found.sample == f"{len(rows)} training samples, 64 features"


def test_a_plan_is_drafted_with_the_better_candidate(checkpoint: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    dull = CifarResNet(10, depth=20)
    torch.nn.init.zeros_(dull.body.stem.norm.weight)  # type: ignore[union-attr, arg-type]
    (tmp_path / "some").mkdir()
    save_file(dull.state_dict(), tmp_path / "some" / "dull.safetensors")
    checkpoint.rename(tmp_path / "some" / "sharp.safetensors")
    only = ("transfer", "choice-of-weights", "layer-wise-rates", "gradual-unfreezing", "linear-probe")
    drafted = draft(images(), weights=tmp_path / "some", only=only, budget=20)
    network = drafted.plan.ladder.rungs[-1].network
    assert isinstance(network, Pretrained) and network.weights.endswith("sharp.safetensors")
    assert (network.tuning.first_rate, network.tuning.thawed_at) == (0.1, 0.4)
    chosen = next(one for one in drafted.decisions if one.tip == "choice-of-weights")
    assert chosen.outcome == "applied" and chosen.because.startswith("LogME sharp ")
    assert [one.name for one in drafted.facts.weights] == ["dull", "sharp"]


def test_rows_are_spread_evenly() -> None:
    assert spread(np.arange(10), 20).tolist() == list(range(10))
    assert spread(np.arange(100), 3).tolist() == [0, 50, 99]


def test_one_or_several_may_be_given() -> None:
    assert (listed(None), listed("a"), listed(["a", Path("b")])) == ((), ("a",), ("a", "b"))


# ---------------------------------------------------------------- what people get wrong


def test_weights_for_tables_and_strange_channels(checkpoint: Path) -> None:
    with pytest.raises(WeightsError, match="is a table: leave --weights out"):
        fit(table(), weights=checkpoint, options=ReadOptions(target=("y",)))
    pixels = np.random.default_rng(0).integers(0, 255, (60, 8, 8, 5)).astype(np.uint8)
    with pytest.raises(WeightsError, match=r"1 or 3 channels.*have 5"):
        fit((pixels, np.arange(60) % 3), weights=checkpoint)


def test_a_given_plan_names_its_own_weights(checkpoint: Path) -> None:
    with pytest.raises(PlanError, match="a given plan names its own weights"):
        fit(images(), plan(), weights=checkpoint)


@pytest.mark.parametrize("command", ["fit", "plan", "prove"])
def test_an_unknown_name_is_one_line(tmp_path: Path, command: str) -> None:
    x, y = images()
    np.savez(tmp_path / "made.npz", x=x, y=y)
    found = CliRunner().invoke(app, [command, str(tmp_path / "made.npz"), "--weights", "resnet18"])
    assert found.exit_code == 2 and "such as torchvision:resnet18" in " ".join(found.stderr.split())
    assert "Traceback" not in found.output
