from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcraft.errors import PlanError
from fieldcraft.plan.schema import AdamW, Batch, Cnn, ImageInput, Ladder, Linear, Plan, ResNet, Rung, Sgd, SingleLabel
from fieldcraft.plan.toml import PlanFile, from_toml, to_toml
from fieldcraft.records.brief import Brief
from fieldcraft.records.decision import Decision
from fieldcraft.records.fact import Fact
from fieldcraft.records.prior import Family, Kind, Prior, Standing, TipPrior
from fieldcraft.tips import ALL, loss
from fieldcraft.tips.draft import BY_HAND, draft
from fieldcraft.tips.interface import Applied, Ask, Skipped, StepTime, Tip
from fieldcraft.tips.made_up import answer, briefs
from fieldcraft.verbs.draft import _others

START = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1))
SMALL = Rung(name="small", network=Cnn(), steps=100, lr=0.01)
BRIEF = briefs().filter(lambda brief: brief.images is not None)

Measured = Mapping[str, Fact[float]]


@pytest.fixture(scope="module")
def brief() -> Brief:
    return A_BRIEF


def _example() -> Brief:
    from fieldcraft.records.facts import Budget, DataFacts, Facts, ImageFacts, MachineFacts, TargetFacts

    made_up = {"method": "made up", "sample": "made up"}
    return Brief(
        facts=Facts(
            data=DataFacts(
                name="made-up", digest="0", samples=10, train=6, validation=2, test=2, grouped=False,
                duplicates=Fact(value=0, **made_up),
                target=TargetFacts(
                    task="single-label", outputs=2, names=("a", "b"), counts=Fact(value=(5, 5), **made_up),
                    imbalance=Fact(value=1.0, **made_up),
                ),
                inputs=ImageFacts(
                    height=Fact(value=(28, 28, 28), **made_up), width=Fact(value=(28, 28, 28), **made_up), channels=1,
                    depth_bits=8, mean=Fact(value=(0.0,), **made_up), std=Fact(value=(1.0,), **made_up),
                ),
            ),
            machine=MachineFacts(
                processor="made-up", cores=2, memory_mib=1024, free_mib=512, instruction_sets=(), bf16=False, gpu=None,
                gpu_memory_mib=0, tuned_start=False,
            ),
            budget=Budget(seconds=60),
        )
    )  # fmt: skip


A_BRIEF = _example()


def never(measurements: tuple[StepTime, ...]) -> Measured:
    raise AssertionError("nothing was to be measured")


def sets(name: str, change: Callable[[Plan], Plan], because: str = "it does", refines: tuple[str, ...] = ()) -> Tip:
    return Tip(name=name, decide=lambda brief, plan: Applied(plan=change(plan), because=because), refines=refines)


def batch(size: int) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, batch=replace(plan.batch, size=size))


def rungs(*these: Rung) -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, ladder=Ladder(rungs=these))


def skips(name: str) -> Tip:
    return Tip(name=name, decide=lambda brief, plan: Skipped(because="not here"))


def asks(name: str, questions: Callable[[Plan], tuple[StepTime, ...]]) -> Tip:
    def decide(brief: Brief, plan: Plan) -> Applied | Ask:
        wanted = questions(plan)
        facts = [brief.measured(one.key) for one in wanted]
        if None in facts:
            return Ask(measurements=wanted)
        fastest = min(range(len(wanted)), key=lambda index: facts[index].value)
        return Applied(plan=wanted[fastest].plan, because="it was fastest")

    return Tip(name=name, decide=decide)


def sizes(*these: int) -> Callable[[Plan], tuple[StepTime, ...]]:
    return lambda plan: tuple(StepTime(plan=batch(size)(plan), rung=0) for size in these)


def in_order(times: tuple[float, ...]) -> Callable[[tuple[StepTime, ...]], Measured]:
    return lambda asked: {one.key: Fact(value=ms, method="m", sample="s") for one, ms in zip(asked, times, strict=True)}


def test_no_tips_leave_the_start_as_it_is(brief: Brief) -> None:
    made = draft(brief, START, (), measure=never)
    assert (made.plan, made.decisions, made.facts) == (START, (), brief.facts)


