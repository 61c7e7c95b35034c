"""Little memory: patches shrink before training, in the plan and with the reason, and a resumed run sees the same."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.verbs.masks.made_masks import pictures, plan, volumes
from tests.verbs.masks.test_fit_masks import StopAt

import fieldcraft as fc
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import BudgetError, Stopped
from fieldcraft.fingerprint.machine import machine_facts
from fieldcraft.plan.schema import Execution, Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.tips.interface import MemoryNeed
from fieldcraft.train.journal import Journal, Noted, SmallerMicro
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.masks.memory import memory_needs
from fieldcraft.verbs.masks.samples import ready_masks
from fieldcraft.verbs.prepare import prepare


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return volumes(tmp_path_factory.mktemp("data") / "balls", count=12, shape=(24, 24, 24))


def bounded(mib: int | None, *, patch: tuple[int, ...] = (24, 24, 24), steps: int = 12, batch: int = 2) -> Plan:
    made = plan(patch, steps=steps)
    return replace(made, execution=Execution(memory_mib=mib), batch=replace(made.batch, size=batch))


def test_a_given_plan_shrinks_to_its_bound_and_goes_on_exactly(data: Path, tmp_path: Path) -> None:
    whole = fit(data, bounded(2), out=tmp_path / "whole")
    carried_out = read_plan(whole.folder.plan)
    patch = carried_out.plan.input.patch
    assert patch != (24, 24, 24) and all(side % 2 == 0 for side in patch)
    reason = next(one for one in carried_out.decisions if one.tip == "patch-memory")
    assert reason.sets == ("input.patch",) and "2 may be taken" in reason.because
    events = Journal(whole.folder.journal).read()
    assert any(isinstance(one, Noted) and "the patch of the plan shrinks" in one.text for one in events)
    assert any("the patch of the plan shrinks" in one for one in whole.results.notes)
    assert fc.load(whole.path).spec.input.sample.patch == patch
    with pytest.raises(Stopped):
        fit(data, bounded(2), out=tmp_path / "cut", hooks=[StopAt(5)])
    cut = fit(data, bounded(2), out=tmp_path / "cut")
    assert cut.folder.weights.read_bytes() == whole.folder.weights.read_bytes()


def test_the_batch_is_cut_before_the_patch(data: Path, tmp_path: Path) -> None:
    run = fit(data, bounded(8, steps=4, batch=8), out=tmp_path / "run")
    assert read_plan(run.folder.plan).plan.input.patch == (24, 24, 24)
    cut = [one for one in Journal(run.folder.journal).read() if isinstance(one, SmallerMicro)]
    assert [one.step for one in cut] == [0] and 1 <= cut[0].micro < 8
    assert "pass at once and their gradients are summed" in (run.results.candidates[-1].note or "")


def test_a_machine_with_little_free_memory_bounds_a_plan_that_names_none(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcraft.verbs.machine.machine_facts", lambda: replace(machine_facts(), free_mib=4))
    monkeypatch.setattr("fieldcraft.train.memory.free_mib", lambda: 4.0)
    run = fit(data, bounded(None, steps=4), out=tmp_path / "run")
    assert read_plan(run.folder.plan).plan.input.patch != (24, 24, 24)


def test_where_not_even_the_smallest_patch_fits_it_is_told_before_training(tmp_path: Path) -> None:
    wide = plan((16, 16), steps=4)
    rung = wide.ladder.rungs[0]
    network = replace(rung.network, widths=(64, 128))
    wide = replace(
        wide,
        execution=Execution(memory_mib=1),
        ladder=replace(wide.ladder, rungs=(replace(rung, network=network),)),
    )
    with pytest.raises(BudgetError, match=r"rung small on one patch of 4x4 voxels would take about .* 1 MiB may be"):
        fit(pictures(tmp_path / "discs", count=10), wide, out=tmp_path / "run")


def test_each_network_has_its_own_need_though_the_rungs_stand_at_the_same_place(data: Path, tmp_path: Path) -> None:
    prepared = prepare(data, ReadOptions(), seed=0)
    narrow = plan((8, 8, 8))
    (rung,) = narrow.ladder.rungs
    wider = replace(rung, network=replace(rung.network, widths=(12, 24)))  # type: ignore[call-arg]
    wide = replace(narrow, ladder=replace(narrow.ladder, rungs=(wider,)))
    samples = ready_masks(prepared.dataset, prepared.parts, narrow, tmp_path, prepared.digest)
    asked = [MemoryNeed(plan=one, rung=0, patch=(8, 8, 8)) for one in (narrow, wide)]
    together = memory_needs(asked, samples)
    assert len(together) == 2
    for one in asked:
        assert memory_needs([one], samples)[one.key] == together[one.key]


def test_a_drafted_plan_keeps_to_the_bound(data: Path) -> None:
    drafted = fc.draft(data, edits=["execution.memory_mib=6"], budget=20)
    reason = next(one for one in drafted.decisions if one.tip == "patch-memory")
    assert reason.outcome == "applied" and "6 may be taken" in reason.because
    assert drafted.plan.execution.memory_mib == 6
    assert any(key.startswith("step-mib:") for key in drafted.facts.measured)
