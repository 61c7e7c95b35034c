"""Trials of proofs for masks: what arms of a pair share, what controls change, what decides last steps."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from tests.verbs.masks.made_masks import pictures, plan, volumes

from fieldcraft.data.dataset import ReadOptions
from fieldcraft.data.store_cases import written
from fieldcraft.errors import FieldcraftError
from fieldcraft.plan.edit import edit
from fieldcraft.plan.masks import CrfIfBetter, Masks
from fieldcraft.plan.schema import Execution, Plan
from fieldcraft.plan.toml import to_toml
from fieldcraft.prediction.masks.model import MaskModel
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.proof.common_error import unpacked
from fieldcraft.proof.verdict import verdicts
from fieldcraft.records.masks import MaskMetric
from fieldcraft.records.proof import Arm, ArmKind, Outcome, Setting, Trial
from fieldcraft.train.engine import restored
from fieldcraft.verbs.arms import Planned
from fieldcraft.verbs.ledger import Ledger
from fieldcraft.verbs.masks.fold_score import mask_metric, scored, shares_of
from fieldcraft.verbs.masks.last_look import last_mask_look
from fieldcraft.verbs.masks.last_steps import refined, settings_of, spec_of, validation_logits
from fieldcraft.verbs.masks.rung import TrainedMasks
from fieldcraft.verbs.masks.samples import MaskSamples, ready_masks
from fieldcraft.verbs.masks.trial import MaskTrialMaker, train_alone
from fieldcraft.verbs.once import Once
from fieldcraft.verbs.prepare import Prepared, known, prepare
from fieldcraft.verbs.shelf import Shelf

ON, OFF = ("tip",), ()


@dataclass(frozen=True)
class Bench:
    """Cases, with plans of two arms."""

    prepared: Prepared
    folder: Path

    def maker(self, on: Plan, off: Plan | None = None, metric: MaskMetric = "dice") -> MaskTrialMaker:
        shelf = Shelf(folder=self.folder / f"arms-{len(list(self.folder.iterdir()))}")
        for names, one in ((ON, on), (OFF, off or on)):
            shelf.put("confirm", Planned(on=names, toml=to_toml(one)))
        inputs = self.prepared.dataset.inputs
        return MaskTrialMaker(
            dataset=self.prepared.dataset, parts=self.prepared.parts, store=written(inputs, self.folder),  # type: ignore[arg-type]
            cache=self.folder, digest=self.prepared.digest, shelf=shelf, facts=known(self.prepared, 60.0),
            splits=on.splits, metric=metric, seed=3, planned_s={"confirm": 100.0},
        )  # fmt: skip


def bench(source: Path, folder: Path) -> Bench:
    folder.mkdir()
    return Bench(prepare(source, ReadOptions(), seed=0), folder)


@pytest.fixture(scope="module")
def discs(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("discs")
    return bench(pictures(folder / "discs"), folder / "cache")


def alone(patch: tuple[int, ...], steps: int = 40, masks: Masks = Masks()) -> Plan:  # noqa: B008  (frozen)
    """Without baselines, on one thread."""
    found = plan(patch, steps=steps, masks=masks)
    return replace(found, execution=Execution(threads=1), ladder=replace(found.ladder, baselines=()))


def trial(kind: ArmKind = "base", on: tuple[str, ...] = ON, pair: int = 0) -> Trial:
    return Trial(stage="confirm", arm=Arm(name=kind, kind=kind, on=on), pair=pair)


def test_voxels_do_not_travel(discs: Bench) -> None:
    """What workers are given is small; a machine that does not see the file writes it anew."""
    maker = discs.maker(alone((16, 16), steps=5))
    away = replace(maker, store=None, cache=discs.folder / "elsewhere")
    body = cloudpickle.dumps(away)
    assert len(body) < 50_000
    assert cloudpickle.loads(body)()(trial()).score == maker()(trial()).score
    assert len(list((discs.folder / "elsewhere").iterdir())) == 1


@pytest.fixture(autouse=True)
def _machine() -> object:
    with restored():
        yield


def test_a_trial_is_the_same_each_time_and_costs_are_measured(discs: Bench) -> None:
    maker = discs.maker(alone((16, 16)))
    first, again = maker()(trial()), maker()(trial())
    assert not first.error and first.score == again.score
    assert first.score is not None and 0.5 < first.score < 1
    assert None not in (first.cost.seconds, first.cost.memory_mib, first.cost.latency_ms)
    assert first.cost.parameters and first.n == 0


def test_a_trial_counts_on_its_workers_share_of_the_memory(discs: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much others take when it begins, so that arms of a pair pass as many patches at once."""
    maker = discs.maker(alone((16, 16), steps=3))
    before = maker()(trial())
    monkeypatch.setattr("fieldcraft.train.memory.free_mib", lambda: 0.0)
    assert maker()(trial()).score == before.score
    facts = replace(maker.facts, machine=replace(maker.facts.machine, free_mib=0))
    assert "0 MiB may be taken" in replace(maker, facts=facts)()(trial()).error


