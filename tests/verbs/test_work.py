"""Where the time went."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.verbs.made_work import work

from fieldcraft.errors import Stopped
from fieldcraft.train.journal import Journal, Noted


def test_time_is_that_since_the_last_tick_and_adds_up(tmp_path: Path) -> None:
    readings = iter([1.0, 3.0, 6.0, 7.5])
    surroundings = work(tmp_path, now=lambda: next(readings))
    for stage in ("data", "facts", "rung small", "data"):
        surroundings.tick(stage)
    assert surroundings.seconds() == {"data": 2.5, "facts": 2.0, "rung small": 3.0}
    assert list(surroundings.seconds()) == ["data", "facts", "rung small"]
    assert surroundings.spent_on("facts", "data", "never") == 4.5


def test_a_note_is_kept_once(tmp_path: Path) -> None:
    surroundings = work(tmp_path)
    surroundings.note("slow")
    surroundings.note("slow")
    assert Journal(surroundings.folder.journal).read() == (Noted(text="slow"),)


def test_asked_to_stop(tmp_path: Path) -> None:

    work(tmp_path).check_stop()
    with pytest.raises(Stopped):
        replace(work(tmp_path), stop=lambda: True).check_stop()