def test_what_a_tip_set_is_found_by_the_difference(brief: Brief) -> None:
    made = draft(brief, START, (sets("a", batch(64)), skips("b"), sets("c", rungs(SMALL))), measure=never)
    assert made.plan == rungs(SMALL)(batch(64)(START))
    assert made.decisions[0] == Decision(tip="a", outcome="applied", because="it does", sets=("batch.size",))
    assert made.decisions[1] == Decision(tip="b", outcome="skipped", because="not here")
    assert set(made.decisions[2].sets) >= {"ladder.rungs.small.steps", "ladder.rungs.small.network.kernel"}


def test_a_left_out_tip_does_not_decide(brief: Brief) -> None:
    made = draft(brief, START, (sets("a", batch(64)), skips("b")), measure=never, without=frozenset({"a"}))
    assert made.plan == START
    assert [decision.outcome for decision in made.decisions] == ["left-out", "skipped"]


def speaking(standing: Standing, kind: Kind = "image", family: Family = "accuracy") -> Brief:
    known = TipPrior(
        tip="a", kind=kind, family=family, sets=6, value=-0.01, low=-0.02, high=-0.005, spread=0.0, paid=0, hurt=0,
        nothing=0, standing=standing, because="-1 points [-2, -0.5] over 6 sets",
    )  # fmt: skip
    return Brief(facts=replace(A_BRIEF.facts, evidence=Prior(digest="d", tips=(known,))))


@pytest.mark.parametrize("standing", ["left out", "no default"])
def test_evidence_leaves_a_tip_out_with_its_numbers(standing: Standing) -> None:
    tips = (sets("a", batch(64)), skips("b"))
    made = draft(speaking(standing), START, tips, measure=never)
    because = "evidence: -1 points [-2, -0.5] over 6 sets; --no-evidence ignores it"
    assert made.plan == START
    assert made.decisions[0] == Decision(tip="a", outcome="left-out", because=because)
    assert made.facts.evidence.digest == "d"
    assert from_toml(to_toml(made.plan, made.decisions)) == PlanFile(made.plan, made.decisions)


def test_evidence_that_cannot_tell_or_is_about_something_else_removes_nothing() -> None:
    tips = (sets("a", batch(64)), skips("b"))
    without = draft(A_BRIEF, START, tips, measure=never)
    for brief in (speaking("open"), speaking("left out", kind="table"), speaking("left out", family="auroc")):
        made = draft(brief, START, tips, measure=never)
        assert (made.plan, made.decisions) == (without.plan, without.decisions)


def test_a_tip_that_is_asked_for_decides_whatever_the_evidence() -> None:
    made = draft(speaking("left out"), START, (sets("a", batch(64)),), measure=never, asked=frozenset({"a"}))
    assert made.plan == batch(64)(START)
    made = draft(speaking("left out"), START, (sets("a", batch(64)),), measure=never, without=frozenset({"a"}))
    assert made.decisions[0].because == "left out on request"


def test_leaving_out_an_unknown_tip_names_the_nearest(brief: Brief) -> None:
    with pytest.raises(PlanError, match="no tip is called skip-me-nt; did you mean `skip-ment`"):
        draft(brief, START, (skips("skip-ment"),), measure=never, without=frozenset({"skip-me-nt"}))


def test_a_tip_that_only_looks_has_no_part_in_a_plan(brief: Brief) -> None:
    tips = (skips("a"), loss.TIP)
    made = draft(brief, START, tips, measure=never)
    assert made.plan == START
    assert [decision.tip for decision in made.decisions] == ["a"]
    with pytest.raises(PlanError, match=r"the tip loss decides nothing in a plan.*--ignore FC005"):
        draft(brief, START, tips, measure=never, without=frozenset({"loss"}))


def test_only_a_tip_that_looks_is_refused_and_others_go_without_it() -> None:
    with pytest.raises(PlanError, match="the tip loss decides nothing in a plan"):
        _others(ALL, ["padding", "loss"])
    left_out = _others(ALL, ["padding"])
    assert left_out == {tip.name for tip in ALL if tip.decide is not None} - {"padding"}
    assert _others(ALL, []) == frozenset()


def test_overwriting_needs_a_word(brief: Brief) -> None:
    with pytest.raises(PlanError, match=r"the tip b overwrites `batch\.size`, which a set: b must name a in `refines`"):
        draft(brief, START, (sets("a", batch(64)), sets("b", batch(32))), measure=never)


