"""What a run does after the system killed its process for memory."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.verbs.made_data import images, plan
from tests.verbs.made_work import work

from fieldcraft.plan.schema import Rung
from fieldcraft.plan.schema import SmallerMicro as Planned
from fieldcraft.plan.toml import read_plan
from fieldcraft.train.journal import Climbed, Journal, SmallerMicro
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.memory_kill import FILE, after_a_memory_kill, forget_kills, remember_kills

PLAN = plan()  # batches of 32
GO = Climbed(rung="small", go=True, because="the first network")


def smaller(journal: Journal) -> list[int]:
    return [event.micro for event in journal.read() if isinstance(event, SmallerMicro)]


def test_only_a_counter_that_rose_while_a_rung_trained_halves_the_micro_batch(tmp_path: Path) -> None:
    surroundings = work(tmp_path)
    after_a_memory_kill(PLAN, surroundings, 5, 100)  # nothing was remembered: the first process
    remember_kills(surroundings.folder, 5)
    after_a_memory_kill(PLAN, surroundings, 9, 100)  # no rung had begun
    surroundings.journal.write(GO)
    after_a_memory_kill(PLAN, surroundings, 5, 100)  # killed for another reason
    after_a_memory_kill(PLAN, surroundings, 2, 100)  # the machine was restarted
    assert smaller(surroundings.journal) == []
    after_a_memory_kill(PLAN, surroundings, 6, 100)
    after_a_memory_kill(PLAN, surroundings, 6, 100)
    assert smaller(surroundings.journal) == [16, 8]
    forget_kills(surroundings.folder)
    after_a_memory_kill(PLAN, surroundings, 7, 100)
    assert smaller(surroundings.journal) == [16, 8]
    assert not (tmp_path / FILE).exists()


def test_half_is_half_of_what_really_passed_at_once(tmp_path: Path) -> None:
    for number, (rungs, samples, expected) in enumerate([
        (PLAN.ladder.rungs, 20, 10),  # the training part is smaller than a batch
        ((plan_rung(Planned(at=3, size=6)),), 100, 3),
        ((plan_rung(Planned(at=0, size=1)),), 100, 1),
    ]):  # fmt: skip
        surroundings = work(tmp_path / str(number))
        remember_kills(surroundings.folder, 0)
        surroundings.journal.write(GO)
        after_a_memory_kill(plan(rungs=rungs), surroundings, 1, samples)
        assert smaller(surroundings.journal) == [expected]


def plan_rung(smaller_micro: Planned) -> Rung:
    return replace(PLAN.ladder.rungs[0], smaller_micros=(smaller_micro,))


class KilledError(BaseException):
    """Nothing catches this."""


def test_the_resumed_run_uses_half_says_so_and_can_be_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = 3
    monkeypatch.setattr("fieldcraft.verbs.fit.memory_kills", lambda: counter)
    monkeypatch.setattr("fieldcraft.verbs.fit.forget_kills", lambda folder: None)  # a killed process cannot
    with monkeypatch.context() as patched:
        patched.setattr("fieldcraft.verbs.rung.train", killed)
        with pytest.raises(KilledError):
            fit(images(), PLAN, out=tmp_path / "run")
    assert (tmp_path / "run" / FILE).exists()
    counter = 4
    run = fit(images(), PLAN, out=tmp_path / "run")
    assert smaller(Journal(run.folder.journal)) == [16]
    assert any("killed for memory; 16 samples now pass at once" in note for note in run.results.notes)
    assert "killed for memory" in run.report.read_text()
    assert read_plan(run.folder.repeat).plan.ladder.rungs[0].smaller_micros == (Planned(at=0, size=16),)
    again = fit(images(), run.folder.repeat, out=tmp_path / "again")
    assert again.folder.weights.read_bytes() == run.folder.weights.read_bytes()
    undisturbed = fit(images(), PLAN, out=tmp_path / "undisturbed")
    assert undisturbed.folder.weights.read_bytes() != run.folder.weights.read_bytes()


def killed(*arguments: object) -> Callable[[], None]:
    raise KilledError


def test_the_note_goes_when_a_run_ends_on_its_own(tmp_path: Path) -> None:
    fit(images(), plan(steps=3), out=tmp_path / "run")
    assert not (tmp_path / "run" / FILE).exists()
