"""What every tip must keep, as tests to subclass; shipped for outside authors.

    from fieldcraft.tips.contract import TipContract

    class TestMyTip(TipContract):
        tip = TIP

Needs pytest and hypothesis: pip install 'fieldcraft[testing]'.
"""

import inspect
import os
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from types import ModuleType
from typing import ClassVar

from fieldcraft.errors import MissingExtraError, PlanError
from fieldcraft.plan.schema import Cnn, Plan, ResNet, TableInput
from fieldcraft.plan.toml import from_toml, to_toml
from fieldcraft.records.brief import Brief
from fieldcraft.tips.interface import Applied, Ask, Skipped, Tip
from fieldcraft.tips.made_up import answer, briefs, mask_briefs, plans
from fieldcraft.tips.masks import ELSEWHERE, INPUTS
from fieldcraft.tips.rule import HEADINGS as RULE_HEADINGS
from fieldcraft.tips.watch import HEADINGS as WATCH_HEADINGS

try:
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise MissingExtraError("hypothesis", "testing", "The contract suite for tips") from error

__all__ = ["TipContract", "answer", "briefs", "decided", "mask_briefs", "plans"]

HEADINGS = ("Helps:", "Hurts:", "Cost:", "Source:")
LONGEST_REASON = 300
MOST_ROUNDS = 20

# Every subclass runs the same inherited test. Plans are large: making a failing one smaller takes minutes.
checked = settings(
    deadline=None,
    max_examples=15,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.differing_executors, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def briefs_for(tip: Tip) -> SearchStrategy[Brief]:
    """Briefs of what the tip knows of: samples, images with masks, or both."""
    if tip.inputs == INPUTS:
        return mask_briefs()
    return briefs() if tip.name in ELSEWHERE else st.one_of(briefs(), mask_briefs())


def decided(tip: Tip, brief: Brief, plan: Plan) -> tuple[Applied | Skipped, Brief]:
    """What the tip decides once its questions have made-up answers, and the brief with these."""
    assert tip.decide is not None, f"{tip.name} decides nothing"
    for _ in range(MOST_ROUNDS):
        said = tip.decide(brief, plan)
        if not isinstance(said, Ask):
            return said, brief
        new = tuple(one for one in said.measurements if brief.measured(one.key) is None)
        assert new, f"{tip.name} asks again for what it was told"
        measured = {**brief.facts.measured, **answer(new)}
        brief = Brief(facts=replace(brief.facts, measured=measured))
    raise AssertionError(f"{tip.name} still asks after {MOST_ROUNDS} rounds")


class TipContract:
    """Subclass it in a test module and set `tip`; pytest then runs every check."""

    tip: ClassVar[Tip]

    @given(data=st.data())
    @checked
    def test_its_decisions_keep_to_the_rules(self, data: st.DataObject) -> None:
        """`decide` is pure, agrees with its own result, says why, and makes valid plans of the kind it was given."""
        if self.tip.decide is None:
            return
        brief = data.draw(briefs_for(self.tip))
        plan = data.draw(plans(brief))
        assert self.tip.decide(brief, plan) == self.tip.decide(brief, plan), (
            f"{self.tip.name} answers the same question differently"
        )
        said, told = decided(self.tip, brief, plan)
        _says_why(said)
        if isinstance(said, Applied):
            _can_be_written(self.tip, said.plan)
            _agrees_with_itself(self.tip, said, told)
            _keeps_to_the_kind(said.plan, plan)

    def test_the_card_is_complete(self) -> None:
        """The module's docstring says what the tip does, when it helps and hurts, what it costs, its source."""
        lines = self.tip.card.splitlines()
        assert lines and lines[0] and not lines[0].startswith(HEADINGS), "the card begins with what the tip does"
        for heading in HEADINGS:
            assert any(line.startswith(f"{heading} ") for line in lines), f"the card lacks a line with {heading}"

    def test_the_name_is_that_of_the_module(self) -> None:
        """`label-smoothing` lives in `label_smoothing.py`."""
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.tip.name), f"{self.tip.name!r} must be in kebab-case"
        assert _module(self.tip).__name__.rpartition(".")[2] == self.tip.name.replace("-", "_")

    def test_it_has_a_hand(self) -> None:
        """It decides, or looks for something."""
        hands = (self.tip.decide, *self.tip.checks, *self.tip.watches)
        assert any(hand is not None for hand in hands), f"{self.tip.name} neither decides, checks nor watches"

    def test_the_codes_of_its_rules_are_its_own(self) -> None:
        """FC012: two letters and three digits, once each."""
        codes = [*(rule.code for rule in self.tip.checks), *(watch.code for watch in self.tip.watches)]
        assert all(re.fullmatch(r"[A-Z]{2}\d{3}", code) for code in codes), f"{self.tip.name}: {codes}"
        assert len(set(codes)) == len(codes), f"{self.tip.name} lists a rule twice: {codes}"

    def test_the_pages_of_its_rules_are_complete(self) -> None:
        """The docstring of a rule's module says what it finds, why it matters, what to do instead, when to leave it."""
        for rule in self.tip.checks:
            lines = rule.card.splitlines()
            starts = tuple(f"{heading}:" for heading in RULE_HEADINGS)
            sentence = bool(lines) and lines[0].endswith(".") and not lines[0].startswith(starts)
            assert sentence, f"the page of {rule.code} begins with one sentence: what it finds"
            for heading in RULE_HEADINGS:
                has = any(line.startswith(f"{heading}:") for line in lines)
                if heading == "Rewrite":
                    assert has == (rule.rewrite is not None), (
                        f"{rule.code}: a rewrite has a line `Rewrite:`, and only then"
                    )
                else:
                    assert has, f"the page of {rule.code} lacks a line with {heading}:"

    def test_the_pages_of_its_symptoms_are_complete(self) -> None:
        """The docstring of a watch's module says what it sees, why it matters, what to change, when to leave it."""
        for watch in self.tip.watches:
            lines = watch.card.splitlines()
            assert lines and lines[0].endswith("."), f"the page of {watch.code} begins with one sentence: what it sees"
            for heading in WATCH_HEADINGS:
                has = any(line.startswith(f"{heading}:") for line in lines)
                assert has, f"the page of {watch.code} lacks a line with {heading}:"
            module = inspect.getmodule(watch.see)
            assert module is not None, f"{watch.code}: `see` must be a function of a module"
            assert module.__name__.rpartition(".")[2].replace("_", "-") == watch.name, f"{watch.code} {watch.name}"

    def test_a_rule_is_called_after_its_module(self) -> None:
        """`bias-before-norm` lives in `bias_before_norm.py`."""
        for rule in self.tip.checks:
            module = inspect.getmodule(rule.check)
            assert module is not None, f"{rule.code}: `check` must be a function of a module"
            assert module.__name__.rpartition(".")[2].replace("_", "-") == rule.name, f"{rule.code} {rule.name}"

    def test_it_does_not_need_torch(self) -> None:
        """So that plans are drafted, read and explained in a moment."""
        name = _module(self.tip).__name__
        assert not _imports_torch(name), f"{name} imports torch"


