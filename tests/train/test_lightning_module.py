import warnings

import pytest
import torch

from fieldcraft.plan.schema import AdamW, Ladder, Mlp, OneCycle, Plan, Rung, SingleLabel, TableInput

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
