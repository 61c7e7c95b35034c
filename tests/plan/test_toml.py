import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import (
    CoolDown,
    CrossEntropy,
    ImageInput,
    Imported,
    Ladder,
    Linear,
    Mlp,
    Plan,
    ResNet,
    Rung,
    Sgd,
    SingleLabel,
    TableInput,
)
from fieldcraft.plan.shape import leaves
from fieldcraft.plan.toml import LINE, PlanFile, from_toml, read_plan, to_toml
from fieldcraft.records.decision import Decision
from fieldcraft.tips.made_up import plans

FIXTURE = Path(__file__).parents[1] / "records" / "fixtures" / "plan-1.toml"
SMALL = Rung(name="small", network=Mlp(widths=(64, 64)), steps=100, lr=0.01)
LARGE = Rung(name="large", network=ResNet(), steps=300, lr=0.1, cool_downs=(CoolDown(at=3, end=40),))
PLAN = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1), ladder=Ladder(rungs=(SMALL, LARGE)))

decisions = st.builds(
    Decision,
    tip=st.text(min_size=1, max_size=20),
    outcome=st.sampled_from(["applied", "skipped", "left-out"]),
    because=st.text(max_size=400),
    sets=st.lists(st.sampled_from(sorted(leaves(PLAN))), max_size=5).map(tuple),
)


@settings(deadline=None, max_examples=60)
@given(plan=plans(), story=st.lists(decisions, max_size=4).map(tuple))
def test_reading_gives_back_exactly_what_was_written(plan: Plan, story: tuple[Decision, ...]) -> None:
    assert from_toml(to_toml(plan, story)) == PlanFile(plan, story)


@settings(deadline=None, max_examples=100)
@given(story=st.lists(decisions, min_size=1, max_size=4).map(tuple))
def test_reasons_with_any_text_stay_comments(story: tuple[Decision, ...]) -> None:
    assert from_toml(to_toml(PLAN, story)) == PlanFile(PLAN, story)


@settings(deadline=None, max_examples=40)
@given(plan=plans())
def test_every_field_is_written(plan: Plan) -> None:
    written = tomllib.loads(to_toml(plan))
    assert next(iter(written)) == "schema"
    for name in leaves(plan):
        node = written
        for key in name.split("."):
            if isinstance(node, list):
                node = next((item for item in node if item.get("name") == key), None) or node[int(key)]
            else:
                node = node[key]


def test_the_reason_stands_beside_the_line() -> None:
    story = (
        Decision(tip="one", outcome="applied", because="first reason", sets=("batch.size", "optimiser.kind")),
        Decision(tip="two", outcome="applied", because="second reason", sets=("batch.size",)),
        Decision(tip="three", outcome="applied", because="long " * 40, sets=("seed",)),
        Decision(tip="four", outcome="applied", because="a rung", sets=("ladder.rungs.large.cool_downs.0.at",)),
        Decision(tip="five", outcome="skipped", because="not needed"),
    )
    lines = to_toml(PLAN, story).splitlines()
    assert 'kind = "adamw"  # one: first reason' in lines
    assert "size = 128  # two: second reason; one: first reason" in lines
    seed = lines.index("seed = 0")
    assert lines[seed - 2].startswith("# three: long long") and lines[seed - 1].startswith("# long")
    assert "cool_downs = [{ at = 3, end = 40 }]  # four: a rung" in lines
    comments = [line for line in lines if line.startswith("#")]
    assert max(map(len, comments)) <= LINE


def test_the_same_reason_is_written_once_a_table() -> None:
    story = (Decision(tip="one", outcome="applied", because="why", sets=("batch.size", "batch.micro")),)
    text = to_toml(PLAN, story)
    assert "size = 128  # one: why" in text
    assert 'micro = "none"  # one: as above' in text


def test_the_same_reason_is_written_once_a_rung() -> None:
    fields = [f"ladder.rungs.{name}" for name in ("small.steps", "small.network.norm", "large.network.norm")]
    story = (
        Decision(tip="one", outcome="applied", because="why", sets=tuple(fields)),
        Decision(tip="two", outcome="applied", because="more", sets=tuple(fields[1:])),
    )
    lines = to_toml(PLAN, story).splitlines()
    assert "steps = 100  # one: why" in lines
    assert 'norm = "batch"  # two: more; one: as above' in lines
    assert 'norm = "batch"  # two: more; one: why' in lines


