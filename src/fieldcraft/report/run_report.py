"""The report of a run: one page, made from the files of its folder."""

from dataclasses import dataclass
from pathlib import Path

from fieldcraft.records.files import write_whole
from fieldcraft.report.page import Section
from fieldcraft.report.reading import Run, read_run
from fieldcraft.report.sections.audit import audit
from fieldcraft.report.sections.calibration import calibration
from fieldcraft.report.sections.candidates import candidates
from fieldcraft.report.sections.certainty import certainty
from fieldcraft.report.sections.confusion import confusion
from fieldcraft.report.sections.cost import cost
from fieldcraft.report.sections.curves import curves
from fieldcraft.report.sections.data import data
from fieldcraft.report.sections.deep import deep
from fieldcraft.report.sections.importance import importance
from fieldcraft.report.sections.label_issues import label_issues
from fieldcraft.report.sections.masks import masks
from fieldcraft.report.sections.mistakes import mistakes
from fieldcraft.report.sections.notes import notes
from fieldcraft.report.sections.plan import plan
from fieldcraft.report.sections.proven import proven
from fieldcraft.report.sections.provenance import provenance
from fieldcraft.report.sections.receptive_field import receptive_field
from fieldcraft.report.sections.verdict import verdict
from fieldcraft.report.templating import environment, printable
from fieldcraft.report.wording import whole
from fieldcraft.train.run_folder import RunFolder


@dataclass(frozen=True)
class Heading:
    """What stands above everything."""

    name: str
    line: str


def write_report(folder: RunFolder) -> Path:
    """Read the run folder and write its `report.html`; what is missing is said on the page.

    Raises: RunError when the page cannot be written.
    """
    write_whole(folder.report, render(read_run(folder)))
    return folder.report


def render(run: Run) -> str:
    """The whole page as HTML."""
    page = (
        environment()
        .get_template("page.html")
        .render(heading=_heading(run), verdict=verdict(run), sections=_sections(run), complete=run.results is not None)
    )
    return printable(page)


def _sections(run: Run) -> tuple[Section, ...]:
    """All parts after the verdict, in their order; those that do not apply are left out."""
    task = run.facts.data.target.task if run.facts else None
    masked = task == "segmentation"
    certain = "Prediction intervals" if task == "regression" else "When it is unsure"
    views: tuple[tuple[str, str, object], ...] = (
        ("candidates", "Baselines against networks", candidates(run)),
        ("data", "The data", data(run)),
        ("deep", "What the data bears", _deep(run)),
        ("audit", "What is wrong with the data", audit(run)),
        ("label_issues", "Labels that are probably wrong", label_issues(run)),
        ("plan", "The plan and its reasons", plan(run)),
        ("proven", "What tips did, by proof", proven(run)),
        ("receptive_field", "How far the network sees", receptive_field(run)),
        ("curves", "How training went", curves(run)),
        ("masks", "Masks, case by case", masks(run)),
        (
            "confusion",
            "What is taken for what" if task != "multi-label" else "Label by label",
            None if masked else confusion(run),
        ),
        ("calibration", "Can its confidence be believed?", None if masked else calibration(run)),
        ("certainty", certain, None if masked else certainty(run)),
        ("importance", "What mattered", None if masked else importance(run)),
        ("mistakes", "Worst mistakes", None if masked else mistakes(run)),
        ("cost", "Time and memory", cost(run)),
        ("notes", "Findings and notes", notes(run)),
        ("provenance", "Where this comes from", provenance(run)),
    )
    return tuple(Section(key, title, view, f"sections/{key}.html") for key, title, view in views if view is not None)


def _deep(run: Run) -> object:
    return deep(run.facts.data.deep, run.facts.data.target.task) if run.facts else None


def _heading(run: Run) -> Heading:
    if run.facts is None:
        return Heading(run.name, "fieldcraft run report")
    facts = run.facts.data
    task = {
        "single-label": f"classification into {whole(facts.target.outputs)} classes",
        "multi-label": f"{whole(facts.target.outputs)} labels a sample",
        "regression": "regression",
        "segmentation": f"segmentation into {whole(facts.target.outputs)} classes",
    }[facts.target.task]
    return Heading(
        facts.name, f"fieldcraft run report · {task} · {whole(facts.samples)} samples · run folder {run.name}"
    )
