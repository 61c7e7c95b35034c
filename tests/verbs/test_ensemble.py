"""Whole runs that end with an average: what lies in the folder, what it predicts, what goes wrong with it."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.verbs.made_data import images, plan, table
from tests.verbs.made_judged import Validation, candidate
from tests.verbs.made_work import work

import fieldcraft as fc
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import PlanError, RunError
from fieldcraft.inspection.sources.run import open_run
from fieldcraft.plan.schema import Cnn, Mlp, Plan, Rung
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.ensemble import Ensemble
from fieldcraft.verbs import candidates
from fieldcraft.verbs.candidates import Judged, kept
from fieldcraft.verbs.ensemble import average, concluded, declined
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.judge import Judge
from fieldcraft.verbs.labels import winner_of
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.verdict import PICKED

Y = ReadOptions(target=("y",))


def noisy(task: str = "single-label", count: int = 400) -> pd.DataFrame:
    """A table on which no model is sure, and networks and linear models err in different places."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(count, 6)), columns=list("abcdef"))
    amount = frame["a"] + 0.6 * frame["b"] * frame["c"] + np.sin(2 * frame["d"]) + rng.normal(0, 0.8, count)
    frame["y"] = np.where(amount > 0, "up", "down") if task == "single-label" else amount
    return frame


