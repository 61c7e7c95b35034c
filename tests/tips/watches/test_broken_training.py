"""Networks that are broken on purpose, trained for real, and a healthy one: the right diagnosis, and no other alarm."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from fieldcraft.fingerprint.leak import leaks
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.training import Curve, Gap, Look, TrainingRecord
from fieldcraft.tips import watches
from fieldcraft.tips.symptoms import all_watches, diagnose
from fieldcraft.train.watcher import Watcher

CLASSES, FEATURES, SAMPLES = 4, 16, 2048


@dataclass(frozen=True)
class Clouds:
    """Classes around centres of their own."""

    inputs: Tensor
    targets: Tensor


def clouds() -> Clouds:
    torch.manual_seed(0)
    centres = torch.randn(CLASSES, FEATURES)
    targets = torch.randint(CLASSES, (SAMPLES,))
    return Clouds(centres[targets] + 0.8 * torch.randn(SAMPLES, FEATURES), targets)


def mlp(depth: int, activation: type[nn.Module], norm: bool = False) -> nn.Sequential:
    torch.manual_seed(1)
    layers: list[nn.Module] = [nn.Linear(FEATURES, 32), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(32, 32), *([nn.BatchNorm1d(32)] if norm else []), activation()]
    return nn.Sequential(*layers, nn.Linear(32, CLASSES))


def trained(
    net: nn.Module, data: Clouds, *, rate: float = 0.05, epochs: int = 6, order: Callable[[], Tensor] | None = None
) -> TrainingRecord:
    """Anyone's own loop, with a watcher in it."""
    looks: list[Look] = []
    losses: list[float] = []
    steps = epochs * SAMPLES // 64
    watcher = Watcher(net, name="net", planned=steps, tell=looks.append, classes=CLASSES)
    optimiser = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9)
    step = 0
    for _ in range(epochs):
        rows = order() if order else torch.randperm(SAMPLES)
        for part in rows.split(64):
            with watcher.step(step, data.targets[part]):
                optimiser.zero_grad()
                loss = nn.functional.cross_entropy(net(data.inputs[part]), data.targets[part])
                loss.backward()
                optimiser.step()
            losses.append(float(loss.detach()))
            step += 1
    return TrainingRecord(
        rung="net", looks=tuple(looks), loss=Curve(steps=tuple(range(steps)), values=tuple(losses)), planned_steps=steps
    )


def names(findings: Iterable[Finding]) -> set[str]:
    return {finding.name for finding in findings if finding.severity is not Severity.INFO}


def test_a_healthy_network_raises_no_alarm() -> None:
    assert names(diagnose([trained(mlp(4, nn.ReLU, norm=True), clouds())])) == set()


def test_twenty_layers_of_sigmoids_lose_their_gradients() -> None:
    found = diagnose([trained(mlp(20, nn.Sigmoid), clouds())])
    assert "vanishing-gradients" in names(found)
    worst = found[0]
    assert worst.name == "vanishing-gradients"
    assert "0" in worst.layers  # the first layer hardly gets a gradient
    assert worst.numbers["least_ratio"] < 1e-8


def test_a_rate_a_hundred_times_too_high() -> None:
    assert "large-updates" in names(diagnose([trained(mlp(4, nn.ReLU), clouds(), rate=5.0, epochs=2)]))


def test_rectifiers_that_die() -> None:
    net = mlp(3, nn.ReLU)
    with torch.no_grad():
        net[2].bias.fill_(-50.0)
    found = {finding.name: finding for finding in diagnose([trained(net, clouds())])}
    assert found["dead-units"].severity is Severity.ERROR
    assert "3" in found["dead-units"].layers
    assert found["dead-units"].numbers["largest_share"] > 0.9


def test_batches_in_the_order_of_classes() -> None:
    data = clouds()
    found = diagnose([trained(mlp(3, nn.ReLU, norm=True), data, order=lambda: data.targets.argsort())])
    assert "unshuffled-batches" in names(found)


def test_tanhs_with_large_weights_are_saturated() -> None:
    net = mlp(3, nn.Tanh)
    with torch.no_grad():
        for layer in net:
            if isinstance(layer, nn.Linear):
                layer.weight.mul_(20)
    assert "saturated-units" in names(diagnose([trained(net, clouds(), rate=1e-3)]))


def test_a_frozen_looking_layer_is_idle() -> None:
    net = mlp(3, nn.ReLU, norm=True)
    net[0].weight.register_hook(lambda gradient: gradient * 1e-9)
    found = {finding.name: finding for finding in diagnose([trained(net, clouds())])}
    assert found["idle-layers"].layers == ("0",)


def test_exploding_gradients_through_large_weights() -> None:
    net = mlp(12, nn.ReLU)
    with torch.no_grad():
        for layer in list(net)[2:-1]:
            if isinstance(layer, nn.Linear):
                layer.weight.normal_(std=6 / 32**0.5)
    assert "exploding-gradients" in names(diagnose([trained(net, clouds(), rate=1e-12, epochs=1)]))


