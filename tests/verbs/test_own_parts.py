"""Parts of one's own take part in a whole run."""

import importlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.verbs.made_data import images, plan

import fieldcraft as fc
from fieldcraft.plan.schema import Augment, Imported, SingleLabel
from fieldcraft.verbs.fit import fit

MODULE = """
import torch
from torch import nn
from torch.nn.functional import cross_entropy

called = set()

class Net(nn.Module):
    def __init__(self, shape, outputs):
        super().__init__()
        self.features = nn.Conv2d(shape[0], 8, kernel_size=3, padding=1)
        self.head = nn.Linear(8 * shape[1], outputs)

    def forward(self, images):
        called.add("network")
        return self.head(self.features(images).relu().mean(dim=3).flatten(1))

def loss(outputs, targets):
    called.add("loss")
    return cross_entropy(outputs, targets)

def metric(truth, scores):
    called.add("metric")
    return float((scores.argmax(axis=1) == truth).mean()) - 2

def changes(batch, generator):
    called.add("augmentation")
    return batch + 0.1 * torch.randn(batch.shape, generator=generator)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """A module of one's own; gives the set of its parts that were called."""
    (tmp_path / "own_parts_of_a_test.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_parts_of_a_test", raising=False)
    called: set[str] = importlib.import_module("own_parts_of_a_test").called
    return called


def test_network_loss_metric_and_augmentation_of_ones_own(own: set[str], tmp_path: Path) -> None:
    task = SingleLabel(
        loss=Imported(target="own_parts_of_a_test:loss"), metric=Imported(target="own_parts_of_a_test:metric")
    )
    planned = plan(task, steps=60, network=Imported(target="own_parts_of_a_test:Net"))
    augment = Augment(own=("own_parts_of_a_test:changes",))
    planned = replace(planned, input=replace(planned.input, augment=augment))
    run = fit(images(), planned, out=tmp_path / "run")
    assert own == {"network", "loss", "metric", "augmentation"}
    assert run.results.winner == "small"
    assert run.results.metric == "own_parts_of_a_test:metric"
    assert -2 <= run.results.candidates[-1].validation <= -1
    x, y = images()
    model = fc.load(run.path)
    assert (model.predict(x)["prediction"].astype(int) == y).mean() > 0.9
    again = fit(images(), run.folder.repeat, out=tmp_path / "again")
    assert again.folder.weights.read_bytes() == run.folder.weights.read_bytes()


def test_tips_plan_around_a_network_of_ones_own(own: set[str], tmp_path: Path) -> None:
    edits = (
        "ladder.rungs.small.network.kind=import",
        "ladder.rungs.small.network.target=own_parts_of_a_test:Net",
        'ladder.baselines=["majority"]',
        "ladder.rungs.small.steps=60",
        "ladder.rungs.large.steps=2",
    )
    run = fit(images(), out=tmp_path / "run", edits=edits, without=("precision-and-layout",))
    assert run.plan.ladder.rungs[0].network == Imported(target="own_parts_of_a_test:Net")
    assert "network" in own
    assert np.isfinite(run.results.candidates[1].validation)