def _module(tip: Tip) -> ModuleType:
    module = tip.module or (inspect.getmodule(tip.decide) if tip.decide else None)
    assert module is not None, f"{tip.name}: `decide` must be a function of a module, or `module` be given"
    return module


@cache
def _imports_torch(module: str) -> bool:
    """Asked of a fresh process, since this one may have torch already."""
    code = f"import sys, {module}; sys.exit(3 if 'torch' in sys.modules else 0)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.curdir for path in sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), f"{module} cannot be imported:\n{done.stderr}"
    return done.returncode == 3


def _says_why(said: Applied | Skipped) -> None:
    """The reason is one line that fits beside the plan."""
    why = said.because
    whole = bool(why) and why == why.strip() and "\n" not in why and len(why) < LONGEST_REASON
    assert whole, f"the reason must be one line of under {LONGEST_REASON} characters, got {why!r}"


def _agrees_with_itself(tip: Tip, said: Applied, told: Brief) -> None:
    again, _ = decided(tip, told, said.plan)
    assert isinstance(again, Skipped) or again.plan == said.plan, f"{tip.name} changes its own result once more"


def _can_be_written(tip: Tip, plan: Plan) -> None:
    """Written, read back and followed."""
    try:
        assert from_toml(to_toml(plan)).plan == plan, f"{tip.name} made a plan that is read as another one"
    except PlanError as error:
        raise AssertionError(f"{tip.name} made a plan that cannot be read: {error}") from error


def _keeps_to_the_kind(made: Plan, given: Plan) -> None:
    """Tables stay tables, and get no convolutions nor settings that only images have."""
    kinds = (made.input.kind, made.task.kind), (given.input.kind, given.task.kind)
    assert kinds[0] == kinds[1], f"a plan for {kinds[1]} became one for {kinds[0]}"
    if isinstance(given.input, TableInput):
        assert not any(isinstance(rung.network, Cnn | ResNet) for rung in made.ladder.rungs), "convolutions for a table"
        assert made.execution.channels_last <= given.execution.channels_last, "channels last for a table"
        assert made.initialisation.whiten <= given.initialisation.whiten, "whitened kernels for a table"