@pytest.mark.parametrize("task", ["classes", "numbers"])
def test_a_column_that_holds_the_answer(task: str) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 600) if task == "classes" else random.normal(size=600)
    columns = random.normal(size=(600, 5)).astype(np.float32)
    columns[:, 3] = truth + 0.001 * random.normal(size=600)
    names_ = [f"c{place}" for place in range(5)]
    found = leaks(columns[:400], truth[:400], columns[400:], truth[400:], names_)
    record = TrainingRecord(rung="net", leaks=found)
    assert found[0].column == "c3"
    assert [finding.name for finding in diagnose([record])] == ["leaking-input"]
    honest = leaks(columns[:400, :3], truth[:400], columns[400:, :3], truth[400:], names_[:3])
    assert diagnose([replace(record, leaks=honest)]) == ()


def test_no_column_is_begun_when_the_time_is_over() -> None:
    random = np.random.default_rng(0)
    columns, truth = random.normal(size=(50, 9)).astype(np.float32), random.integers(0, 2, 50)
    ticks = iter(range(100))
    found = leaks(columns, truth, columns, truth, list("abcdefghi"), limit_s=3, clock=lambda: next(ticks))
    assert {leak.column for leak in found} <= {"a", "b"}
    assert leaks(columns, truth, columns, truth, list("abcdefghi"), limit_s=0) == ()


def test_one_good_column_is_no_leak() -> None:
    """Iris petals, breast-cancer's worst radius: single columns that are good, and honest."""
    from sklearn.datasets import load_breast_cancer, load_iris

    for load in (load_iris, load_breast_cancer):
        x, y = load(return_X_y=True)
        rows = np.random.default_rng(0).permutation(len(x))
        cut = len(x) * 2 // 3
        first, second = rows[:cut], rows[cut:]
        found = leaks(
            x[first].astype(np.float32),
            y[first],
            x[second].astype(np.float32),
            y[second],
            list(map(str, range(x.shape[1]))),
        )
        assert found[0].score > found[0].chance + 0.2
        assert diagnose([TrainingRecord(rung="net", leaks=found)]) == ()


def test_every_symptom_in_the_folder_is_watched_for_by_a_tip() -> None:
    folder = Path(watches.__file__).parent
    found = {import_module(f"fieldcraft.tips.watches.{path.stem}") for path in folder.glob("[a-z]*.py")}
    assert {module.WATCH.code for module in found if hasattr(module, "WATCH")} == {one.code for one in all_watches()}


# ---------------------------------------------------------------- what needs no network

RECORD = TrainingRecord(
    rung="net", noise=0.01, gap=Gap(training=0.9, validation=0.9, noise=0.014, validation_noise=0.01)
)


def test_validation_that_falls_again_is_overfitting_and_a_gap_alone_a_remark() -> None:
    falls = replace(RECORD, validation=Curve(steps=(10, 20, 30), values=(0.8, 0.9, 0.82)))
    (found,) = diagnose([falls])
    assert (found.name, found.severity) == ("overfitting", Severity.WARNING)
    apart = replace(RECORD, gap=Gap(training=1.0, validation=0.9, noise=0.014, validation_noise=0.01))
    (remark,) = diagnose([apart])
    assert (remark.name, remark.severity) == ("overfitting", Severity.INFO)
    wobbles = replace(RECORD, validation=Curve(steps=(10, 20, 30), values=(0.8, 0.9, 0.89)))
    assert diagnose([wobbles]) == ()


def test_errors_that_should_be_small_are_read_the_other_way_round() -> None:
    gap = Gap(training=1.0, validation=1.0, noise=0.014, validation_noise=0.01)
    record = replace(RECORD, metric="rmse", higher_is_better=False, gap=gap)
    falls = replace(record, validation=Curve(steps=(10, 20, 30), values=(2.0, 1.0, 1.5)))
    assert names(diagnose([falls])) == {"overfitting"}
    assert (
        diagnose([replace(record, validation=Curve(steps=(10, 20, 30), values=(2.0, 1.5, 1.0)))])[0].name
        == "unfinished-training"
    )


def test_no_better_than_a_constant_where_a_line_is() -> None:
    gap = Gap(training=0.31, validation=0.3, noise=0.02, validation_noise=0.015)
    stuck = replace(RECORD, noise=0.015, gap=gap, baselines={"majority": 0.3, "linear": 0.8})
    assert names(diagnose([stuck])) == {"underfitting"}
    noise = replace(stuck, baselines={"majority": 0.3, "linear": 0.31})
    assert names(diagnose([noise])) == set()  # where nothing beats a constant, the target is to blame


def test_back_offs_and_jumps_of_the_loss() -> None:
    assert names(diagnose([replace(RECORD, backed_off=("step 12: the loss is no number",))])) == {"loss-spikes"}
    smooth = tuple(1.0 - 0.01 * step for step in range(30))
    jumps = tuple(5.0 if step in (12, 20) else value for step, value in enumerate(smooth))
    for values, expected in ((smooth, set()), (jumps, {"loss-spikes"})):
        record = replace(RECORD, loss=Curve(steps=tuple(range(30)), values=values))
        assert names(diagnose([record])) == expected


def test_confidence_far_from_accuracy_is_a_remark() -> None:
    (found,) = diagnose([replace(RECORD, ece=0.12, overconfident=True)])
    assert (found.name, found.severity) == ("miscalibrated", Severity.INFO)
    assert "surer than it is right" in found.message
    assert diagnose([replace(RECORD, ece=0.02, overconfident=True)]) == ()
