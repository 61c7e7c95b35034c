"""Logs: one line a step, also when a run goes on from an earlier step."""

import json
from pathlib import Path

import pytest

from fieldcraft.train.hooks.interface import Hook, Trained, Validated
from fieldcraft.train.hooks.metrics_log import MetricsLog
from fieldcraft.train.hooks.tensorboard import TensorBoard


def trained(step: int, loss: float, rung: str = "small") -> Trained:
    return Trained(rung=rung, step=step, end=100, loss=loss, lr=0.1, ms=2.0)


def interrupted(hook: Hook, again: Hook) -> None:
    """Killed after step 30, resumed from 20, after another rung was finished."""
    hook.begin("tiny", 0, 100)
    hook.trained(trained(30, 9.0, "tiny"))
    hook.begin("small", 0, 100)
    for step in (10, 20, 30):
        hook.trained(trained(step, 1.0))
    hook.validated(Validated(rung="small", step=25, metric=0.3))
    hook.close()
    again.begin("small", 20, 100)
    for step in (30, 40):
        again.trained(trained(step, 2.0))
    again.validated(Validated(rung="small", step=35, metric=0.5))
    again.close()


def test_the_log_holds_every_step_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    interrupted(MetricsLog(path), MetricsLog(path))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["rung"], line["step"], line.get("loss"), line.get("metric")) for line in lines] == [
        ("tiny", 30, 9.0, None), ("small", 10, 1.0, None), ("small", 20, 1.0, None),
        ("small", 30, 2.0, None), ("small", 40, 2.0, None), ("small", 35, None, 0.5),
    ]  # fmt: skip
    assert {line["kind"] for line in lines} == {"train", "validation"}


def test_a_line_that_a_kill_cut_in_half_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"rung": "small", "step": 10, "kind": "train", "loss": 1.0}\n{"rung": "small", "st')
    log = MetricsLog(path)
    log.begin("small", 10, 100)
    log.trained(trained(20, 2.0))
    log.close()
    assert [json.loads(line)["step"] for line in path.read_text().splitlines()] == [10, 20]


@pytest.mark.filterwarnings("ignore")  # of TensorBoard's own reader
@pytest.mark.parametrize("start", [0, 20])
def test_tensorboards_own_reader_shows_every_step_once(tmp_path: Path, start: int) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    if start:
        interrupted(TensorBoard(tmp_path), TensorBoard(tmp_path))
    else:  # killed before the first checkpoint
        first, again = TensorBoard(tmp_path), TensorBoard(tmp_path)
        for hook, loss, steps in ((first, 1.0, (10, 20, 30)), (again, 2.0, (10, 20, 30, 40))):
            hook.begin("small", 0, 100)
            for step in steps:
                hook.trained(trained(step, loss))
            hook.validated(Validated(rung="small", step=35, metric=0.5))
            hook.close()
    found = reader.EventAccumulator(str(tmp_path / "small"))
    found.Reload()
    expected = [(10, 1.0), (20, 1.0), (30, 2.0), (40, 2.0)] if start else [(step, 2.0) for step in (10, 20, 30, 40)]
    assert [(event.step, event.value) for event in found.Scalars("train/loss")] == expected
    assert [(event.step, event.value) for event in found.Scalars("validation/metric")] == [(35, 0.5)]
    assert {event.value for event in found.Scalars("train/step_ms")} == {2.0}


def test_closing_twice_and_records_after_closing_do_no_harm(tmp_path: Path) -> None:
    for hook in (MetricsLog(tmp_path / "m.jsonl"), TensorBoard(tmp_path / "t")):
        hook.trained(trained(1, 1.0))
        hook.begin("small", 0, 100)
        hook.close()
        hook.close()
        hook.trained(trained(1, 1.0))
    assert (tmp_path / "m.jsonl").read_text() == ""
