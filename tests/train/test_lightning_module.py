import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from fieldcraft.build.pretrained.candidates import candidates
from fieldcraft.errors import PlanError
from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.plan.schema import (
    AdamW,
    EncodedUNet,
    ImageInput,
    Ladder,
    Mlp,
    OneCycle,
    PatchInput,
    Plan,
    Pretrained,
    Rung,
    Segmentation,
    SingleLabel,
    TableInput,
)

lightning = pytest.importorskip("lightning.pytorch", reason="the extra `lightning` is not installed")

PLAN = Plan(
    task=SingleLabel(),
    input=TableInput(),
    optimiser=AdamW(),
    schedule=OneCycle(),
    ladder=Ladder(rungs=(Rung(name="small", network=Mlp(widths=(16,)), steps=60, lr=0.02),)),
)


def test_a_planned_network_learns_under_someone_elses_trainer() -> None:
    from fieldcraft.train.lightning_module import FieldcraftModule

    torch.manual_seed(0)
    inputs = torch.randn(256, 4)
    targets = (inputs.sum(dim=1) > 0).long()
    data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(inputs, targets), batch_size=64)
    module = FieldcraftModule.of_plan(PLAN, "small", shape=(4,), outputs=2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Lightning's advice on workers is not about us
        trainer = lightning.Trainer(
            max_steps=60, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
            enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, data, data)
    assert (module.eval()(inputs).argmax(1) == targets).float().mean() > 0.9
    assert trainer.callback_metrics["validation/loss"] < 0.4
    assert trainer.optimizers[0].param_groups[0]["lr"] < 0.02 * 0.01  # the planned course was followed to its end


def test_a_network_that_is_taken_over_must_know_how_images_come_in() -> None:
    from fieldcraft.train.lightning_module import FieldcraftModule

    network = Pretrained(
        weights="net.safetensors", digest="0" * 32, family="cifar-resnet", model="20", height=32, width=32,
        mean=(0.5,) * 3, std=(0.2,) * 3,
    )  # fmt: skip
    rung = Rung(name="pretrained", network=network, steps=1, lr=0.01)
    plan = Plan(task=SingleLabel(), input=ImageInput(height=32, width=32, channels=3), ladder=Ladder(rungs=(rung,)))
    with pytest.raises(PlanError, match="say how images come in"):
        FieldcraftModule.of_plan(plan, "pretrained", shape=(3, 32, 32), outputs=2)


def test_an_encoder_that_is_taken_over_begins_with_the_weights_of_its_file(tmp_path: Path) -> None:
    from fieldcraft.train.lightning_module import FieldcraftModule

    torch.manual_seed(0)
    saved = CifarResNet(10, depth=20)
    save_file(saved.state_dict(), tmp_path / "net.safetensors")
    (one,) = candidates([tmp_path / "net.safetensors"])
    network = EncodedUNet(
        weights=one.file, digest=one.digest, family=one.family, model=one.model, mean=one.wants.mean,
        std=one.wants.std, first_rate=0.1,
    )  # fmt: skip
    rung = Rung(name="pretrained", network=network, steps=1, lr=0.01)
    plan = Plan(task=Segmentation(), input=PatchInput(channels=1, patch=(16, 16)), ladder=Ladder(rungs=(rung,)))
    module = FieldcraftModule.of_plan(plan, "pretrained", shape=(1, 16, 16), outputs=2)
    begun = module.net.encoder.body.state_dict()
    for name, value in saved.body.state_dict().items():
        assert torch.equal(begun[name], value), name
    rates = {group["initial_lr"] for group in module.configure_optimizers()["optimizer"].param_groups}
    assert max(rates) == pytest.approx(0.01) and min(rates) < 0.002  # of the decoder, and of the encoder's first part
    assert module(torch.randn(2, 1, 16, 16)).shape == (2, 2, 16, 16)
    (tmp_path / "net.safetensors").unlink()
    with pytest.raises(PlanError, match="not there"):
        FieldcraftModule.of_plan(plan, "pretrained", shape=(1, 16, 16), outputs=2)
