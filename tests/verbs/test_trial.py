"""What the arms of a pair share, and what the controls change."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.verbs.made_data import images

from fieldcraft.data.dataset import Dataset, ReadOptions
from fieldcraft.data.folds import fold
from fieldcraft.data.open import read_data
from fieldcraft.plan.schema import Cnn, Imported, Ladder, Plan, Rung, Sgd, SingleLabel, Splits
from fieldcraft.plan.toml import to_toml
from fieldcraft.proof.common_error import unpacked
from fieldcraft.records.proof import Arm, ArmKind, Trial
from fieldcraft.train.engine import engine
from fieldcraft.verbs.arms import Planned
from fieldcraft.verbs.bench import pair_seed
from fieldcraft.verbs.fold_score import blocks_of
from fieldcraft.verbs.prepare import known, prepare
from fieldcraft.verbs.samples import ready
from fieldcraft.verbs.shelf import Shelf
from fieldcraft.verbs.start import start_plan
from fieldcraft.verbs.trial import TrialMaker, poison

STEPS = 150


@pytest.fixture(scope="module")
def data() -> Dataset:
    return read_data(images(), ReadOptions())


@pytest.fixture(scope="module")
def plan(data: Dataset) -> Plan:
    rung = Rung(name="large", network=Cnn(widths=(8,), kernel=3, norm="batch"), steps=STEPS, lr=0.1)
    return replace(start_plan(data, 0), ladder=Ladder(rungs=(rung,)), optimiser=Sgd())


def maker(data: Dataset, plan: Plan, folder: Path, *others: Planned) -> TrialMaker:
    shelf = Shelf(folder=folder / "arms")
    for planned in (Planned(on=("tip",), toml=to_toml(plan)), *others):
        shelf.put("confirm", planned)
    facts = known(prepare(images(), ReadOptions(), seed=0), 60.0)
    return TrialMaker(
        dataset=data, pixels=None, shelf=shelf, facts=facts, splits=Splits(), seed=3, planned_s={"confirm": 1.0}
    )


def trial(kind: ArmKind = "base", on: tuple[str, ...] = ("tip",), pair: int = 0) -> Trial:
    return Trial(stage="confirm", arm=Arm(name=kind, kind=kind, on=on), pair=pair)


def test_a_trial_is_the_same_each_time_and_costs_are_measured(data: Dataset, plan: Plan, tmp_path: Path) -> None:
    run = maker(data, plan, tmp_path)()
    first, again = run(trial()), run(trial())
    assert first.score == again.score
    assert not first.error
    assert first.n == 30  # a fifth of 150
    cost = first.cost
    assert None not in (cost.seconds, cost.memory_mib, cost.latency_ms)
    assert cost.parameters == 8 * 9 + 2 * 8 + 8 * 3 + 3  # convolution, norm, head
    assert first.seconds >= (cost.seconds or 0)


def test_blocks_say_what_samples_did_to_the_score(data: Dataset, plan: Plan, tmp_path: Path) -> None:
    """Of shares of right answers: summed over blocks they are nought, and squared they give the binomial variance."""
    outcome = maker(data, plan, tmp_path)()(trial())
    found, score = unpacked(outcome.blocks), outcome.score
    assert found is not None and score is not None and 0 < score < 1
    assert found.sum() == pytest.approx(0, abs=1e-6)
    alone = {round(float(one), 5) for one in found}
    assert alone <= {round(value / outcome.n, 5) for value in (0, 1 - score, -score)}  # at most one sample a block


def test_groups_stay_whole_in_blocks_and_folds_in_turn_have_none(data: Dataset) -> None:
    grouped = replace(data, groups=np.arange(len(data)).astype(np.str_))
    named = replace(data, groups=np.array(["a", "b", "c"] * 50, dtype=np.str_))
    found = blocks_of(named)
    assert found is not None and set(zip(named.groups.tolist(), found.tolist(), strict=True)) == {
        ("a", 0), ("b", 1), ("c", 2)
    }  # fmt: skip
    assert blocks_of(grouped) is not None
    times = np.arange(len(data)).astype("datetime64[D]")
    assert blocks_of(replace(data, times=times)) is None


def test_pairs_have_folds_and_seeds_of_their_own(data: Dataset) -> None:
    seeds = [pair_seed(3, "confirm", pair) for pair in (0, 1)] + [pair_seed(3, "screen", 0), pair_seed(4, "confirm", 0)]
    assert len({tuple(fold(data, Splits(), seed, 0).test) for seed in seeds}) == 4


def test_arms_of_a_pair_share_fold_initialisation_order_and_random_changes(data: Dataset, plan: Plan) -> None:
    seed = pair_seed(3, "confirm", 0)
    samples = ready(data, fold(data, Splits(), seed, 0), plan, Path())
    seeded, device = replace(plan, seed=seed), engine(plan.execution).device
    batches = samples.batches("train", seeded, device, name="large", augment=True)
    placebo = batches.drawn_by(99)
    assert list(batches.training_batch(3).rows) != list(placebo.training_batch(3).rows)
    assert sorted(batches.order.epoch(0)) == sorted(placebo.order.epoch(0))
    assert batches.source is placebo.source  # random changes are drawn there, by the first seed


def test_the_placebo_changes_the_order_alone_and_the_poison_hurts(data: Dataset, plan: Plan, tmp_path: Path) -> None:
    run = maker(data, plan, tmp_path)()
    scores = {kind: run(trial(kind)).score for kind in ("base", "placebo", "poison")}
    assert all(score is not None for score in scores.values())
    assert scores["poison"] < scores["base"]  # type: ignore[operator]
    assert abs(scores["placebo"] - scores["base"]) <= 0.2  # type: ignore[operator]


def test_poison_permutes_half_of_the_training_labels_and_no_others(data: Dataset) -> None:
    parts = fold(data, Splits(), 5, 0)
    bad = poison(data, parts, 5)
    held = np.concatenate([parts.validation, parts.test])
    assert (bad.targets.values[held] == data.targets.values[held]).all()
    moved = (bad.targets.values != data.targets.values).sum()
    assert 0.2 * len(parts.train) < moved <= 0.5 * len(parts.train) + 1
    assert sorted(bad.targets.values) == sorted(data.targets.values)


def test_an_arm_without_a_plan_and_one_that_diverges_are_outcomes(
    data: Dataset, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_loss.py").write_text("def nothing(outputs, targets):\n    return outputs.sum() * float('nan')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    wild = replace(plan, task=SingleLabel(loss=Imported(target="my_loss:nothing")))
    others = (Planned(on=(), error="it has no network"), Planned(on=("wild",), toml=to_toml(wild)))
    run = maker(data, plan, tmp_path, *others)()
    assert run(trial(on=())).error == "it has no network"
    outcome = run(trial(on=("wild",)))
    assert (outcome.score, outcome.diverged) == (None, True)
    assert "step 0" in outcome.error
    assert run(trial(on=("other",))).error == "its plan was not made"


def test_a_metric_that_is_no_number_is_said_in_words(
    data: Dataset, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_metric.py").write_text("def nothing(truth, scores):\n    return float('nan')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    own = replace(plan, task=SingleLabel(metric=Imported(target="my_metric:nothing")))
    outcome = maker(data, own, tmp_path)()(trial())
    assert outcome.score is None
    assert "my_metric:nothing must return a finite number" in outcome.error
