"""`fieldcraft report RUN`: write the page again."""

from fieldcraft.cli.console import tell
from fieldcraft.cli.options import RunPath


def report(run: RunPath) -> None:
    """Write RUN's report.html again, from what is in the folder."""
    from fieldcraft.verbs.report import report as write

    tell(f"The report: {write(run)}")
