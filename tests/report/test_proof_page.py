"""The page of a proof: what it says, what it must not say, and that it is sound."""

from dataclasses import replace

import pytest
from tests.report.made_up_proof import HOSTILE, Asked, all_kinds, made_up
from tests.report.strict_html import StrictReader, read_strictly

from fieldcraft.records.proof import Proof
from fieldcraft.report.proof_page import proof_page

LIMIT = 600_000
SECTIONS = [
    "verdict", "effects", "standing", "costs", "pairs", "last_look", "screening", "history", "not_tested", "rules"
]  # fmt: skip


def read(proof: Proof) -> tuple[StrictReader, str]:
    reader = read_strictly(proof_page(proof))
    assert reader.faults == []
    return reader, " ".join("".join(reader.text).replace("\N{NO-BREAK SPACE}", " ").split())


def between(text: str, start: str, stop: str) -> str:
    """What stands from one heading to the next; the contents name them first."""
    return text[text.rindex(start) : text.rindex(stop)]


@pytest.mark.parametrize("name", list(all_kinds()))
def test_every_kind_of_proof_gives_a_sound_page(name: str) -> None:
    proof = all_kinds()[name]
    page = proof_page(proof)
    reader, text = read(proof)
    assert len(page) < LIMIT
    assert "script" not in reader.tags
    assert [one for one in reader.ids if one in SECTIONS] == SECTIONS
    for factor in proof.setting.factors:
        assert factor.replace("\x00", "") in text


def test_controls_stand_before_all_verdicts() -> None:
    _, text = read(made_up())
    assert text.index("Placebo: passed") < text.index("Poison: passed") < text.index("Paid: one-cycle")


@pytest.mark.parametrize(
    ("name", "said"), [("failed placebo", "the placebo came"), ("failed poison", "the poison did")]
)
def test_a_failed_control_is_loud_and_nothing_is_trusted(name: str, said: str) -> None:
    proof = all_kinds()[name]
    assert any(one.word == "paid" for one in proof.verdicts), "otherwise there is nothing to distrust"
    _, text = read(proof)
    assert text.index("A control failed") < text.index(f"Nothing here is to be trusted: {said}") < text.index("FAILED")
    assert text.count("not trusted") >= 2 * len(proof.verdicts)
    for word in (
        "▲ paid",
        "▼ hurt",
        "Paid:",
        "worth adding",
        "better left out",
        "verdicts hold ",
        "It would take",
    ):
        assert word not in text
    assert "None of the verdicts holds" in text
    page = proof_page(proof)
    assert 'href="#mark-paid"' not in page
    assert 'href="#mark-hurt"' not in page


def test_a_sound_proof_shows_no_banner() -> None:
    _, text = read(made_up())
    assert "A control failed" not in text
    assert "not trusted" not in text


def test_controls_that_are_missing_or_not_known_are_said() -> None:
    proof = made_up()
    _, text = read(replace(proof, controls=proof.controls[1:]))
    assert "There is no placebo here" in text
    _, text = read(all_kinds()["first pair"])
    assert "Not known yet whether the controls pass (placebo and poison)" in text


def test_each_verdict_is_told_by_word_shape_and_number() -> None:
    proof = made_up()
    _, text = read(proof)
    effects = between(text, "What each factor did", "Where this holds")
    shapes = {"paid": "▲", "hurt": "▼", "no effect that matters": "■", "cannot tell yet": "○"}
    assert {one.word for one in proof.verdicts} >= {"paid", "hurt", "cannot tell yet"}
    for one in proof.verdicts:
        assert one.effect is not None
        row = effects[effects.index(f"{one.factor}{shapes[one.word]} {one.word}") :]
        assert f"{100 * one.effect.value:+.2f}".replace("-", "−") in row[:200]
        assert f"({100 * one.effect.low:.2f} to {100 * one.effect.high:.2f})".replace("-", "−") in row[:200]
    assert "less than 0.20 points either way" in effects


def test_errors_are_in_the_metrics_units_and_less_is_better() -> None:
    proof = all_kinds()["errors"]
    _, text = read(proof)
    assert "points" not in between(text, "What each factor did", "Where this holds")
    assert "positive: better, which is less RMSE" in text
    (best,) = [one for one in proof.verdicts if one.factor == "one-cycle"]
    assert best.effect is not None
    assert f"+{best.effect.value:.2f}" in text


