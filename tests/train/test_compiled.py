"""Compiled training steps: the same steps, with a real compiler where there is one."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tests.train.test_loop import around, made_job, made_net, same, stop_after

from fieldcraft.fingerprint.machine import compiler
from fieldcraft.plan.schema import Execution, SmallerMicro
from fieldcraft.train.compiled import Compiled, reason
from fieldcraft.train.engine import Engine, engine
from fieldcraft.train.journal import Noted
from fieldcraft.train.loop import train

COMPILED = Execution(compile=True)


def test_where_compiling_fails_the_plain_steps_are_taken_and_the_run_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> object:
        raise torch._dynamo.exc.TorchDynamoException("No working C++ compiler found in:\n(None, 'g++')")

    monkeypatch.setattr(torch, "compile", lambda net, **options: fails)
    said: list[str] = []
    compiled = around(tmp_path / "compiled", engine=engine(COMPILED), say=said.append)
    outcome = train(made_job(made_net(), 30), compiled)
    assert same(outcome, train(made_job(made_net(), 30), around(tmp_path / "plain")))
    told = "small: not compiled (No working C++ compiler found in): steps run as they are"
    assert said == [told]
    assert [event.text for event in compiled.journal.read() if isinstance(event, Noted)] == [told]


def test_other_errors_are_not_taken_for_the_compilers(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> object:
        raise RuntimeError("the network's own")

    monkeypatch.setattr(torch, "compile", lambda net, **options: breaks)
    with pytest.raises(RuntimeError, match="the network's own"):
        Compiled(made_net(), lambda text: None)(torch.randn(4, 4))


@pytest.mark.parametrize(
    ("device", "whole", "recorded"), [("cuda", True, True), ("cuda", False, False), ("cpu", True, False)]
)
def test_launches_are_recorded_on_a_gpu_where_batches_pass_at_once(
    device: str, whole: bool, recorded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gradients of several parts would lie in memory that the next part writes to."""
    asked: list[object] = []
    marks: list[None] = []

    def compiles(net: torch.nn.Module, *, dynamic: bool, options: dict[str, object]) -> torch.nn.Module:
        asked.append(options["triton.cudagraphs"])
        return net

    monkeypatch.setattr(torch, "compile", compiles)
    monkeypatch.setattr(torch.compiler, "cudagraph_mark_step_begin", lambda: marks.append(None))
    net = Engine(torch.device(device), COMPILED).compiled(made_net(), lambda text: None, whole=whole)
    net(torch.randn(4, 4))
    parts = net.in_parts()
    parts(torch.randn(4, 4))
    assert (parts is net) == (not recorded)
    assert asked == ([True, False] if recorded else [False])
    assert len(marks) == recorded


def test_a_run_whose_batches_pass_in_parts_records_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []

    def compiled(self: Engine, net: torch.nn.Module, tell: object, *, whole: bool) -> torch.nn.Module:
        told.append(whole)
        return net

    monkeypatch.setattr(Engine, "compiled", compiled)
    later = (SmallerMicro(at=10, size=8),)
    for name, changes in (("whole", {}), ("parts", {"micro": 8}), ("later", {"smaller": later})):
        train(replace(made_job(made_net(), 20), **changes), around(tmp_path / name, engine=engine(COMPILED)))
    assert told == [True, False, False]


def test_once_memory_has_run_out_nothing_recorded_is_played_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[tuple[bool, int]] = []

    class Recorded(Compiled):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            sizes.append((self._recorded, len(x)))
            if self._recorded and len(sizes) == 5:
                raise torch.OutOfMemoryError("made up")
            return self.plain(x)

        def in_parts(self) -> Compiled:
            return Recorded(self.plain, self._tell)

    monkeypatch.setattr(Engine, "compiled", lambda self, net, tell, whole: Recorded(net, tell, recorded=whole))
    train(made_job(made_net(), 20), around(tmp_path, engine=engine(COMPILED)))
    assert sizes[:5] == [(True, 16)] * 5
    assert set(sizes[5:]) == {(False, 8)}


def test_a_reason_is_one_short_line() -> None:
    assert reason(RuntimeError("\n  first:\nsecond")) == "first"
    assert reason(RuntimeError()) == "RuntimeError"
    assert len(reason(RuntimeError("x" * 1000))) == 160


@pytest.mark.slow
@pytest.mark.skipif(compiler() is None, reason="no C++ compiler, which torch.compile needs")
def test_compiled_steps_are_the_plain_ones_to_rounding_resume_and_keep_their_names(tmp_path: Path) -> None:
    def surroundings(name: str, **changes: object) -> object:
        return around(tmp_path / name, engine=engine(COMPILED), **changes)

    net = made_net()
    plain = train(made_job(made_net(), 60), around(tmp_path / "plain"))
    whole = train(made_job(net, 60), surroundings("whole"))  # type: ignore[arg-type]
    assert set(whole.weights) == set(made_net().state_dict())
    for name, value in plain.weights.items():
        torch.testing.assert_close(whole.weights[name], value, rtol=1e-4, atol=1e-5)
    train(made_job(made_net(), 60), surroundings("cut", stop=stop_after(55)))  # type: ignore[arg-type]
    assert same(whole, train(made_job(made_net(), 60), surroundings("cut")))  # type: ignore[arg-type]
    made_net().load_state_dict(whole.weights)
