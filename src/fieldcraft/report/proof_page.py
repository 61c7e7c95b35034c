"""The page of a proof: one file of HTML that loads nothing and runs no script."""

from pathlib import Path

from fieldcraft.records.files import write_whole
from fieldcraft.records.proof import Proof
from fieldcraft.report.charts.marks import shapes
from fieldcraft.report.metrics import metric
from fieldcraft.report.page import Section
from fieldcraft.report.proof.costs import costs
from fieldcraft.report.proof.effects import effects
from fieldcraft.report.proof.head import head
from fieldcraft.report.proof.history import history
from fieldcraft.report.proof.last_look import last_look
from fieldcraft.report.proof.pairs import pairs
from fieldcraft.report.proof.rules import not_tested, rules
from fieldcraft.report.proof.screening import screening
from fieldcraft.report.proof.standing import standing
from fieldcraft.report.templating import environment, printable
from fieldcraft.report.wording import plural, seconds


def proof_page(proof: Proof, *, name: str = "Which tips paid") -> str:
    """The whole page as HTML; `name` is what was proved, such as the run's or the data's name."""
    views: tuple[tuple[str, str, object], ...] = (
        ("effects", "What each factor did", effects(proof)),
        ("standing", "Where this holds, and what is open", standing(proof)),
        ("costs", "Effect against cost", costs(proof)),
        ("pairs", "Pair by pair", pairs(proof)),
        ("last_look", "The last look at the test part", last_look(proof)),
        ("screening", "The screening: a ranking, no verdicts", screening(proof)),
        ("history", "What was run, and when", history(proof)),
        ("not_tested", "What was not tested", not_tested(proof)),
        ("rules", "How it was decided", rules(proof)),
    )
    page = (
        environment()
        .get_template("proof.html")
        .render(
            name=name,
            line=_line(proof),
            head=head(proof),
            shapes=shapes(),
            sections=tuple(Section(key, title, view, f"proof/{key}.html") for key, title, view in views),
        )
    )
    return printable(page)


def write_proof_page(proof: Proof, path: Path, *, name: str = "Which tips paid") -> Path:
    """Write the page to `path`.

    Raises: RunError when `path` cannot be written.
    """
    write_whole(path, proof_page(proof, name=name))
    return path


def _line(proof: Proof) -> str:
    label = metric(proof.setting.metric).label
    parts = (
        "fieldcraft proof",
        label,
        plural(len(proof.setting.factors), "factor"),
        plural(len(proof.outcomes), "trial"),
        seconds(proof.seconds),
    )
    return " \N{MIDDLE DOT} ".join(parts)
