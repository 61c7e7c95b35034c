"""The looks at the test part."""

import json
from pathlib import Path

import pytest

from fieldcraft.errors import FieldcraftError
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.score import score


def test_every_look_is_written_down_with_its_reason(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    assert ledger.looks() == 0
    assert [ledger.look("first", ("fieldcraft", "fit")), ledger.look("again"), ledger.looks()] == [1, 2, 2]
    lines = [json.loads(line) for line in ledger.path.read_text().splitlines()]
    assert [(line["schema"], line["look"], line["why"], line["command"]) for line in lines] == [
        (1, 1, "first", "fieldcraft fit"),
        (1, 2, "again", ""),
    ]
    assert all(line["when"].endswith("+00:00") for line in lines)


def test_a_look_at_what_is_not_there_is_refused_and_not_counted(tmp_path: Path) -> None:
    with pytest.raises(FieldcraftError, match=r"predictions\.parquet is missing"):
        score(tmp_path)
    assert not Run(tmp_path).folder.ledger.exists()