def test_overwriting_with_the_word_keeps_both_reasons(brief: Brief) -> None:
    tips = (sets("a", batch(64), "first"), sets("b", batch(32), "second", refines=("a",)))
    made = draft(brief, START, tips, measure=never)
    assert made.plan.batch.size == 32
    text = to_toml(made.plan, made.decisions)
    assert "size = 32  # b: second; a: first" in text
    assert from_toml(text) == PlanFile(made.plan, made.decisions)


def test_all_that_set_a_field_must_be_named_so_that_leaving_one_out_works(brief: Brief) -> None:
    first, second = sets("a", batch(64)), sets("b", batch(32), refines=("a",))
    with pytest.raises(PlanError, match="which a set: c must name a"):
        draft(brief, START, (first, second, sets("c", batch(16), refines=("b",))), measure=never)
    third = sets("c", batch(16), refines=("a", "b"))
    for without in ("a", "b", "c"):
        draft(brief, START, (first, second, third), measure=never, without=frozenset({without}))


def test_setting_the_same_value_is_no_overwriting(brief: Brief) -> None:
    made = draft(brief, START, (sets("a", batch(64)), sets("b", batch(64))), measure=never)
    assert made.decisions[1].sets == ()


def test_taking_a_field_away_is_overwriting(brief: Brief) -> None:
    decay = sets("decay", lambda plan: replace(plan, optimiser=AdamW(beta1=0.8)))
    sgd = sets("sgd", lambda plan: replace(plan, optimiser=Sgd()))
    with pytest.raises(PlanError, match=r"the tip sgd overwrites `optimiser\.beta1`, which decay set"):
        draft(brief, START, (decay, sgd), measure=never)
    with pytest.raises(PlanError, match=r"the tip none overwrites `ladder\.rungs\.small\."):
        draft(brief, START, (sets("a", rungs(SMALL)), sets("none", rungs())), measure=never)


def test_another_kind_counts_as_set_with_all_its_fields(brief: Brief) -> None:
    tips = (
        sets("cnn", rungs(SMALL)),
        sets("residual", rungs(replace(SMALL, network=ResNet())), refines=("cnn",)),
        sets("wide", rungs(replace(SMALL, network=ResNet(widths=(8,), depths=(1,)))), refines=("cnn",)),
    )
    with pytest.raises(PlanError, match=r"wide overwrites `ladder\.rungs\.small\.network\.depths`, which residual set"):
        draft(brief, START, tips, measure=never)


# ---------------------------------------------------------------- questions


def test_questions_are_answered_and_kept(brief: Brief) -> None:
    start = rungs(SMALL)(START)
    asked: list[tuple[StepTime, ...]] = []

    def measure(questions: tuple[StepTime, ...]) -> Measured:
        asked.append(questions)
        return in_order((3.0, 1.0, 2.0))(questions)

    tip = asks("timed", sizes(32, 64, 256))
    made = draft(brief, start, (tip,), measure=measure)
    assert made.plan.batch.size == 64
    assert [len(questions) for questions in asked] == [3]
    keys = [one.key for one in asked[0]]
    assert [made.facts.measured[key].value for key in keys] == [3.0, 1.0, 2.0]
    again = draft(Brief(facts=made.facts), start, (tip,), measure=never)
    assert again.plan == made.plan and again.facts == made.facts


def test_only_what_is_not_known_is_measured(brief: Brief) -> None:
    start = rungs(SMALL)(START)
    known = sizes(32)(start)[0].key
    facts = replace(brief.facts, measured={known: Fact(value=9.0, method="m", sample="s")})
    made = draft(Brief(facts=facts), start, (asks("timed", sizes(32, 64)),), measure=in_order((5.0,)))
    assert made.plan.batch.size == 64 and len(made.facts.measured) == 2


def test_what_cannot_be_measured_never_wins_and_is_not_kept(brief: Brief) -> None:
    start = rungs(SMALL)(START)

    def measure(questions: tuple[StepTime, ...]) -> Measured:
        return in_order((3.0,))(questions[1:])

    made = draft(brief, start, (asks("timed", sizes(32, 64)),), measure=measure)
    assert made.plan.batch.size == 64
    assert all(fact.value < inf for fact in made.facts.measured.values()) and len(made.facts.measured) == 1


