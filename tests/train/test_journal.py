import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.train.journal import BackedOff, Climbed, Cooled, Finished, Journal, SmallerMicro, Tick, spent

EVENTS = (
    Tick(spent_s=1.5, stage="facts"),
    Cooled(rung="small", at=10, end=20, because="slow"),
    BackedOff(rung="small", step=7, back_to=0, lr_scale=0.5, because="the loss was nan", samples=("a", "b")),
    SmallerMicro(rung="small", step=7, micro=16, because="memory"),
    Climbed(rung="large", go=True, because="gained"),
    Finished(spent_s=9.0),
)


def test_every_event_comes_back_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    for event in EVENTS:
        journal.write(event)
    assert journal.read() == EVENTS


@given(cut=st.integers(1, 400))
def test_a_line_cut_in_half_is_dropped_and_the_next_write_starts_a_line_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.jsonl")
    for event in EVENTS:
        journal.write(event)
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole[: max(0, len(whole) - cut)])
    before = journal.read()
    assert before == EVENTS[: len(before)]
    journal.write(Tick(spent_s=3.0, stage="after"))
    assert journal.read() == (*before, Tick(spent_s=3.0, stage="after"))


def test_spent_is_the_latest_tick() -> None:
    assert spent(EVENTS) == 9.0
    assert spent(()) == 0.0


def test_no_journal_means_no_events(tmp_path: Path) -> None:
    assert Journal(tmp_path / "none.jsonl").read() == ()


def test_an_event_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").write_text('{"schema": 99, "event": "tick", "spent_s": 1, "stage": "x"}\n')
    with pytest.raises(FieldcraftError, match="newer fieldcraft"):
        Journal(tmp_path / "journal.jsonl").read()


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot write"):
        Journal(tmp_path / "file" / "journal.jsonl").write(EVENTS[0])
    assert os.listdir(tmp_path) == ["file"]  # noqa: PTH208