def test_a_share_in_per_cent_is_not_multiplied_again() -> None:
    proof = made_up(Asked(unit=100.0, level=0.93))
    _, text = read(proof)
    assert "0.20 points" in text
    assert "+1.39 points" in text


def test_budgets_and_what_is_open_are_said() -> None:
    proof = made_up()
    _, text = read(proof)
    standing = between(text, "Where this holds", "Effect against cost")
    assert "hold for trainings of 12 s, 4 % of the 5 min that the plan has" in standing.replace(
        "\N{NARROW NO-BREAK SPACE}", " "
    )
    assert "The verdicts on one-cycle hold at the full budget" in standing
    rest = [one for one in proof.verdicts if one.word == "cannot tell yet"]
    assert f"{sum(one.pairs_needed or 0 for one in rest)} more pairs" in standing
    assert all(one.factor in standing for one in rest)


def test_what_no_number_of_pairs_decides_is_said() -> None:
    _, text = read(all_kinds()["unlimited"])
    assert "No number of pairs would probably decide label-smoothing" in text
    assert "−∞ to ∞" in text


def test_failed_trials_are_listed_with_their_error() -> None:
    proof = made_up()
    failed = [one for one in proof.outcomes if one.score is None]
    assert len(failed) > 3
    _, text = read(proof)
    table = text[text.rindex("Trials that failed, and why.") : text.rindex("Trials in the order")]
    assert table.count("out of memory") + table.count("became no number") == len(failed)
    assert proof_page(proof).count(">×</text>") == len(failed)


def test_every_pair_is_a_dot_and_a_line() -> None:
    proof = made_up(Asked(crash=0))
    page = proof_page(proof)
    lines = page.count('class="slope better"') + page.count('class="slope worse"')
    assert lines == sum(len(one.differences) for one in proof.verdicts)
    assert page.count('class="pair') == lines


def test_slopes_agree_with_the_differences() -> None:
    from fieldcraft.report.proof.pairs import scores

    for proof in (made_up(), all_kinds()["errors"]):
        sign = 1 if proof.setting.higher_is_better else -1
        for one in proof.verdicts:
            assert [sign * (on - off) for off, on in scores(proof, one)] == pytest.approx(list(one.differences))


def test_the_last_look_names_its_number_and_its_doubt() -> None:
    _, text = read(made_up())
    assert "This was look 2 at this test part" in text
    assert "the interval holds zero, so that may be chance" in text
    _, text = read(all_kinds()["one"])
    assert "The test part was not looked at" in text


def test_screening_only_ranks() -> None:
    _, text = read(made_up())
    part = text[text.rindex("The screening: a ranking") : text.rindex("What was run, and when")]
    assert "A rank is no verdict" in part
    assert "cannot be told from" in part
    assert "label-smoothing × one-cycle" in part
    _, text = read(all_kinds()["one"])
    assert "Nothing was screened" in text


def test_what_was_not_measured_is_said() -> None:
    _, text = read(all_kinds()["no costs"])
    assert "No cost was measured." in text
    assert "deep-supervision" in between(text, "What was not tested", "How it was decided")


def test_hostile_names_are_text() -> None:
    proof = made_up(
        Asked(effects={HOSTILE: 0.01, "\x1b[31mred\x00": 0.0, "caf\udce9": 0.0}, metric=HOSTILE, full=(HOSTILE,))
    )
    page = proof_page(replace(proof, notes=(HOSTILE,), not_tested={HOSTILE: HOSTILE}), name=HOSTILE)
    reader = read_strictly(page)
    assert reader.faults == []
    assert "script" not in reader.tags
    assert "<script" not in page.lower()
    assert HOSTILE in "".join(reader.text)
    assert "\x1b" not in page


def test_long_histories_are_cut_and_said_to_be() -> None:
    proof = all_kinds()["forty"]
    many = replace(proof, outcomes=proof.outcomes * 2)
    _, text = read(many)
    assert f"The last {2 * len(proof.outcomes) - 400} are only in proof.json." in text
