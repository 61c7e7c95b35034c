"""Whole runs: what lies in the folder, and whether it agrees with itself."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from tests.verbs.made_data import images, plan, table

import fieldcraft as fc
from fieldcraft.baselines import fit_baseline
from fieldcraft.baselines.fitted import Fitted, Kind
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.errors import BudgetError, PlanError, RunError
from fieldcraft.plan.schema import Batch, CoolDown, ImageInput, Mlp, Plan, Rung, SmallerMicro
from fieldcraft.plan.toml import read_plan
from fieldcraft.tips.rough import BASELINES
from fieldcraft.verbs import ladder
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.run import Run
from fieldcraft.verbs.score import score

Y = ReadOptions(target=("y",))
KINDS = {
    "image-classes": (images(), "single-label", True, ReadOptions()),
    "image-labels": (images("multi-label"), "multi-label", True, ReadOptions()),
    "image-numbers": (images("regression"), "regression", True, ReadOptions()),
    "table-classes": (table(), "single-label", False, Y),
    "table-numbers": (table("regression"), "regression", False, Y),
}
IN_ANY = (
    "plan.toml", "facts.json", "splits/train.txt", "splits/validation.txt", "splits/test.txt", "metrics.jsonl",
    "network.toml", "predictions.parquet", "report.html", "provenance.json", "ledger.jsonl", "repeat.toml",
    "results.json", "journal.jsonl", "tensorboard/small",
)  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """One finished run of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    return {
        kind: fit(data, plan(task, image=image), out=folder / kind, options=options)
        for kind, (data, task, image, options) in KINDS.items()
    }


def part(run: Run, name: str) -> pd.DataFrame:
    frame = pd.read_parquet(run.folder.predictions)
    return frame[frame["part"] == name]


@pytest.mark.parametrize("kind", KINDS)
def test_the_run_folder_is_complete(runs: dict[str, Run], kind: str) -> None:
    run = runs[kind]
    for name in IN_ANY:
        assert (run.path / name).exists(), name
    model = "model.skops" if run.results.winner == "majority" else "model.safetensors"
    assert [path.name for path in run.path.glob("model.*")] == [model]
    assert not list(run.path.glob("checkpoints/*")), "checkpoints of a finished run are of no use"
    assert not list(run.path.rglob("*.tmp"))


@pytest.mark.parametrize("kind", ["image-classes", "image-labels", "image-numbers", "table-classes", "table-numbers"])
def test_the_network_learns_what_is_there_to_learn(runs: dict[str, Run], kind: str) -> None:
    assert runs[kind].results.winner == "small"
    assert runs[kind].results.verdict[0].startswith("The network small wins")


@pytest.mark.parametrize("kind", ["image-classes", "table-classes"])
def test_class_metrics_are_those_of_scikit_learn(runs: dict[str, Run], kind: str) -> None:
    run, test = runs[kind], part(runs[kind], "test")
    names = list(run.model.spec.names)
    shares = test[[f"p:{name}" for name in names]].to_numpy()
    found = run.results.test
    assert found is not None and found.calibration is not None
    expected = {
        "accuracy": metrics.accuracy_score(test["truth"], test["prediction"]),
        "balanced-accuracy": metrics.balanced_accuracy_score(test["truth"], test["prediction"]),
        "f1": metrics.f1_score(test["truth"], test["prediction"], average="macro"),
        "log-loss": metrics.log_loss(test["truth"], shares, labels=names),
    }
    for name, value in expected.items():
        assert found.metrics[name].value == pytest.approx(value), name
        assert found.metrics[name].low <= value <= found.metrics[name].high
        assert found.metrics[name].n == len(test)
    confusion = metrics.confusion_matrix(test["truth"], test["prediction"], labels=names)
    assert found.confusion == tuple(map(tuple, confusion.tolist()))
    sure = test[~test["unsure"]]
    assert found.sure is not None
    assert found.sure.coverage.value == pytest.approx(len(sure) / len(test))
    assert found.sure.accuracy.value == pytest.approx((sure["truth"] == sure["prediction"]).mean())