def averaging(task: str = "single-label", *, image: bool = False, steps: int = 60) -> Plan:
    """A network three times, and a linear model."""
    net = Cnn(widths=(8, 16)) if image else Mlp(widths=(24,))
    first = Rung(name="small", network=net, steps=steps, lr=0.01)
    copies = (replace(first, name=f"small-{number}", copy_of="small") for number in (2, 3))
    known = plan(task, image=image, baselines=("majority", "linear"))
    return replace(known, ladder=replace(known.ladder, rungs=(first, *copies), ensemble="if-better"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("averages")
    return {
        "classes": fit(noisy(), averaging(), out=folder / "classes", options=Y),
        "numbers": fit(noisy("regression", 800), averaging("regression"), out=folder / "numbers", options=Y),
    }


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_the_average_wins_and_says_of_what(runs: dict[str, Run], kind: str) -> None:
    results = runs[kind].results
    assert results.winner == "ensemble"
    last = results.candidates[-1]
    assert (last.name, last.kind) == ("ensemble", "ensemble")
    weights = {one.name: one.weight for one in last.members}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["small"] == weights["small-2"] == weights["small-3"] > 0
    won = "is returned" if results.verdict[0].endswith(PICKED) else "wins"
    assert results.verdict[0].startswith(f"An average of {len(weights)} models {won} (")
    assert "The best one alone, " in results.verdict[0]


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_what_is_loaded_says_what_was_looked_at(runs: dict[str, Run], kind: str) -> None:
    run = runs[kind]
    frame = noisy() if kind == "classes" else noisy("regression", 800)
    told = pd.read_parquet(run.folder.predictions)
    test = told[told["part"] == "test"]
    rows = test["id"].str.extract(r"(\d+)$")[0].astype(int).to_numpy()
    said = fc.load(run.path).predict(frame.drop(columns="y").iloc[rows])
    if kind == "classes":
        assert (said["prediction"].to_numpy() == test["prediction"].to_numpy()).all()
        assert said["probability"].to_numpy() == pytest.approx(test["probability"].to_numpy(), abs=1e-5)
    else:
        assert said["prediction"].to_numpy() == pytest.approx(test["prediction"].to_numpy(), abs=1e-4)


def test_the_average_is_that_of_its_members(runs: dict[str, Run]) -> None:
    model = fc.load(runs["numbers"].path)
    assert isinstance(model.predictor, Ensemble)
    x = noisy("regression").drop(columns="y").iloc[:20]
    by_hand = sum(
        weight * one.outputs(x) for one, weight in zip(model.predictor.models, model.predictor.weights, strict=True)
    )
    assert model.outputs(x) == pytest.approx(by_hand)


def test_its_files_and_no_others_are_there(runs: dict[str, Run]) -> None:
    run = runs["numbers"]
    members = {one.name for one in run.results.candidates[-1].members}
    baselines = {f"model-{name}.skops" for name in members & {"linear"}}
    assert {path.name for path in run.path.glob("model*")} == {"model.safetensors", *baselines}


def test_the_report_and_the_plan_tell_of_it(runs: dict[str, Run]) -> None:
    run = runs["classes"]
    report = run.folder.report.read_text()
    assert "An average of" in report and "ensemble ★" in report
    repeat = read_plan(run.folder.repeat).plan
    assert [rung.name for rung in repeat.ladder.rungs] == ["small", "small-2", "small-3"]
    assert repeat.ladder.ensemble == "if-better"


def test_a_repeat_gives_the_same_average(runs: dict[str, Run], tmp_path: Path) -> None:
    run = runs["classes"]
    again = fit(noisy(), read_plan(run.folder.repeat).plan, out=tmp_path / "again", options=Y)
    assert again.results.candidates[-1].members == run.results.candidates[-1].members
    assert again.folder.weights.read_bytes() == run.folder.weights.read_bytes()


def test_networks_that_differ_only_in_their_start_differ(runs: dict[str, Run]) -> None:
    values = [one.validation for one in runs["numbers"].results.candidates if one.kind == "rung"]
    assert len(set(values)) == 3


def test_others_look_at_its_heaviest_member(runs: dict[str, Run]) -> None:
    run = runs["classes"]
    heaviest = run.results.candidates[-1].members[0].name
    winner = winner_of(run.plan, read_plan(run.folder.repeat).plan, run.results)
    assert [*(rung.name for rung in winner.plan.ladder.rungs), *winner.plan.ladder.baselines] == [heaviest]
    assert open_run(run.path).name.endswith(":small")


def test_images_are_averaged_too(tmp_path: Path) -> None:
    x, y = images(count=240)
    rng = np.random.default_rng(1)
    y = np.where(rng.random(len(y)) < 0.25, rng.integers(0, 3, len(y)), y)
    run = fit((x, y), averaging(image=True, steps=30), out=tmp_path / "run")
    assert run.results.winner == "ensemble"
    assert run.results.saliency_similarity is not None, "maps are those of the heaviest network"
    said = fc.load(run.path).predict(x[:5])
    assert len(said) == 5


def test_an_average_that_is_no_better_is_not_returned(tmp_path: Path) -> None:
    frame = table("regression")
    frame["y"] = 2 * frame["heat"] + frame["flow"]
    run = fit(frame, averaging("regression", steps=3), out=tmp_path / "run", options=Y)
    assert run.results.winner == "linear"
    assert any("no average is returned" in note for note in run.results.notes)
    assert any(line.startswith("ensemble: ") for line in run.results.climb)


def test_where_the_metric_is_the_loss_no_average_is_worse_than_what_would_be_returned_alone(tmp_path: Path) -> None:
    told = set()
    for seed in (5, 6, 21, 37):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=24)
        common = rng.normal(0, 0.4, 24)
        judge = Judge(plan=plan("regression"), samples=Validation(truth))  # type: ignore[arg-type]
        models = [
            candidate(name, (truth + common + rng.normal(0, 0.4, 24))[:, None])
            for name in ("linear", "boosting", "small")
        ]
        found = average(models, judge, work(tmp_path))
        if isinstance(found, Judged):
            assert found.candidate.validation <= judge.value(judge.best(models).outputs)
        told.add(found if isinstance(found, str) else "averaged")
    assert "averaged" in told
    assert any("RMSE worse" in one and "not more than the noise" in one for one in told)


def test_a_decision_against_an_average_holds_after_a_stop(tmp_path: Path) -> None:
    """What spoke against it may have been the time."""
    surroundings = work(tmp_path)
    assert not declined(surroundings)
    assert concluded("several could not predict in time", "dice", surroundings) is None
    assert declined(surroundings)


@pytest.mark.parametrize("name", ["validation.npy", "model.safetensors"])
def test_a_damaged_candidate_is_named(runs: dict[str, Run], tmp_path: Path, name: str) -> None:
    shutil.copytree(runs["numbers"].folder.rungs, tmp_path / "rungs")
    path = tmp_path / "rungs" / "small" / name
    for spoil in (lambda: path.write_bytes(path.read_bytes()[:-50]), path.unlink):
        spoil()
        with pytest.raises(RunError, match=f"{name} is missing or damaged.*Delete the folder"):
            candidates.weights(path.parent.parent, "small") if "model" in name else kept(path.parent.parent, "small")


def test_a_damaged_member_is_named(runs: dict[str, Run], tmp_path: Path) -> None:
    shutil.copytree(runs["numbers"].path, tmp_path / "run")
    damaged = Run(tmp_path / "run")
    damaged.folder.weights.write_bytes(damaged.folder.weights.read_bytes()[:-200])
    with pytest.raises(RunError, match=r"model\.safetensors is missing, damaged"):
        fc.load(damaged.path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"copy_of": "smal"}, r"ladder\.rungs\.small-2\.copy_of must name a rung above it.*did you mean `small`"),
        ({"lr": 0.5}, r"ladder\.rungs\.small-2 repeats small, so network, lr, steps, most_steps must be the same"),
    ],
)
def test_a_copy_of_nothing_or_that_is_none_is_refused(tmp_path: Path, change: dict[str, object], told: str) -> None:
    known = averaging()
    rungs = (known.ladder.rungs[0], replace(known.ladder.rungs[1], **change))  # type: ignore[arg-type]
    wrong = replace(known, ladder=replace(known.ladder, rungs=rungs))
    with pytest.raises(PlanError, match=told):
        fit(noisy(), wrong, out=tmp_path / "run", options=Y)


def test_where_nothing_is_better_than_the_mean_no_average_is(tmp_path: Path) -> None:
    frame = noisy("regression", 300)
    frame["y"] = np.random.default_rng(2).normal(size=300)
    run = fit(frame, averaging("regression", steps=40), out=tmp_path / "run", options=Y)
    assert run.results.winner == "majority"
    assert any("no average is returned: nothing is better than majority" in note for note in run.results.notes)


def test_few_validation_samples_choose_no_weights(tmp_path: Path) -> None:
    run = fit(noisy(count=100), averaging(), out=tmp_path / "run", options=Y)
    assert run.results.winner != "ensemble"
    assert any("too few to choose weights on" in note for note in run.results.notes)