def test_the_placebo_draws_other_patches_and_the_poison_hurts(discs: Bench) -> None:
    run = discs.maker(alone((16, 16)))()
    found = {kind: run(trial(kind)).score for kind in ("base", "placebo", "poison")}
    assert found["placebo"] != found["base"]
    assert found["placebo"] == pytest.approx(found["base"], abs=0.2)
    assert found["poison"] < 0.3  # type: ignore[operator]


def test_the_poison_moves_training_masks_alone_and_nothing_on_disk(discs: Bench) -> None:
    def read() -> MaskSamples:
        return ready_masks(discs.prepared.dataset, discs.prepared.parts, alone((16, 16)), discs.folder, "x")

    whole = read()
    bad = replace(whole, rolled=True, _volumes={})
    row = int(whole.parts.train[0])
    mask, moved = np.array(whole.volume(row).mask), np.asarray(bad.volume(row).mask)
    assert (np.roll(moved, [12, 10], axis=(0, 1)) == mask).all() and (moved != mask).any()
    assert (bad.truth(row) == mask).all() and (read().truth(row) == mask).all()


def test_blocks_are_cases_and_slices_of_one_volume_have_none(discs: Bench) -> None:
    dataset = discs.prepared.dataset
    stack = replace(dataset, inputs=replace(dataset.inputs, within_volume=True))  # type: ignore[type-var]
    of_stack = replace(discs, prepared=replace(discs.prepared, dataset=stack)).maker(alone((16, 16), steps=5))()(
        trial()
    )
    assert of_stack.score is not None and not of_stack.blocks
    outcome = discs.maker(alone((16, 16), steps=5))()(trial())
    found = unpacked(outcome.blocks)
    assert found is not None and 1 < (found != 0).sum() <= 3  # three cases of a fold
    assert found.sum() == pytest.approx(0, abs=1e-6)


def test_shares_of_few_cases_err_together_as_much_as_their_means_do() -> None:
    """Means over folds of m out of n cases have a covariance of variance / n, which sums over blocks estimate."""
    rng = np.random.default_rng(0)
    n, m, folds = 12, 3, 30
    found = []
    for _ in range(60):
        value = rng.normal(size=(n, 1))
        rows = [rng.choice(n, m, replace=False) for _ in range(folds)]
        shares = [shares_of(value[one], one) for one in rows]
        table = np.stack([one for one in shares if one is not None])
        assert len(table) == folds
        found.append(((table.sum(axis=0) ** 2).sum() - (table**2).sum()) / (folds * (folds - 1)))
    assert 1 / n < np.mean(found) < 2 / n
    assert shares_of(np.ones((3, 1)), np.zeros(3, np.intp)) is None


