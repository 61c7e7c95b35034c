"""Help, exit codes and how errors are printed."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fieldcraft.cli import app as shell
from fieldcraft.errors import DataError, Stopped

COMMANDS = ("data", "plan", "fit", "predict", "score", "tips", "inspect", "explain", "report")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fieldcraft", *arguments],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "100", **environment},
    )  # fmt: skip


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make `fieldcraft data` fail."""
    import fieldcraft.data.open

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(fieldcraft.data.open, "open_data", fail)


def test_help_lists_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(command: str) -> None:
    found = CliRunner().invoke(shell.app, [command, "--help"])
    assert found.exit_code == 0
    assert "Usage" in found.output


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom fieldcraft.cli.app import app\n"
        "try: app(['plan', '--help'])\nexcept SystemExit: pass\n"
        "print([m for m in ('torch', 'numpy', 'pandas', 'sklearn') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "arguments", [("fitt", "digits"), ("fit",), ("fit", "digits", "--seed", "-1"), ("plan", "--no")]
)
def test_a_wrong_command_line_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_an_error_for_people_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, DataError("column [red]no[/red] is missing: choose :smile: another, " + "or look " * 30))
    found = CliRunner().invoke(shell.app, ["data", "digits"])
    assert found.exit_code == 2
    assert found.stdout == ""
    assert found.stderr.startswith("error: column [red]no[/red] is missing: choose :smile: another")
    assert found.stderr.count("\n") == 1, "one line, so that it can be searched for and copied"
    assert "Traceback" not in found.stderr


def test_being_stopped_exits_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, Stopped("everything is saved"))
    found = CliRunner().invoke(shell.app, ["data", "digits"])
    assert (found.exit_code, found.stderr) == (130, "everything is saved\n")
    failing(monkeypatch, KeyboardInterrupt())
    found = CliRunner().invoke(shell.app, ["data", "digits"])
    assert (found.exit_code, found.stderr) == (130, "Stopped by Ctrl-C.\n")


def test_our_own_mistakes_keep_their_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("ours"))
    monkeypatch.setattr(sys, "argv", ["fieldcraft", "data", "digits"])
    with pytest.raises(SystemExit) as stop:
        shell.main()
    told = capsys.readouterr().err
    assert stop.value.code == 1
    assert "Traceback" in told
    assert "ZeroDivisionError: ours" in told
    assert told.rstrip().endswith(shell.PLEASE_REPORT)


def test_the_version_is_printed() -> None:
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("fieldcraft ")
