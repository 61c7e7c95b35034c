"""Pretrained encoders of masks: from the file to predictions without it; what they are not for is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tests.verbs.masks.made_masks import pictures, plan, volumes
from typer.testing import CliRunner

import fieldcraft as fc
from fieldcraft.build.pretrained.candidates import candidates
from fieldcraft.build.pretrained.take_over import encoded, paces
from fieldcraft.cli.app import app
from fieldcraft.errors import WeightsError
from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.plan.schema import EncodedUNet, Execution, Plan, Rung
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.prediction.masks.files import Done, predict_files
from fieldcraft.prediction.masks.model import load_mask_model
from fieldcraft.verbs.fit import fit

TIPS = ("patch-size", "mask-network", "mask-kernels", "mask-depth", "pretrained-encoder")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pictures(tmp_path_factory.mktemp("data") / "discs", count=8)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_file(CifarResNet(10, depth=20).state_dict(), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def network(path: Path, **more: object) -> EncodedUNet:
    one = candidates([path])[0]
    return EncodedUNet(
        weights=one.file, digest=one.digest, family=one.family, model=one.model, mean=one.wants.mean,
        std=one.wants.std, decoder_depth=1, **more,
    )  # fmt: skip


def with_encoder(path: Path, *, steps: int = 3, lr: float = 0.003, **more: object) -> Plan:
    made = plan((16, 16))
    rung = Rung(name="pretrained", network=network(path, **more), steps=steps, lr=lr)
    return replace(made, ladder=replace(made.ladder, baselines=(), rungs=(rung,)))


def test_the_plan_survives_being_written(checkpoint: Path) -> None:
    wanted = with_encoder(checkpoint, statistics="kept", first_rate=0.1)
    assert from_toml(to_toml(wanted)).plan == wanted


def test_a_run_begins_with_the_weights_and_needs_its_file_no_more(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    before = CifarResNet(10, depth=20)
    before.load_state_dict(load_file(checkpoint))
    still = with_encoder(checkpoint, lr=1e-7, statistics="kept")
    run = fit(data, still, out=tmp_path / "run")
    kept = load_file(run.folder.weights)
    for name, value in before.body.state_dict().items():
        torch.testing.assert_close(kept[f"encoder.body.{name}"], value, atol=1e-5, rtol=0)
    checkpoint.unlink()
    image = data / "images" / "01.png"
    (done,) = predict_files(load_mask_model(run.path), [image], tmp_path / "masks")
    assert isinstance(done, Done)
    assert fc.load(run.path).predict(np.zeros((9, 33), np.uint8)).mask.shape == (9, 33)


def test_a_drafted_plan_has_it_as_its_last_rung_with_the_reason(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    few = [f"ladder.rungs.{name}.steps=2" for name in ("small", "large", "pretrained")]
    run = fit(
        data, weights=checkpoint, only=TIPS, out=tmp_path / "run",
        edits=["ladder.baselines=[]", "batch.size=2", 'ladder.climb="always"', *few],
    )  # fmt: skip
    assert [one.name for one in run.results.candidates] == ["small", "large", "pretrained"]
    file = fc.read_plan(run.folder.plan)
    rung = file.plan.ladder.rungs[-1]
    assert isinstance(rung.network, EncodedUNet) and rung.network.model == "20"
    because = next(one.because for one in file.decisions if one.tip == "pretrained-encoder")
    assert "as the encoder: 16 channels at 1/1, 32 channels at 1/2, 64 channels at 1/4" in because


def test_a_given_plan_shrinks_to_its_bound(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    wanted = with_encoder(checkpoint, steps=1)
    wanted = replace(wanted, input=replace(wanted.input, patch=(128, 128)), execution=Execution(memory_mib=40))
    run = fit(data, wanted, out=tmp_path / "run")
    carried_out = fc.read_plan(run.folder.plan)
    assert carried_out.plan.input.patch == (96, 96)
    reason = next(one for one in carried_out.decisions if one.tip == "patch-memory")
    assert reason.sets == ("input.patch",) and "40 may be taken" in reason.because


def test_the_encoder_learns_more_slowly_towards_its_input(checkpoint: Path) -> None:
    planned = network(checkpoint, first_rate=0.1)
    net = encoded(planned, shape=(1, 16, 16), outputs=2, read_weights=True)
    shares = [pace.share for pace in paces(net, planned).values()]
    assert shares == sorted(shares) and shares[0] == pytest.approx(0.1) and shares[-1] < 1
    assert set(paces(net, planned)) == set(net.encoder.body.parameters())
    assert not paces(net, network(checkpoint))


def test_gray_pictures_of_no_deviation_from_photographs_are_shown_as_photographs(checkpoint: Path) -> None:
    net = encoded(network(checkpoint), shape=(1, 16, 16), outputs=2, read_weights=True)
    shown = net.encoder.view(torch.randn(4, 1, 64, 64))
    assert shown.shape == (4, 3, 64, 64)
    assert shown.mean(dim=(0, 2, 3)).abs().max() < 0.3 and (shown.std(dim=(0, 2, 3)) - 1).abs().max() < 0.1


def test_other_weights_than_the_plans_are_refused(checkpoint: Path, data: Path, tmp_path: Path) -> None:
    planned = with_encoder(checkpoint)
    save_file(CifarResNet(10, depth=20).state_dict(), checkpoint)
    with pytest.raises(WeightsError, match="is not the file that the plan was made with"):
        fit(data, planned, out=tmp_path / "run")


def test_volumes_are_refused_before_they_are_looked_at(checkpoint: Path, tmp_path: Path) -> None:
    balls = volumes(tmp_path / "balls", count=6)
    said = CliRunner().invoke(app, ["fit", str(balls), "--weights", str(checkpoint), "--out", str(tmp_path / "run")])
    assert said.exit_code == 2 and not (tmp_path / "run").exists()
    assert "pretrained networks know pictures, but balls has masks in 3-D: leave --weights out" in " ".join(
        said.output.split()
    )


def test_an_encoder_without_maps_is_refused(real_data: Path, data: Path, tmp_path: Path) -> None:
    (squeezenet,) = (real_data / "weights" / "squeezenet_deep_compression").glob("*.npz")
    with pytest.raises(WeightsError, match="gives none: take a residual network"):
        fit(data, weights=squeezenet, out=tmp_path / "run")


def test_published_weights_on_membranes(real_data: Path, tmp_path: Path) -> None:
    """Some steps on crops of ISBI 2012 tell membranes better than calling everything one would."""
    for name in ("images", "masks"):
        (tmp_path / "crops" / name).mkdir(parents=True)
    for kind, name in (("image", "images"), ("label", "masks")):
        for path in sorted((real_data / "isbi2012_membrane" / "train" / kind).iterdir())[:12]:
            with Image.open(path) as whole:
                whole.crop((100, 100, 228, 228)).save(tmp_path / "crops" / name / f"{path.stem}.png")
    weights = real_data / "weights" / "akamaster_cifar10_resnet" / "resnet20-12fca82f.th"
    planned = with_encoder(weights, steps=40, lr=5e-3, first_rate=0.1)
    planned = replace(planned, input=replace(planned.input, patch=(96, 96)))
    run = fit(tmp_path / "crops", planned, out=tmp_path / "run")
    assert run.results.test is not None
    found = run.results.test.metrics["dice"].value
    assert found > 0.6
