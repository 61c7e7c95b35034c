"""`fieldcraft report RUN`: write the page again."""

from fieldcraft.cli.console import tell
from fieldcraft.cli.options import RunPath


def report(run: RunPath) -> None:
    """Write RUN's report.html again, from what is in the folder."""
    from fieldcraft.errors import RunError
    from fieldcraft.report.run_report import write_report
    from fieldcraft.train.run_folder import RunFolder

    folder = RunFolder(run)
    if not folder.provenance.exists():
        raise RunError(f"{run} is no run folder: give the folder that `fieldcraft fit` wrote.")
    write_report(folder)
    tell(f"The report: {folder.report}")