def sided(folder: Path, count: int = 20) -> Path:
    """Two discs an image, one of class 1, bright on its left, and one of class 2, bright on its right."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    rows, columns = np.mgrid[:16, :32]
    for index in range(count):
        rng = np.random.default_rng(index)
        mask = np.zeros((16, 32), np.uint8)
        image = rng.integers(0, 30, mask.shape)
        for number, middle in zip(rng.permutation([1, 2]), (8, 24), strict=True):
            at = (8 + rng.uniform(-2, 2), middle + rng.uniform(-2, 2))
            inside = (rows - at[0]) ** 2 + (columns - at[1]) ** 2 < 16
            mask[inside] = number
            image += inside * np.where((columns < at[1]) == (number == 1), 200, 90)
        Image.fromarray(image.astype(np.uint8)).save(folder / "images" / f"{index:02d}.png")
        Image.fromarray(mask).save(folder / "masks" / f"{index:02d}.png")
    return folder


def test_a_tip_that_must_hurt_is_found_to_hurt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Masks that are made by averaging over mirrored images cannot tell left from right."""
    trained: list[Plan] = []

    def counted(plan: Plan, samples: MaskSamples, *rest: Any, **more: Any) -> Once[TrainedMasks]:
        trained.append(plan)
        return train_alone(plan, samples, *rest, **more)

    monkeypatch.setattr("fieldcraft.verbs.masks.trial.train_alone", counted)
    plain = alone((16, 32), steps=60)
    mirrored = edit(plain, ["task.masks.mirror=[1]"])
    run = bench(sided(tmp_path / "sided"), tmp_path / "cache").maker(mirrored, plain)()
    arms = (trial("base"), trial("toggled", OFF))
    outcomes: list[Outcome] = [run(replace(one, pair=pair)) for pair in range(4) for one in arms]
    toggled = replace(outcomes[1].trial.arm, name="without tip")
    outcomes = [
        replace(one, trial=replace(one.trial, arm=toggled)) if one.trial.arm.kind == "toggled" else one
        for one in outcomes
    ]
    (found,) = verdicts(Setting(factors=ON, base=ON, metric="dice", higher_is_better=True, overlap=0.3), outcomes)
    assert found.word == "hurt", found.because
    assert len(trained) == 4  # one for both arms of a pair: they differ in predictions alone
    for on, off in zip(outcomes[::2], outcomes[1::2], strict=True):
        assert replace(on.cost, latency_ms=None) == replace(off.cost, latency_ms=None)
        assert on.cost.memory_mib is not None


def test_last_steps_are_chosen_on_validation_and_the_fold_has_no_part_in_it(discs: Bench) -> None:
    asked = alone((16, 16), steps=15, masks=Masks(components="filter-if-better", crf=CrfIfBetter()))
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, asked, discs.folder, "x")
    trained = train_alone(asked, samples, known(discs.prepared, 60.0), 100.0).trained
    model = MaskModel(spec_of("small", asked, samples), trained.built.net.eval())
    test = {int(row) for row in samples.parts.test}
    blind = replace(
        samples,
        store=replace(
            samples.store, masks=tuple(None if row in test else one for row, one in enumerate(samples.store.masks))
        ),
    )
    spec, told, _ = refined(model, validation_logits(model, blind), asked, blind, left_s=lambda: 100.0)
    assert told[0].name == "dense CRF"
    found = scored(asked, samples, trained, "dice", samples.parts.test)
    assert found is not None
    for row, values in zip(map(int, samples.parts.test), found.table, strict=True):
        image, spacing = samples.store.images[row], samples.case(row).geometry.spacing
        mask = replace(model, spec=spec).predicted(image, spacing).mask
        truth = samples.truth(row)
        own = [
            2 * ((mask == one) & (truth == one)).sum() / ((mask == one).sum() + (truth == one).sum()) for one in (1, 2)
        ]
        assert values == pytest.approx(own)


def test_the_last_look_compares_both_plans_case_by_case_and_is_in_the_ledger(discs: Bench, tmp_path: Path) -> None:
    good, bad = alone((16, 16)), alone((16, 16), steps=1)
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, good, discs.folder, "x")
    facts, ledger = known(discs.prepared, 60.0), Ledger(tmp_path / "ledger.jsonl")
    look = last_mask_look(bad, good, lambda plan: samples, facts, 100.0, "dice", ledger)
    assert (look.look, look.n, ledger.looks()) == (1, len(samples.parts.test), 1)
    assert look.kept > look.planned
    assert look.difference.value == pytest.approx(look.kept - look.planned)
    assert look.difference.low < look.difference.value < look.difference.high
    less = last_mask_look(bad, good, lambda plan: samples, facts, 100.0, "hd95_mm", ledger)
    assert less.look == 2 and less.kept < less.planned and less.difference.value > 0


