"""proof.json: what is written comes back, and what is no proof is said to be none."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.report.made_up_proof import all_kinds, made_up

from fieldcraft.errors import FieldcraftError, RunError
from fieldcraft.proof.document import from_json, read_proof, to_json, write_proof
from fieldcraft.records.proof import Between, Proof, Setting, Verdict

NUMBERS = st.floats(allow_nan=False)
BETWEEN = st.builds(Between, value=NUMBERS, low=NUMBERS, high=NUMBERS, pairs=st.integers(0, 10**6))
SETTINGS = st.builds(Setting, trial_s=st.dictionaries(st.sampled_from(["screen", "confirm", "full"]), NUMBERS))
st.register_type_strategy(Setting, SETTINGS)
st.register_type_strategy(Between, BETWEEN)
PROOFS = st.builds(Proof, verdicts=st.lists(st.from_type(Verdict), max_size=3).map(tuple))


@pytest.mark.parametrize("name", list(all_kinds()))
def test_a_proof_comes_back_whole(name: str) -> None:
    proof = all_kinds()[name]
    assert from_json(to_json(proof)) == proof


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(PROOFS)
def test_any_proof_comes_back_whole(proof: Proof) -> None:
    written = to_json(proof)
    assert to_json(from_json(written)) == written
    assert from_json(written) == proof or "NaN" in written


def test_it_is_plain_json_with_its_version_first() -> None:
    document = json.loads(to_json(all_kinds()["unlimited"]), parse_constant=lambda name: pytest.fail(name))
    assert list(document)[:2] == ["schema", "setting"]
    assert document["verdicts"][0]["effect"]["low"] == "-Infinity"


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "proof.json"
    with pytest.raises(RunError, match="is missing"):
        read_proof(path)
    write_proof(path, made_up())
    assert read_proof(path) == made_up()
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunError, match="no text"):
        read_proof(path)
    with pytest.raises(RunError, match="cannot read"):
        read_proof(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no JSON"),
        ("[1]", "an object was expected"),
        ("{}", "has no `schema` version"),
        ('{"schema": 1, "name": "an inspection"}', "at setting: field required"),
        ('{"schema": 99}', "newer fieldcraft"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_what_is_no_proof_is_named_with_the_file(text: str, said: str) -> None:
    with pytest.raises(FieldcraftError, match=said) as told:
        from_json(text, "some/proof.json")
    assert "some/proof.json" in str(told.value)


def test_a_wrong_value_is_named_by_its_place() -> None:
    document = json.loads(to_json(made_up()))
    document["verdicts"][1]["word"] = "maybe"
    with pytest.raises(RunError, match=r"at verdicts\.1\.word: input should be"):
        from_json(json.dumps(document))


def test_a_proof_written_as_schema_1_still_reads() -> None:
    proof = read_proof(Path(__file__).parents[1] / "records" / "fixtures" / "proof-1.json")
    assert proof.setting.factors == ("label-smoothing", "mixup")
    assert [one.kind for one in proof.controls] == ["placebo", "poison"]
    assert len(proof.outcomes) == 4
    assert from_json(to_json(proof)) == proof