def test_label_metrics_are_those_of_scikit_learn(runs: dict[str, Run]) -> None:
    test, found = part(runs["image-labels"], "test"), runs["image-labels"].results.test
    truth, shares = test[["truth:y0", "truth:y1"]].to_numpy(), test[["p:y0", "p:y1"]].to_numpy()
    assert found is not None
    assert found.metrics["auroc"].value == pytest.approx(metrics.roc_auc_score(truth, shares))
    assert found.metrics["accuracy"].value == pytest.approx((truth == (shares >= 0.5)).mean())
    losses = [metrics.log_loss(truth[:, label], shares[:, label]) for label in range(2)]
    assert found.metrics["log-loss"].value == pytest.approx(np.mean(losses))
    assert (test[["y0", "y1"]].to_numpy() == (shares >= 0.5)).all()


@pytest.mark.parametrize("kind", ["image-numbers", "table-numbers"])
def test_number_metrics_are_those_of_scikit_learn(runs: dict[str, Run], kind: str) -> None:
    test, found = part(runs[kind], "test"), runs[kind].results.test
    assert found is not None and found.interval is not None
    truth, guess = test["truth"], test["prediction"]
    assert found.metrics["rmse"].value == pytest.approx(metrics.root_mean_squared_error(truth, guess))
    assert found.metrics["mae"].value == pytest.approx(metrics.mean_absolute_error(truth, guess))
    assert found.metrics["r2"].value == pytest.approx(metrics.r2_score(truth, guess))
    inside = (test["low"] <= truth) & (truth <= test["high"])
    assert found.interval.coverage.value == pytest.approx(inside.mean())


@pytest.mark.parametrize("kind", KINDS)
def test_the_model_on_disk_says_what_the_run_said(runs: dict[str, Run], kind: str) -> None:
    data, run = KINDS[kind][0], runs[kind]
    test = part(run, "test")
    rows = test["id"].astype(int).to_numpy() if kind.startswith("image") else None
    x = data[0][rows] if rows is not None else data.iloc[_positions(run, data)].drop(columns="y")
    again = fc.load(run.path).predict(x)
    for column in again.columns.drop("id"):
        if again[column].dtype == float:
            np.testing.assert_allclose(again[column], test[column], rtol=1e-5, atol=1e-5)
        else:
            assert list(again[column]) == list(test[column]), column