@pytest.mark.parametrize(
    ("old", "new", "row_at_fault", "says"),
    [
        ("lr = 0.01", "lr = 0", "lr = 0", "`ladder.rungs.small.lr` must be a number, above 0 and at most 100, got 0."),
        (
            "size = 128",
            "sise = 128",
            "sise = 128",
            "`batch.sise` is not a field; did you mean `size`? Fields here: size, micro, sampling.",
        ),
        (
            'kind = "adamw"',
            'kind = "adam"',
            'kind = "adam"',
            'must be one of "sgd", "adamw", "rmsprop", got "adam"; did you mean `adamw`?',
        ),
        (
            "widths = [64, 64]",
            "widths = [64,\n 0]",
            "widths = [64,",
            "`ladder.rungs.small.network.widths` must be a list",
        ),
        ('kind = "image"\n', "", "[input]", '`input` must have a `kind`: one of "image", "table", "patches".'),
        ("height = 28\n", "", "[input]", "`input` must have `height`: a whole number from 1 to 4096."),
        ("depths = [1, 1, 1]", "depths = [1]", "[ladder.rungs.network]", "as many numbers as `widths` (3), got (1,)"),
        ("steps = 100", 'steps = "100"', 'steps = "100"', 'must be a whole number, at least 1, got "100".'),
        ("flip_vertical = false", "flip_vertical = 0", "flip_vertical = 0", "must be true or false, got 0."),
        ("seed = 0", "seed = 2020-01-01", "seed = 2020-01-01", "`seed` must be a whole number"),
        (
            "end = 40",
            "end = 1",
            "cool_downs = [{ at = 3, end = 1 }]",
            "must not end (step 1) before it begins (step 3)",
        ),
        ('metric = "accuracy"', 'metric = "acc"', 'metric = "acc"', '"accuracy", "balanced-accuracy"'),
        ("lr = 0.01", "lr = ", "lr = ", "column 6: not valid TOML (Invalid value): lr ="),
        ("lr = 0.01", "lr = 0.01\nlr = 2", "lr = 2", "not valid TOML (Cannot overwrite a value)"),
    ],
)
def test_a_wrong_line_is_named(old: str, new: str, row_at_fault: str, says: str) -> None:
    text = to_toml(PLAN)
    assert old in text
    text = text.replace(old, new, 1)
    line = 1 + max(i for i, row in enumerate(text.splitlines()) if row == row_at_fault)
    with pytest.raises(PlanError) as error:
        from_toml(text, "my.toml")
    assert says in str(error.value)
    assert str(error.value).startswith(f"my.toml, line {line}")


def test_a_newer_schema_says_to_upgrade() -> None:
    with pytest.raises(PlanError, match=r"newer fieldcraft .*pip install --upgrade"):
        from_toml(to_toml(PLAN).replace("schema = 1", "schema = 99"), "my.toml")


def test_a_file_without_a_schema_is_no_plan() -> None:
    with pytest.raises(PlanError, match="no `schema` version"):
        from_toml("seed = 1\n", "my.toml")


def test_a_half_written_file_says_where_it_ends() -> None:
    with pytest.raises(PlanError, match=r"my\.toml, line 2, column 7: not valid TOML"):
        from_toml("schema = 1\n[input", "my.toml")


def test_a_damaged_decision_is_named() -> None:
    with pytest.raises(PlanError, match=r"`decisions.0.tip`.*may be deleted"):
        from_toml(to_toml(PLAN) + "\n[[decisions]]\ntip = 3\n", "my.toml")


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(to_toml(PLAN))
    with pytest.raises(PlanError, match=r"did you mean `plan\.toml`"):
        read_plan(tmp_path / "plam.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"plan\.toml cannot be read as a plan"):
        read_plan(tmp_path / "plan.toml")


def test_own_parts_are_written_and_read() -> None:
    own = Imported(target="my.parts:Metric")
    plan = replace(PLAN, task=SingleLabel(loss=own, metric=own), optimiser=Sgd())
    assert from_toml(to_toml(plan)).plan == plan
    assert '[task.metric]\nkind = "import"\ntarget = "my.parts:Metric"' in to_toml(plan)


def test_a_plan_written_as_schema_1_still_reads() -> None:
    read = read_plan(FIXTURE)
    rung = Rung(name="linear", network=Linear(), steps=200, lr=0.05, cool_downs=(CoolDown(at=90, end=120),))
    assert read.plan.ladder.rungs[0] == rung
    assert read.plan.task == SingleLabel(loss=CrossEntropy(label_smoothing=0.1), metric="log-loss")
    assert read.plan.input == TableInput(numeric="quantile")
    assert [decision.tip for decision in read.decisions] == ["label-smoothing", "padding", "by hand"]