def test_asking_again_for_what_is_known_names_the_tip(brief: Brief) -> None:
    start = rungs(SMALL)(START)
    deaf = Tip(name="deaf", decide=lambda brief, plan: Ask(measurements=sizes(32)(plan)))
    with pytest.raises(PlanError, match="the tip deaf asks again"):
        draft(brief, start, (deaf,), measure=answer)
    with pytest.raises(PlanError, match="the tip mute asks again"):
        draft(brief, start, (Tip(name="mute", decide=lambda brief, plan: Ask(measurements=())),), measure=answer)


def test_an_invalid_plan_names_the_tip(brief: Brief) -> None:
    with pytest.raises(PlanError, match=r"the tip wild made a plan that is not valid .*size"):
        draft(brief, START, (sets("wild", batch(0)),), measure=never)


# ---------------------------------------------------------------- edits


def test_an_edit_is_seen_by_tips_and_wins(brief: Brief) -> None:
    seen: list[int] = []

    def decide(brief: Brief, plan: Plan) -> Applied:
        seen.append(plan.batch.size)
        return Applied(plan=replace(plan, batch=Batch(size=64, micro=8)), because="64 fits")

    made = draft(brief, START, (Tip(name="a", decide=decide), skips("b")), measure=never, edits=["batch.size=16"])
    assert seen == [16]
    assert made.plan.batch == Batch(size=16, micro=8)
    assert made.decisions[0].sets == ("batch.micro",)
    assert made.decisions[0].because == "64 fits (overruled by hand: batch.size)"
    assert made.decisions[-1] == Decision(tip=BY_HAND, outcome="applied", because="batch.size=16", sets=("batch.size",))
    assert "size = 16  # by hand: batch.size=16" in to_toml(made.plan, made.decisions)


def test_an_edit_of_a_whole_part_is_told_in_its_own_words(brief: Brief) -> None:
    """Not as the forty fields that two networks have."""
    by_hand = 'ladder.rungs=[{name="mine",steps=3,lr=0.1,network={kind="mlp"}}]'
    made = draft(brief, START, (sets("a", rungs(SMALL)),), measure=never, edits=[by_hand])
    assert made.decisions[0].because == "it does (overruled by hand: ladder.rungs)"


def test_a_network_by_hand_may_not_be_called_like_a_baseline(brief: Brief) -> None:
    by_hand = 'ladder.rungs=[{name="linear",steps=3,lr=0.1,network={kind="mlp"}}]'
    with pytest.raises(PlanError, match="linear: so a baseline is called"):
        draft(brief, START, (sets("a", rungs(SMALL)),), measure=never, edits=[by_hand])


def test_an_edit_of_a_rung_that_a_tip_makes(brief: Brief) -> None:
    tips = (sets("a", rungs(SMALL)), sets("steps", rungs(replace(SMALL, steps=500)), refines=("a",)))
    made = draft(brief, START, tips, measure=never, edits=["ladder.rungs.small.steps=7", "ladder.rungs.0.lr=1"])
    assert made.plan.ladder.rungs == (replace(SMALL, steps=7, lr=1.0),)
    assert "ladder.rungs.small.steps" not in made.decisions[0].sets
    assert made.decisions[1].because == ("it does (overruled by hand: ladder.rungs.small.lr, ladder.rungs.small.steps)")
    assert [decision.sets for decision in made.decisions[2:]] == [
        ("ladder.rungs.small.steps",),
        ("ladder.rungs.small.lr",),
    ]


def test_steps_that_an_edit_gives_are_not_stretched_by_a_later_tip(brief: Brief) -> None:
    longer = replace(SMALL, steps=7, most_steps=900)
    tips = (sets("a", rungs(SMALL)), sets("spare", rungs(longer), refines=("a",)))
    made = draft(brief, START, tips, measure=never, edits=["ladder.rungs.small.steps=7"])
    assert [rung.most_steps for rung in made.plan.ladder.rungs] == [0]
    assert made.decisions[1].because == "it does (overruled by hand: ladder.rungs.small.most_steps)"
    both = ["ladder.rungs.small.steps=7", "ladder.rungs.small.most_steps=30"]
    assert [rung.most_steps for rung in draft(brief, START, tips, measure=never, edits=both).plan.ladder.rungs] == [30]


