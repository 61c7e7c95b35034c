"""Rules and rewrites name each other."""

import pytest

from fieldcraft.inspection.rewrites import ALL
from fieldcraft.inspection.rewrites.interface import Rewrite
from fieldcraft.inspection.selection import all_rules
from fieldcraft.tips.rule import Rule


@pytest.mark.parametrize("rule", [one for one in all_rules() if one.rewrite], ids=lambda rule: rule.code)
def test_the_rewrite_that_a_rule_names_mends_it(rule: Rule) -> None:
    found = {one.name: one for one in ALL}
    assert rule.rewrite in found
    assert rule.code in found[rule.rewrite].codes


@pytest.mark.parametrize("rewrite", ALL, ids=lambda rewrite: rewrite.name)
def test_the_rules_that_a_rewrite_mends_name_it(rewrite: Rewrite) -> None:
    rules = {one.code: one for one in all_rules()}
    for code in rewrite.codes:
        assert rules[code].rewrite == rewrite.name


def test_codes_are_all_there_and_each_is_used_once() -> None:
    assert sorted(one.code for one in all_rules()) == [f"FC{number:03}" for number in range(1, 36)]
