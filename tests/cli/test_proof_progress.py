"""A proof on a terminal and in a pipe while it runs."""

import math
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console
from tests.report.made_up_proof import HOSTILE, all_kinds, made_up

from fieldcraft.cli.proof_progress import ProofProgress, headline, progress_table
from fieldcraft.proof.conduct import Progress
from fieldcraft.records.proof import Arm, Proof, Trial

RUNNING = tuple(
    Trial(stage="confirm", arm=Arm(name=f"without {name}", kind="toggled", on=()), pair=pair)
    for pair, name in enumerate(["mixup", f"{HOSTILE}\x1b[31m", "one-cycle", "flips", "cosine"])
)


@pytest.fixture(autouse=True)
def _a_terminal_that_can_move_its_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dumb one shows no progress and has a width of its own, even where a terminal is forced."""
    monkeypatch.setenv("TERM", "xterm")


def at(proof: Proof, running: tuple[Trial, ...] = RUNNING, left_s: float = 600.0) -> Progress:
    return Progress(
        setting=proof.setting, outcomes=proof.outcomes, verdicts=proof.verdicts, controls=proof.controls,
        running=running, spent_s=proof.seconds, left_s=left_s, eta_s=left_s / 2,
    )  # fmt: skip


def drawn(progress: Progress, width: int) -> str:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None, highlight=False)
    console.print(progress_table(progress))
    return out.getvalue()


@pytest.mark.parametrize("width", [72, 120])
@pytest.mark.parametrize("name", list(all_kinds()))
def test_the_table_fits_and_says_what_is_known(name: str, width: int) -> None:
    proof = all_kinds()[name]
    text = drawn(at(proof), width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text
    for one in proof.verdicts:
        assert (one.word if proof.trusted else "not trusted") in text
    for control in proof.controls:
        assert control.kind.capitalize() in text


def test_the_numbers_are_those_of_the_verdicts() -> None:
    proof = made_up()
    text = drawn(at(proof), 120).replace("−", "-")
    for one in proof.verdicts:
        assert one.effect is not None
        (line,) = (line for line in text.splitlines() if line.startswith(one.factor + " "))
        assert f"{100 * one.effect.value:+.2f}" in line
        assert f"[{100 * one.effect.low:.2f}, {100 * one.effect.high:.2f}]" in line


def test_it_says_how_long_it_still_takes_and_what_runs() -> None:
    proof = made_up()
    assert "left" not in headline(at(proof, left_s=math.inf))
    assert "about" not in headline(at(proof, left_s=0.0))  # all is decided: what runs now repeats it
    text = drawn(at(proof), 200)
    assert "about 5 min left, at most 10 min" in text
    assert "without mixup (pair 0)" in text
    assert "and 1 more" in text
    assert "running: nothing" in drawn(at(proof, running=()), 120)


def test_in_a_pipe_a_verdict_that_changes_is_a_line_and_nothing_is_said_twice() -> None:
    proof = made_up()
    out = StringIO()
    progress = ProofProgress(Console(file=out, width=80, highlight=False))
    early = replace(
        at(proof), verdicts=tuple(replace(one, word="cannot tell yet", effect=None) for one in proof.verdicts)
    )
    progress(early)
    assert out.getvalue() == ""
    progress(at(proof))
    decided = [one for one in proof.verdicts if one.word != "cannot tell yet"]
    lines = out.getvalue().splitlines()
    assert len(decided) > 0
    assert len(lines) == len(decided) + 1
    for one, line in zip(decided, lines, strict=False):
        assert line.startswith(f"  {one.factor}: {one.word}, ")
    progress(at(proof))
    progress.close()
    assert out.getvalue().splitlines() == lines


def test_on_a_terminal_it_is_gone_when_closed() -> None:
    out = StringIO()
    progress = ProofProgress(Console(file=out, width=100, height=40, force_terminal=True, color_system=None))
    progress(at(made_up()))
    progress(at(made_up()))
    progress.close()
    progress.close()
    assert "running: " in out.getvalue()
    assert out.getvalue().endswith("\x1b[2K"), "the last thing is that lines are erased"