def test_an_edited_kind_holds_against_a_tip(brief: Brief) -> None:
    adam = sets("adam", lambda plan: replace(plan, optimiser=AdamW(weight_decay=0.1)))
    made = draft(brief, START, (adam,), measure=never, edits=["optimiser.kind=sgd", "optimiser.momentum=0.5"])
    assert made.plan.optimiser == Sgd(momentum=0.5, weight_decay=0.1)
    assert made.decisions[0].sets == ("optimiser.weight_decay",)


def test_an_edited_network_kind_keeps_its_fields_together(brief: Brief) -> None:
    edits = ["ladder.rungs.small.network.kind=resnet", "seed=1", "ladder.rungs.small.network.depths=[0,0,0]"]
    made = draft(brief, START, (sets("a", rungs(SMALL)),), measure=never, edits=edits)
    assert made.plan.ladder.rungs[0].network == ResNet(widths=(32, 64, 128), depths=(0, 0, 0))


def test_a_network_that_an_edit_names_is_not_left_out(brief: Brief) -> None:
    tips = (sets("a", rungs(SMALL, replace(SMALL, name="large"))), sets("short", _cut, refines=("a",)))

    def made(*edits: str) -> tuple[list[str], Decision]:
        found = draft(brief, START, tips, measure=never, edits=edits)
        return [rung.name for rung in found.plan.ladder.rungs], found.decisions[1]

    assert made()[0] == ["large"]
    assert made("ladder.rungs.large.lr=0.5")[0] == ["large"]
    for edit in ("ladder.rungs.small.lr=0.5", "ladder.rungs.0.lr=0.5", "ladder.rungs.1.lr=0.5"):
        left, decision = made(edit)
        assert left == ["small", "large"]
        assert (decision.outcome, decision.because) == ("skipped", "small stays, as it was set by hand")


def test_what_was_set_of_a_network_that_is_left_out_is_not_overwritten(brief: Brief) -> None:
    two = sets("a", rungs(SMALL, replace(SMALL, name="large")))
    slower = sets("slower", rungs(replace(SMALL, lr=0.5), replace(SMALL, name="large", lr=0.5)), refines=("a",))
    made = draft(brief, START, (two, slower, sets("short", _cut, refines=("a",))), measure=never)
    assert [rung.name for rung in made.plan.ladder.rungs] == ["large"]


def _cut(plan: Plan) -> Plan:
    return replace(plan, ladder=replace(plan.ladder, rungs=plan.ladder.rungs[1:]))


def test_an_edit_that_nothing_makes_room_for_fails_in_the_end(brief: Brief) -> None:
    with pytest.raises(PlanError, match="nothing is called `large` here"):
        draft(brief, START, (sets("a", rungs(SMALL)),), measure=never, edits=["ladder.rungs.large.steps=7"])
    with pytest.raises(PlanError, match=r"`optimiser\.momentum` is not a field"):
        draft(brief, START, (), measure=never, edits=["optimiser.momentum=0.5"])


def test_a_misspelt_edit_fails_before_anything_is_measured(brief: Brief) -> None:
    with pytest.raises(PlanError, match=r"no plan has a field `batch\.sise`; did you mean `batch\.size`"):
        draft(brief, rungs(SMALL)(START), (asks("a", sizes(1)),), measure=never, edits=["batch.sise=1"])


@settings(deadline=None, max_examples=25)
@given(brief=BRIEF, size=st.integers(1, 4096), edited=st.none() | st.integers(1, 4096))
def test_the_same_brief_gives_the_same_draft(brief: Brief, size: int, edited: int | None) -> None:
    tips = (sets("a", rungs(SMALL)), sets("b", batch(size)), asks("c", lambda plan: sizes(plan.batch.size)(plan)))
    edits = [] if edited is None else [f"batch.size={edited}"]
    first, second = (draft(brief, START, tips, measure=answer, edits=edits) for _ in range(2))
    assert first == second
    assert first.plan.batch.size == (size if edited is None else edited)
    read = from_toml(to_toml(first.plan, first.decisions))
    assert (read.plan, read.decisions) == (first.plan, first.decisions)


def test_a_linear_rung_has_no_kernel(brief: Brief) -> None:
    made = draft(brief, START, (sets("a", rungs(replace(SMALL, network=Linear()))),), measure=never)
    assert not any("kernel" in name for name in made.decisions[0].sets)
