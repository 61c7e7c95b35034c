"""Evidence from Python: a proof's folder is filed, weighed, and read by drafts."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.proof.made_up_evidence import on_sets, proof_folder
from tests.report.made_up_proof import EFFECTS, Asked, made_up

import fieldcraft as fc
from fieldcraft.errors import PlanError, RunError
from fieldcraft.proof.evidence import VARIABLE, Store
from fieldcraft.records.evidence import Evidence
from fieldcraft.records.prior import Prior
from fieldcraft.tips import ALL, label_smoothing
from fieldcraft.tips.version import version
from fieldcraft.verbs.evidence import prior

TIP = label_smoothing.TIP


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Theirs in a folder of its own, ours empty."""
    folder = tmp_path / "evidence"
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr("fieldcraft.proof.evidence.ours", lambda: Store(tmp_path / "ours"))
    yield Store(folder)


def hurting() -> list[Evidence]:
    lines = on_sets((-0.012, -0.010, -0.011, -0.009, -0.013))
    return [replace(one, tip=TIP.name, version=version(TIP)) for one in lines]


def test_a_proof_is_filed_once_and_found(tmp_path: Path, store: Store) -> None:
    folder = proof_folder(tmp_path / "digits-proof", made_up())
    kept, again = fc.keep_evidence(folder, name="digits"), fc.keep_evidence(folder, name="digits")
    assert (kept.new, again.new, kept.folder) == (len(EFFECTS), 0, store.folder)
    known = fc.evidence()
    assert {one.tip for one in known.lines} == set(EFFECTS)
    assert {one.sets for one in known.tips} == {1}
    assert known.stale == frozenset()
    assert {one.tip for one in fc.evidence("one-cycle").lines} == {"one-cycle"}
    assert {"torch", "python", "fieldcraft"} <= set(known.lines[0].versions)


def test_the_run_of_a_proof_can_be_named_instead(tmp_path: Path) -> None:
    proof_folder(tmp_path / "run" / "proof", made_up())
    assert fc.keep_evidence(tmp_path / "run").new == len(EFFECTS)


def test_what_holds_no_proof_is_refused(tmp_path: Path, store: Store) -> None:
    with pytest.raises(RunError, match="is no folder"):
        fc.keep_evidence(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"holds no proof: `fieldcraft prove` makes one"):
        fc.keep_evidence(tmp_path)
    (tmp_path / "begun").mkdir()
    (tmp_path / "begun" / "setting.json").write_text("{}\n")
    with pytest.raises(RunError, match="no proof has ended there"):
        fc.keep_evidence(tmp_path / "begun")
    with pytest.raises(RunError, match="not to be trusted"):
        fc.keep_evidence(proof_folder(tmp_path / "bad", made_up(Asked(poison=0.004))))
    assert store.read() == ()


def test_a_tip_that_does_not_exist_is_said() -> None:
    with pytest.raises(PlanError, match="no tip is called dropuot; did you mean `dropout`"):
        fc.evidence("dropuot")


def test_the_prior_is_empty_without_evidence_and_follows_the_tips_code(store: Store) -> None:
    assert prior() == Prior()
    store.add(hurting())
    known = prior().of(TIP.name, "image", "accuracy")
    assert known is not None and known.standing == "left out"
    store.add([replace(one, tip=TIP.name, version="earlier") for one in on_sets((0.5,))])
    assert prior().of(TIP.name, "image", "accuracy") == known
    assert fc.evidence().stale == {TIP.name}


def test_drafts_read_evidence_unless_told_not_to(store: Store) -> None:
    rng = np.random.default_rng(0)
    kinds = rng.integers(0, 5, 150)
    data = (rng.normal(size=(150, 4)) + kinds[:, None], kinds)
    store.add([replace(one, kind="table") for one in hurting()])
    others = [tip.name for tip in ALL if tip.decide is not None and tip.name != TIP.name]
    warned = fc.draft(data, budget=4, without=others)
    without = fc.draft(data, budget=4, without=others, evidence=False)
    said = {one.tip: one for one in warned.decisions}
    assert said[TIP.name].outcome == "left-out"
    assert said[TIP.name].because.startswith("evidence: -1.1 points [-")
    assert warned.facts.evidence.digest == fc.evidence().digest != ""
    assert without.facts.evidence == Prior()
    assert {one.tip: one.outcome for one in without.decisions}[TIP.name] == "applied"
