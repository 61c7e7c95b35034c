"""A proof on a terminal and in a pipe."""

from io import StringIO

import pytest
from rich.console import Console
from tests.report.made_up_proof import HOSTILE, Asked, all_kinds, made_up

from fieldcraft.cli.proof_table import plain, proof_table
from fieldcraft.records.proof import Proof


def drawn(proof: Proof, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width, force_terminal=True, color_system=None, highlight=False).print(
        proof_table(proof, width=width)
    )
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", list(all_kinds()))
def test_it_fits_and_says_every_factor_and_verdict(name: str, width: int) -> None:
    proof = all_kinds()[name]
    text = drawn(proof, width)
    assert max(map(len, text.splitlines())) <= width
    whole = "".join(text.split())
    for one in proof.verdicts:
        if one.effect:
            assert one.factor[:12].replace(" ", "") in whole
    for word in (proof.verdicts[0].word if proof.trusted else "not trusted").split():
        assert word in text


@pytest.mark.parametrize("name", list(all_kinds()))
def test_in_a_pipe_each_factor_has_one_line(name: str) -> None:
    proof = all_kinds()[name]
    lines = plain(proof).splitlines()
    for one in proof.verdicts:
        assert sum(line.startswith(one.factor + "  ") for line in lines) == 1
    assert not any(letter in plain(proof) for letter in "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}")


def test_numbers_are_those_of_the_proof() -> None:
    proof = made_up()
    text = plain(proof).replace("−", "-")
    for one in proof.verdicts:
        assert one.effect is not None
        (line,) = (line for line in text.splitlines() if line.startswith(one.factor + "  "))
        assert f"{100 * one.effect.value:+.2f}  [{100 * one.effect.low:.2f}, {100 * one.effect.high:.2f}]" in line
        assert f" {one.effect.pairs} " in line
        assert one.word in line


def test_controls_stand_above_and_open_questions_at_the_end() -> None:
    text = plain(made_up())
    assert text.index("Placebo: passed") < text.index("Poison: passed") < text.index("one-cycle")
    assert "would probably take" in text.splitlines()[-2]


@pytest.mark.parametrize("name", ["failed placebo", "failed poison"])
def test_a_failed_control_is_the_first_line_and_nothing_is_trusted(name: str) -> None:
    proof = all_kinds()[name]
    for text in (plain(proof), drawn(proof, 200)):
        assert text.startswith("Nothing here is to be trusted")
        assert "FAILED" in text
        assert text.count("not trusted") == len(proof.verdicts)
        assert not any(word in text for word in ("▲", "▼", "would probably take", "worth adding"))


def test_names_do_not_command_the_terminal() -> None:
    proof = made_up(Asked(effects={"\x1b[31mred\n[bold]x[/bold]": 0.01, HOSTILE: 0.0}, full=()))
    for text in (plain(proof), drawn(proof, 200)):
        assert "\x1b[31m" not in text
        assert "[bold]x[/bold]" in text
        assert HOSTILE in text


def test_the_last_look_is_told() -> None:
    text = plain(made_up()).replace("\N{NO-BREAK SPACE}", " ")
    assert "Look 2 at the test part: On 360 samples that took no part" in text
    assert "test part: On" not in plain(made_up(Asked(look=False)))
