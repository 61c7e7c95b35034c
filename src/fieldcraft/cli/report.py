"""`fieldcraft report RUN`: write the page again."""

from fieldcraft.cli.console import tell
from fieldcraft.cli.options import RunPath


def report(run: RunPath) -> None:
    """Write RUN's report.html again, from what is in the folder."""
    from fieldcraft.report.run_report import write_report
    from fieldcraft.verbs.run import existing

    folder = existing(run).folder
    write_report(folder)
    tell(f"The report: {folder.report}")
