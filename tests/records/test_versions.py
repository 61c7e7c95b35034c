import json
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from fieldcraft.errors import FieldcraftError
from fieldcraft.records import versions
from fieldcraft.records.deep_facts import DeepFacts
from fieldcraft.records.facts import Facts, ImageFacts
from fieldcraft.records.files import read_json, write_json
from fieldcraft.records.versions import CURRENT, MIGRATIONS, Document, bring_forward, stamp

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind of document that has changed twice: a field was renamed, then split."""

    def renamed(document: Document) -> Document:
        return {"full_name" if key == "name" else key: value for key, value in document.items()}

    def split(document: Document) -> Document:
        first, last = document["full_name"].split()
        return {"first": first, "last": last}

    monkeypatch.setattr(versions, "CURRENT", {"person": 3})
    monkeypatch.setattr(versions, "MIGRATIONS", {("person", 1): renamed, ("person", 2): split})


@pytest.mark.usefixtures("two_steps")
@pytest.mark.parametrize(
    "document",
    [
        {"schema": 1, "name": "Ada Lovelace"},
        {"schema": 2, "full_name": "Ada Lovelace"},
        {"schema": 3, "first": "Ada", "last": "Lovelace"},
    ],
)
def test_every_older_version_is_brought_forward(document: Document) -> None:
    before = dict(document)
    assert bring_forward("person", document, "a.json") == {"first": "Ada", "last": "Lovelace"}
    assert document == before


@pytest.mark.usefixtures("two_steps")
def test_the_stamp_comes_first_and_is_current() -> None:
    assert list(stamp("person", {"first": "Ada"}).items()) == [("schema", 3), ("first", "Ada")]


def test_a_newer_version_says_to_upgrade() -> None:
    with pytest.raises(
        FieldcraftError, match=r"a\.toml was written by a newer fieldcraft .*reads up to 1\).*--upgrade"
    ):
        bring_forward("plan", {"schema": 2}, "a.toml")


@pytest.mark.parametrize("version", [None, 0, -1, "1", 1.0, True])
def test_a_document_without_a_version_is_of_no_kind(version: object) -> None:
    with pytest.raises(FieldcraftError, match=r"a\.toml has no `schema` version"):
        bring_forward("plan", {"schema": version} if version is not None else {}, "a.toml")


def test_there_is_a_step_from_every_version_to_the_next() -> None:
    assert set(MIGRATIONS) == {(kind, version) for kind, current in CURRENT.items() for version in range(1, current)}


def test_facts_written_as_schema_1_still_read() -> None:
    facts = TypeAdapter(Facts).validate_python(read_json(FIXTURES / "facts-1.json", "facts"))
    assert facts.data.samples == 1797
    assert isinstance(facts.data.inputs, ImageFacts)
    assert facts.data.inputs.height.value == (8, 8, 8)
    assert facts.machine.bf16
    assert facts.budget.seconds == 60.0
    (measured,) = facts.measured.values()
    assert measured.value == 2.5


def test_facts_survive_being_written(tmp_path: Path) -> None:
    facts = TypeAdapter(Facts).validate_python(read_json(FIXTURES / "facts-1.json", "facts"))
    write_json(tmp_path / "facts.json", "facts", facts)
    assert TypeAdapter(Facts).validate_python(read_json(tmp_path / "facts.json", "facts")) == facts
    before, after = (
        json.loads((folder / name).read_text())
        for folder, name in ((FIXTURES, "facts-1.json"), (tmp_path, "facts.json"))
    )
    assert after["data"].pop("deep") == TypeAdapter(DeepFacts).dump_python(DeepFacts(), mode="json")
    assert after["machine"].pop("reference") == []
    assert after["machine"].pop("compiler") is None
    assert after["data"]["inputs"].pop("sizes") is None
    assert after.pop("evidence") == {"digest": "", "tips": []}
    assert after.pop("weights") == []
    assert after == before
