"""Versions of tips follow their code, not its layout."""

import pytest

from fieldcraft.proof.evidence import ours
from fieldcraft.tips import ALL
from fieldcraft.tips.interface import Tip
from fieldcraft.tips.version import digest, version

SOURCE = '''
"""A card."""
SHARE = 0.1


def decide(brief, plan):
    """Say it."""
    if brief.outputs < 4:
        return f"only {brief.outputs!r:>5}", plan
    return replace(plan, share=SHARE)
'''


def test_a_version_is_the_same_under_every_python() -> None:
    """Pinned: evidence is filed on one machine and read on others."""
    assert digest(SOURCE) == "cd8074818f34"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("SHARE = 0.1\n", "SHARE = (\n    0.1  # the paper's\n)\n"),
        ('"""A card."""', '"""Another card."""'),
        ('    """Say it."""\n', ""),
    ],
)
def test_layout_comments_and_docstrings_do_not_count(old: str, new: str) -> None:
    assert old in SOURCE
    assert digest(SOURCE.replace(old, new)) == digest(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"), [("0.1", "0.2"), ("< 4", "<= 4"), ("only", "just"), ("SHARE", "PART"), (":>5", ":>6")]
)
def test_what_it_does_counts(old: str, new: str) -> None:
    assert digest(SOURCE.replace(old, new)) != digest(SOURCE)


def test_tips_have_versions_of_their_own() -> None:
    found = {tip.name: version(tip) for tip in ALL}
    assert all(len(one) == 12 for one in found.values())
    assert len(set(found.values())) == len(found)


def test_a_tip_without_a_source_has_none() -> None:
    scope: dict[str, object] = {"__name__": "nowhere"}
    exec("def decide(brief, plan): ...", scope)
    assert version(Tip(name="made-here", decide=scope["decide"])) == ""  # type: ignore[arg-type]


def test_evidence_that_comes_along_is_about_tips_as_they_are() -> None:
    """Lines of a tip that now decides otherwise go; where it decides the same there, they get its new version."""
    now = {tip.name: version(tip) for tip in ALL}
    assert {one.tip for one in ours().read() if one.version != now.get(one.tip)} == set()