@dataclass(frozen=True)
class Said:
    table: npt.NDArray[np.float64]


@pytest.mark.parametrize("metric", ["dice", "hd95_mm"])
def test_the_difference_of_a_last_look_is_that_of_its_figures_where_a_class_is_absent(
    discs: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, metric: MaskMetric
) -> None:
    """One plan imagines a class that a case does not have, the other rightly does not."""
    asked = alone((16, 16), steps=1)
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, asked, discs.folder, "x")
    tables = [np.full((len(samples.parts.test), 2), 0.5), np.full((len(samples.parts.test), 2), 0.5)]
    tables[0][0, 1], tables[1][0, 1] = 0.9 if metric == "hd95_mm" else 0.0, np.nan
    tables[0][1, 1] = tables[1][1, 1] = np.nan
    said = iter(map(Said, tables))
    monkeypatch.setattr("fieldcraft.verbs.masks.last_look.scored", lambda *given: next(said))
    facts, ledger = known(discs.prepared, 60.0), Ledger(tmp_path / "ledger.jsonl")
    look = last_mask_look(asked, asked, lambda plan: samples, facts, 100.0, metric, ledger)
    better = look.planned - look.kept if metric == "hd95_mm" else look.kept - look.planned
    assert look.difference.value == pytest.approx(better) and better > 0


def test_a_plan_that_diverged_takes_no_look(discs: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = alone((16, 16), steps=1)
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, asked, discs.folder, "x")

    def diverged(*given: Any) -> Once[TrainedMasks]:
        found = train_alone(*given)
        next(iter(found.trained.built.net.parameters())).data.fill_(torch.nan)
        return found

    monkeypatch.setattr("fieldcraft.verbs.masks.last_look.train_alone", diverged)
    facts, ledger = known(discs.prepared, 60.0), Ledger(tmp_path / "ledger.jsonl")
    with pytest.raises(FieldcraftError, match="a plan diverged when it was trained for the last look"):
        last_mask_look(asked, asked, lambda plan: samples, facts, 100.0, "dice", ledger)
    assert ledger.looks() == 0


def test_the_scaling_of_a_set_is_found_once_for_all_patches(discs: Bench) -> None:
    asked = edit(alone((16, 16)), ["input.normalise=set"])
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, asked, discs.folder, "x")
    assert replace(samples, sample=replace(samples.sample, patch=(8, 8))).of_set is samples.of_set


def test_a_network_that_diverged_has_no_score(discs: Bench) -> None:
    asked = alone((16, 16), steps=2)
    samples = ready_masks(discs.prepared.dataset, discs.prepared.parts, asked, discs.folder, "x")
    trained = train_alone(asked, samples, known(discs.prepared, 60.0), 100.0).trained
    next(iter(trained.built.net.parameters())).data.fill_(torch.nan)
    assert scored(asked, samples, trained, "dice", samples.parts.test) is None


def test_volumes_are_scored_at_their_boundaries(tmp_path: Path) -> None:
    found = bench(volumes(tmp_path / "balls", count=12), tmp_path / "cache")
    resampled = edit(alone((8, 10, 8), steps=25), ["input.spacing=[1.5, 2.0, 1.5]"])
    outcome = found.maker(resampled, metric="hd95_mm")()(trial())
    assert not outcome.error and outcome.score is not None
    samples = ready_masks(found.prepared.dataset, found.prepared.parts, resampled, found.folder, "x")
    trained = train_alone(resampled, samples, known(found.prepared, 60.0), 100.0).trained
    model = MaskModel(spec_of("small", resampled, samples), trained.built.net.eval())
    rows = samples.parts.test
    cases = []
    for row in map(int, rows):
        mask = model.predicted(samples.store.images[row], samples.case(row).geometry.spacing).mask
        cases.append(
            score_case(samples.pair(row, mask), samples.dataset.targets.names, settings_of(resampled, samples))
        )
    for metric in ("hd95_mm", "surface_dice", "boundary_iou"):
        measured = scored(resampled, samples, trained, mask_metric(metric), rows)
        assert measured is not None
        assert measured.table == pytest.approx(
            np.array([[getattr(one, metric) for one in case.classes] for case in cases])
        )