def _positions(run: Run, frame: pd.DataFrame) -> list[int]:
    ids = fc.open_data(frame, Y).ids
    return [ids.index(name) for name in (run.folder.splits / "test.txt").read_text().splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_the_parts_are_all_samples_once(runs: dict[str, Run], kind: str) -> None:
    lists = [(runs[kind].folder.splits / f"{name}.txt").read_text().split() for name in ("train", "validation", "test")]
    every = [name for names in lists for name in names]
    assert len(every) == len(set(every)) == (150 if kind.startswith("image") else 200)


def weights(run: Run) -> bytes:
    return run.folder.weights.read_bytes()


@pytest.mark.parametrize("kind", ["image-classes", "table-numbers"])
def test_the_same_plan_data_and_seed_give_the_same_bytes(runs: dict[str, Run], kind: str, tmp_path: Path) -> None:
    data, task, image, options = KINDS[kind]
    again = fit(data, plan(task, image=image), out=tmp_path / "again", options=options)
    assert weights(again) == weights(runs[kind])
    repeated = fit(data, runs[kind].folder.repeat, out=tmp_path / "repeat", options=options)
    assert weights(repeated) == weights(runs[kind])
    pd.testing.assert_frame_equal(
        pd.read_parquet(repeated.folder.predictions), pd.read_parquet(runs[kind].folder.predictions)
    )
    other = fit(data, replace(plan(task, image=image), seed=2), out=tmp_path / "other", options=options)
    assert weights(other) != weights(runs[kind])


def test_a_run_that_was_cut_short_repeats_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget seems to be over soon after training has begun."""
    monkeypatch.setattr("fieldcraft.train.loop.DECIDE_EVERY_S", 0.0)
    monkeypatch.setattr(
        "fieldcraft.train.loop.early_end",
        lambda course, step, pace, left_s, work: CoolDown(at=step, end=step + 9) if step == 17 else None,
    )
    monkeypatch.setattr("fieldcraft.verbs.rung.memory.free_mib", lambda: 0.5)
    first = fit(images(), plan(), out=tmp_path / "first", budget="60s")
    monkeypatch.undo()
    carried_out = read_plan(first.folder.repeat).plan.ladder.rungs[0]
    assert carried_out.cool_downs == (CoolDown(at=17, end=26),)
    assert len(carried_out.smaller_micros) == 1
    assert carried_out.smaller_micros[0].at == 0
    assert first.results.candidates[-1].steps == 26
    assert any("ends at step 26" in note for note in first.results.notes)
    assert any("pass at once" in note for note in first.results.notes)
    assert weights(fit(images(), first.folder.repeat, out=tmp_path / "again")) == weights(first)
    assert weights(fit(images(), first.folder.plan, out=tmp_path / "whole")) != weights(first)


def test_what_a_plan_says_of_early_ends_and_micro_batches_is_followed(tmp_path: Path) -> None:
    rung = replace(
        plan().ladder.rungs[0], cool_downs=(CoolDown(at=5, end=12),), smaller_micros=(SmallerMicro(at=3, size=8),)
    )
    run = fit(images(), plan(rungs=(rung,)), out=tmp_path / "run")
    assert run.results.candidates[-1].steps == 12
    assert read_plan(run.folder.repeat).plan.ladder.rungs == (rung,)


def test_a_finished_run_is_left_alone_and_another_command_is_refused(tmp_path: Path) -> None:
    said: list[str] = []
    out = tmp_path / "run"
    fit(images(), plan(steps=5), out=out, say=said.append)
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert fit(images(), plan(steps=5), out=out, say=said.append).path == out
    assert "nothing to do" in said[-1]
    with pytest.raises(RunError, match=r"another command \(--budget was none, now 60 s\)"):
        fit(images(), plan(steps=5), out=out, budget="60s")
    with pytest.raises(RunError, match="the plan is another"):
        fit(images(), plan(steps=6), out=out)
    with pytest.raises(RunError, match="the content of the data is another"):
        fit(images(count=140), plan(steps=5), out=out)
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_folder_that_holds_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(RunError, match=r"not empty and holds no run \(found thesis.tex\)"):
        fit(images(), plan(steps=5), out=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} <= {"thesis.tex", ".lock"}


def test_a_folder_in_which_another_process_works_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom filelock import FileLock\nlock = FileLock(sys.argv[1])\nlock.acquire()\n"
        "print('held', flush=True)\nsys.stdin.read()"
    )
    (tmp_path / "run").mkdir()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "run" / ".lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline()
        with pytest.raises(RunError, match="another process is working in"):
            fit(images(), plan(steps=5), out=tmp_path / "run")
        other.stdin.close()


def test_a_baseline_that_wins_is_said_first_and_returned(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 4)).astype(np.float32)
    y = (x @ [1.0, -1.0, 0.5, 0.0] > 0).astype(int)
    lazy = Rung(name="small", network=Mlp(widths=(4,)), steps=1, lr=1e-6)
    run = fit((x, y), plan(image=False, baselines=("majority", "linear"), rungs=(lazy,)), out=tmp_path / "run")
    assert run.results.winner == "linear"
    assert run.results.verdict[0].startswith("A baseline wins: linear")
    assert run.folder.baseline.exists() and not run.folder.weights.exists()
    assert (run.predict(x)["prediction"].astype(int) == y).mean() > 0.9
    assert "A baseline wins" in run.report.read_text()


def test_baselines_are_fitted_in_their_share_of_the_budget_less_what_keeping_them_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed: dict[str, float] = {}

    def spied(name: Kind, *arguments: Any, seconds: float, **others: Any) -> Fitted:
        allowed[name] = seconds
        return fit_baseline(name, *arguments, seconds=seconds, **others)

    monkeypatch.setattr(ladder, "fit_baseline", spied)
    fit(images(), plan(baselines=("linear", "boosting"), steps=5), out=tmp_path / "run", budget="100s")
    share_s = 100 * BASELINES["image"]
    of_linear = 19 / 49 * share_s  # boosting may have 30 parts
    assert ladder.LEAST_BASELINE_S < allowed["linear"] < ladder.FITTING_SHARE * of_linear
    assert ladder.FITTING_SHARE * of_linear < allowed["boosting"] < ladder.FITTING_SHARE * share_s


def grouped() -> pd.DataFrame:
    frame = table()
    frame["plant"] = [f"plant {row % 20}" for row in range(len(frame))]
    return frame


def test_groups_stay_whole_and_are_resampled_whole(tmp_path: Path) -> None:
    options = ReadOptions(target=("y",), group="plant")
    run = fit(grouped(), plan(image=False), out=tmp_path / "run", options=options)
    frame = pd.read_parquet(run.folder.predictions)
    validation, test = (set(frame.loc[frame["part"] == name, "group"]) for name in ("validation", "test"))
    assert not validation & test
    assert run.results.test is not None
    assert run.results.test.metrics["accuracy"].n == len(test) < len(part(run, "test"))
    plants = dict(zip(fc.open_data(grouped(), options).ids, grouped()["plant"], strict=True))
    train = {plants[name] for name in (run.folder.splits / "train.txt").read_text().splitlines()}
    assert not train & (validation | test)


def test_looks_at_the_test_part_are_counted(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run = fit(images(), plan(steps=5), out=out)
    assert run.results.test is not None and run.results.test.look == 1
    assert "this was the first look" in " ".join(run.results.verdict)
    lines = run.folder.journal.read_text().splitlines()
    run.folder.journal.write_text("\n".join(line for line in lines if '"finished"' not in line) + "\n")
    run.report.unlink()
    resumed = fit(images(), plan(steps=5), out=out)
    assert resumed.report.exists()
    assert resumed.results.test is not None and resumed.results.test.look == 1
    again = score(out, why="to see it once more", command=("fieldcraft", "score"))
    assert again.look == 2
    assert again.metrics == resumed.results.test.metrics
    looks = [json.loads(line) for line in run.folder.ledger.read_text().splitlines()]
    assert [(look["look"], look["why"]) for look in looks] == [(1, "the winner's result"), (2, "to see it once more")]
    assert looks[1]["command"] == "fieldcraft score"


def test_too_small_a_budget_names_the_least_and_leaves_the_folder_free(tmp_path: Path) -> None:
    with pytest.raises(BudgetError, match=r"The least that works here is about \d+ s"):
        fit(images(), plan(steps=5), out=tmp_path / "run", budget=1.0)
    run = fit(images(), plan(steps=5), out=tmp_path / "run", budget="60s")
    assert run.report.exists()
    assert sum(run.results.seconds.values()) < 60


def test_a_plan_for_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match='for task "regression", but the data is "single-label"'):
        fit(images(), plan("regression"), out=tmp_path / "a")
    with pytest.raises(PlanError, match='for input "table", but the data is "image"'):
        fit(images(), plan(image=False), out=tmp_path / "b")
    coloured = replace(plan(), input=ImageInput(height=8, width=8, channels=3))
    with pytest.raises(PlanError, match="images of 3 channels, but those of the data have 1"):
        fit(images(), coloured, out=tmp_path / "c")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("chosen", [{"without": ("padding",)}, {"only": ("padding",)}])
def test_tips_cannot_be_chosen_where_a_plan_is_given(tmp_path: Path, chosen: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(PlanError, match="no tip decides where a plan is given"):
        fit(images(), plan(steps=5), out=tmp_path / "run", **chosen)  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_setting_that_works_only_from_process_start_is_reported(tmp_path: Path) -> None:
    tuned = plan(steps=5)
    tuned = replace(tuned, execution=replace(tuned.execution, allocator="tuned"))
    run = fit(images(), tuned, out=tmp_path / "run")
    assert [note for note in run.results.notes if note.startswith("not applied")]


def test_a_plan_without_anything_to_train_is_refused(tmp_path: Path) -> None:
    empty: Plan = plan(baselines=(), rungs=())
    with pytest.raises(PlanError, match="nothing to train"):
        fit(images(), empty, out=tmp_path / "run")


def test_edits_of_a_given_plan_are_noted_in_it(tmp_path: Path) -> None:
    run = fit(images(), plan(), out=tmp_path / "run", edits=("ladder.rungs.small.steps=7",))
    assert run.results.candidates[-1].steps == 7
    file = read_plan(run.folder.plan)
    assert [(one.tip, one.sets) for one in file.decisions] == [("by hand", ("ladder.rungs.small.steps",))]


def test_a_drafted_plan_runs_and_the_time_is_accounted_for(tmp_path: Path) -> None:
    edits = ('ladder.baselines=["majority"]', "ladder.rungs.small.steps=20", "ladder.rungs.large.steps=5")
    run = fit(images(), out=tmp_path / "run", budget="12s", edits=edits)
    assert run.plan.ladder.rungs
    assert {"start and data", "facts", "measurements", "baselines", "predictions"} <= set(run.results.seconds)
    assert 0 < sum(run.results.seconds.values()) < 1.05 * 12
    assert run.results.climb[0].startswith("small: ")


def climbing(*steps: int) -> Plan:
    """Above the linear model as many networks, all alike."""
    rungs = tuple(
        Rung(name=f"net-{place}", network=Mlp(widths=(8,)), steps=count, lr=0.02) for place, count in enumerate(steps)
    )
    made = plan("regression", image=False, baselines=("linear",), rungs=rungs)
    return replace(made, ladder=replace(made.ladder, climb="while-it-pays"))


def test_a_small_network_below_a_baseline_does_not_end_the_climb(tmp_path: Path) -> None:
    run = fit(table("regression"), climbing(60, 60), out=tmp_path / "run", options=Y)
    linear, small = run.results.candidates[:2]
    assert small.validation > linear.validation, "the made-up numbers are linear, so its error is the larger one"
    assert [one.name for one in run.results.candidates] == ["linear", "net-0", "net-1"]
    assert run.results.climb[1] == "net-1: the second network: net-0 alone cannot show whether size pays"


def test_a_network_that_gains_nothing_on_a_smaller_one_ends_the_climb(tmp_path: Path) -> None:
    run = fit(table("regression"), climbing(150, 150, 150), out=tmp_path / "run", options=Y)
    assert [one.name for one in run.results.candidates] == ["linear", "net-0", "net-1"]
    assert run.results.climb[2].startswith("net-2: stopped below it: net-1 was compared with the best network before")


def test_a_network_that_gains_starts_the_next(tmp_path: Path) -> None:
    run = fit(table("regression"), climbing(1, 150, 5), out=tmp_path / "run", options=Y)
    assert [one.name for one in run.results.candidates] == ["linear", "net-0", "net-1", "net-2"]
    assert "net-1 was compared with the best network before it" in run.results.climb[2]


def test_batches_of_an_odd_number_of_samples_are_no_hindrance_for_batch_norm(tmp_path: Path) -> None:
    odd = plan(image=False, steps=5)
    run = fit(table(), replace(odd, batch=Batch(size=33, micro=16)), out=tmp_path / "run", options=Y)
    assert run.results.candidates[-1].steps == 5


def test_a_network_that_diverges_leaves_the_best_before_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 3))
    edits = (
        'ladder.baselines=["majority"]',
        "ladder.rungs.small.steps=12",
        "ladder.rungs.large.steps=12",
        'task.loss.kind="import"',
        'task.loss.target="diverging_loss:loss"',
    )
    (tmp_path / "diverging_loss.py").write_text(
        "def loss(outputs, targets):\n    return outputs.sum() * float('nan')\n"
    )
    sys.path.insert(0, str(tmp_path))
    try:
        run = fit((x, (x[:, 0] > 0).astype(int)), out=tmp_path / "run", edits=edits)
    finally:
        sys.path.remove(str(tmp_path))
    assert run.results.winner == "majority"
    assert any("ends below small" in note and "the loss was nan" in note for note in run.results.notes)
