"""A proof while it runs: how long it still takes, what is running, and what is known of each factor so far."""

import math
import time
from typing import TYPE_CHECKING

from fieldcraft.cli.proof_table import STYLES, one_line
from fieldcraft.records.proof import Proof, Verdict

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live

    from fieldcraft.proof.conduct import Progress

LINE_S = 30.0
"""Between two lines where there is no terminal; a verdict that changes is told at once."""
NAMED = 4
"""Running trials that are named."""


class ProofProgress:
    """Draws what it is handed; on something that is no terminal it prints a line now and then instead."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._live: Live | None = None
        self._printed = time.monotonic()
        self._words: dict[str, str] = {}

    def __call__(self, progress: "Progress") -> None:
        """Show how far it is."""
        if self._console.is_terminal:
            if self._live is None:
                from rich.live import Live

                self._live = Live(console=self._console, auto_refresh=False, transient=True)
                self._live.start()
            self._live.update(progress_table(progress), refresh=True)
            return
        told = [f"  {one.factor}: {verdict_so_far(progress, one)}" for one in self._news(progress)]
        if told or time.monotonic() - self._printed > LINE_S:
            self._printed = time.monotonic()
            for line in (*told, f"  {headline(progress)}"):
                self._console.print(one_line(line), highlight=False, markup=False, soft_wrap=True)

    def close(self) -> None:
        """Take the table away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _news(self, progress: "Progress") -> list[Verdict]:
        """Verdicts whose word is another than before."""
        news = [one for one in progress.verdicts if self._words.get(one.factor, "cannot tell yet") != one.word]
        self._words |= {one.factor: one.word for one in progress.verdicts}
        return news


def headline(progress: "Progress") -> str:
    """Trainings done, verdicts given, and the time left."""
    from fieldcraft.report.proof_words import roughly

    decided = sum(one.word != "cannot tell yet" for one in progress.verdicts)
    failed = sum(one.score is None for one in progress.outcomes)
    return (
        f"{len(progress.outcomes)} trainings in {roughly(progress.spent_s)}"
        f"{f', {failed} without a score' if failed else ''}; {decided} of {len(progress.verdicts)} decided"
        f"{f'; about {roughly(progress.eta_s)} left' if 0 < progress.eta_s < math.inf else ''}"
        f"{f', at most {roughly(progress.left_s)}' if math.isfinite(progress.left_s) else ''}"
    )


def running(progress: "Progress") -> str:
    """Which trials run now."""
    named = [f"{one.arm.name} (pair {one.pair})" for one in progress.running[:NAMED]]
    more = len(progress.running) - NAMED
    return f"running: {', '.join(named) or 'nothing'}{f' and {more} more' if more > 0 else ''}"


def verdict_so_far(progress: "Progress", verdict: Verdict) -> str:
    """Word, effect and interval of one factor."""
    from fieldcraft.report.proof_words import units_of, word_shown

    proof = _so_far(progress)
    units, effect = units_of(proof), verdict.effect
    if effect is None:
        return word_shown(proof, verdict)
    interval = f"[{units.plain(effect.low)}, {units.plain(effect.high)}]"
    return f"{word_shown(proof, verdict)}, {units.named(units.signed(effect.value))} {interval}"


def progress_table(progress: "Progress") -> "Group":
    """All of it as a Rich renderable; the time left stands on top, so that a low terminal cuts the last factors off."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from fieldcraft.report.proof_words import (
        control_line,
        control_title,
        glyph_shown,
        pairs_shown,
        units_of,
        word_shown,
    )

    proof = _so_far(progress)
    units = units_of(proof)
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1))
    grid.add_column("factor", overflow="fold", min_width=12)
    grid.add_column("so far", no_wrap=True)
    grid.add_column("effect", justify="right", no_wrap=True)
    grid.add_column("interval", no_wrap=True)
    grid.add_column("pairs", justify="right", no_wrap=True)
    for one in progress.verdicts:
        word, effect = word_shown(proof, one), one.effect
        grid.add_row(
            Text(one_line(one.factor)),
            Text(f"{glyph_shown(proof, one)} {word}", style=STYLES[word]),
            units.signed(effect.value) if effect else "–",
            f"[{units.plain(effect.low)}, {units.plain(effect.high)}]" if effect else "",
            pairs_shown(one),
        )
    controls = [
        Text(f"  {control_title(one)} ({control_line(one, units)})", style="bold red" if one.passed is False else "dim")
        for one in progress.controls
    ]
    above = (Text(one_line(f"  {headline(progress)}")), Text(one_line(f"  {running(progress)}"), style="dim"))
    return Group(*above, *controls, grid)


def _so_far(progress: "Progress") -> Proof:
    return Proof(
        setting=progress.setting,
        verdicts=progress.verdicts,
        controls=progress.controls,
        outcomes=progress.outcomes,
        seconds=progress.spent_s,
    )
