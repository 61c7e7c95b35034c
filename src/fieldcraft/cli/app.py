"""The command `fieldcraft`: the one place that prints an error and exits.

Exit codes: 0 done; 2 something that the user can put right, said in one message; 3 findings that `inspect --fail-on`
asks for, or samples that `audit` says would spoil the result; 130 stopped by Ctrl-C or SIGTERM; 1 with a traceback: a
mistake of ours.
"""

import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fieldcraft.cli import (
    audit,
    data,
    doctor,
    evidence,
    explain,
    fingerprint,
    fit,
    inspect,
    labels,
    plan,
    predict,
    prove,
    report,
    score,
    tips,
)
from fieldcraft.cli.console import complain, say, tell
from fieldcraft.cli.restart import ensure_tuned_start
from fieldcraft.errors import FieldcraftError, Stopped

PLEASE_REPORT = (
    "This is a mistake in fieldcraft, not yours. Please report it with the lines above and the output of "
    "`fieldcraft --version`."
)


class Commands(TyperGroup):
    """The commands, with errors that users can put right turned into a message and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            say("Stopped by Ctrl-C.")
            raise typer.Exit(130) from None
        except Stopped as stopped:
            say(str(stopped))
            raise typer.Exit(130) from None
        except FieldcraftError as error:
            complain(str(error))
            raise typer.Exit(2) from None


app = typer.Typer(
    name="fieldcraft",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help, a tenth of a second sooner
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("fieldcraft")
        except PackageNotFoundError:
            found = "(not installed)"
        tell(f"fieldcraft {found}, Python {sys.version.split()[0]}")
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Deep-learning know-how that runs: look at the data, plan with reasons, train, say honestly what came out."""


app.command()(data.data)
app.command()(fingerprint.fingerprint)
app.command()(audit.audit)
app.command()(plan.plan)
app.command()(fit.fit)
app.command()(prove.prove)
app.command()(predict.predict)
app.command()(score.score)
app.command()(tips.tips)
app.command()(inspect.inspect)
app.command()(explain.explain)
app.command()(labels.labels)
app.command()(report.report)
app.command()(doctor.doctor)
app.add_typer(evidence.evidence, name="evidence")


def main() -> None:
    """Run the command line."""
    ensure_tuned_start(sys.argv[1:])
    try:
        app(prog_name="fieldcraft")
    except Exception:
        traceback.print_exc()
        say(PLEASE_REPORT)
        sys.exit(1)
