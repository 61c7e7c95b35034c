"""Evidence stores: what is filed is found again, once, whatever happens to the file."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proof.made_up_evidence import line, on_sets

from fieldcraft.errors import RunError
from fieldcraft.proof.evidence import FILE, VARIABLE, Store, latest, ours, theirs

LINES = st.lists(
    st.builds(
        line,
        st.floats(-1, 1),
        set=st.sampled_from("abc"),
        proof=st.sampled_from("pqr"),
        pairs=st.integers(2, 9),
        stage=st.sampled_from(["screen", "confirm", "full"]),
        date=st.sampled_from(["2026-01-31", "2026-02-01"]),
    ),
    max_size=8,
)


def test_what_is_filed_is_found(tmp_path: Path) -> None:
    store, lines = Store(tmp_path / "new" / "folder"), on_sets([0.1, 0.2, 0.3])
    assert store.read() == ()
    assert store.add(lines[:2]) == 2
    assert store.add(lines) == 1
    assert store.read() == lines


def test_the_same_verdict_is_filed_once_also_on_another_day(tmp_path: Path) -> None:
    store, one = Store(tmp_path), line()
    assert [store.add([one]), store.add([one]), store.add([replace(one, date="2026-02-01"), one])] == [1, 0, 0]
    assert store.add([line(0.5)]) == 1


@pytest.mark.parametrize("cut", [1, 40, 200])
def test_a_line_cut_off_by_a_kill_costs_only_itself(tmp_path: Path, cut: int) -> None:
    store, (first, second, third) = Store(tmp_path), on_sets([0.1, 0.2, 0.3])
    store.add([first, second])
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:-cut])
    kept = (first, second) if cut == 1 else (first,)
    assert store.read() == kept
    store.add([third])
    assert store.read() == (*kept, third)


def test_all_files_of_a_folder_are_read(tmp_path: Path) -> None:
    store, (first, second) = Store(tmp_path), on_sets([0.1, 0.2])
    store.add([first])
    (tmp_path / FILE).rename(tmp_path / "a-friend.jsonl")
    store.add([second])
    assert store.read() == (first, second)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1, 2]", "line 2, is no evidence"),
        ('{"schema": 1, "tip": 3}', "is no evidence: at"),
        ('{"tip": "a"}', "no `schema` version"),
        ('{"schema": 99}', r"newer fieldcraft.*--no-evidence"),
    ],
)
def test_what_is_no_evidence_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    store = Store(tmp_path)
    store.add([line()])
    with (tmp_path / FILE).open("a") as file:
        file.write(f"{text}\n")
    with pytest.raises(RunError, match=message) as caught:
        store.read()
    assert FILE in str(caught.value)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="FIELDCRAFT_EVIDENCE"):
        Store(tmp_path / "file" / "folder").add([line()])


def test_the_user_says_where_theirs_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert theirs() == Store(tmp_path)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert theirs() == Store(tmp_path / "fieldcraft" / "evidence")
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert theirs() == Store(tmp_path / ".local" / "share" / "fieldcraft" / "evidence")


def test_ours_can_be_read_and_names_no_folder_of_this_machine() -> None:
    for one in ours().read():
        assert "/" not in json.dumps([one.name, one.processor, one.data, one.facts])


# ---------------------------------------------------------------- of the same proof, what says most


def test_a_proof_that_went_on_replaces_what_it_said_before() -> None:
    early, late, full = line(0.1, pairs=3), line(0.2, pairs=9), line(0.3, pairs=4, stage="full")
    assert latest([late, early]) == (late,)
    assert latest([full, late, early]) == (full,)
    assert len(latest([early, line(0.1, proof="another")])) == 2


@given(LINES, st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_matter(lines: list[object], random: Random) -> None:
    mixed = list(lines)
    random.shuffle(mixed)
    assert latest(mixed) == latest(lines) == latest([*latest(mixed), *lines])
