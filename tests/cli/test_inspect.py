"""`fieldcraft inspect` and `explain`: what is printed, in which form, and with which exit code."""

import json
import subprocess
import sys
import textwrap
from io import StringIO
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from fieldcraft.cli import app as shell
from fieldcraft.records.versions import CURRENT

NETS = """
import torch
from torch import nn


class Biased(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(3, width, 3, padding=1)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        return self.norm(self.conv(x)).relu()


def bent():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Tanh(), nn.Conv2d(8, 8, 3), nn.Tanh())


class Clean(nn.Module):
    def forward(self, x):
        return x * 2


class Two(nn.Module):
    def forward(self, image, mask):
        return image * mask


class Text(nn.Module):
    def forward(self, x):
        return "a word"


class Trains(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)
        optimiser = torch.optim.SGD(self.parameters(), lr=0.1)
        self.linear(torch.ones(1, 2)).sum().backward()
        optimiser.step()
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "nets.py").write_text(textwrap.dedent(NETS))
    (tmp_path / "weights.pt").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> tuple[int, str, str]:
    found = CliRunner().invoke(shell.app, ["inspect", *arguments])
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.exit_code, found.stdout, found.stderr


def biased(*options: str) -> tuple[int, str, str]:
    return run("nets.py:Biased", "--input", "3,16,16", *options)


def test_a_line_a_layer_then_totals_and_findings() -> None:
    code, out, _ = biased()
    assert code == 0
    table, _, below = out.partition("\n\n")
    head, *lines = table.splitlines()
    assert head.split() == ["layer", "operation", "output", "field", "stride", "params", "MACs"]
    assert [line.split()[0] for line in lines] == ["conv", "norm", "(top)"]
    assert "conv 3x3, 3 to 8" in lines[0]
    assert "8x16x16" in lines[0]
    assert "nets.py:Biased on 1x3x16x16" in below
    assert "FC001 bias-before-norm (warning)" in below
    assert "nets.py:" in below.partition("FC001")[2]


def test_every_row_and_less_depth() -> None:
    _, every, _ = biased("--all-rows")
    _, few, _ = run("torch.nn:TransformerEncoderLayer", "--arg", "d_model=16", "--arg", "nhead=2", "--input", "5,16",
                    "--depth", "1")  # fmt: skip
    assert len(every.partition("\n\n")[0].splitlines()) >= 4
    assert "self_attn.out_proj" not in few


def test_json_has_a_version_and_everything() -> None:
    _, out, _ = biased("--format", "json")
    found = json.loads(out)
    assert found["schema"] == CURRENT["inspection"]
    assert found["totals"]["parameters"] == 3 * 8 * 9 + 8 + 16
    assert found["totals"]["macs"] == 3 * 8 * 9 * 256
    assert found["rows"][0]["operation"]["kind"] == "convolution"
    assert any(one["code"] == "FC001" for one in found["findings"])


def test_sarif_has_rules_levels_and_relative_places(here: Path) -> None:
    _, out, _ = biased("--format", "sarif")
    found = json.loads(out)
    assert found["version"] == "2.1.0"
    (log,) = found["runs"]
    rules = log["tool"]["driver"]["rules"]
    result = next(one for one in log["results"] if one["ruleId"] == "FC001")
    assert rules[result["ruleIndex"]]["id"] == "FC001"
    assert result["level"] == "warning"
    physical = result["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "nets.py"
    line = (here / "nets.py").read_text().splitlines()[physical["region"]["startLine"] - 1]
    assert "self.conv" in line


def test_a_page_is_written(here: Path) -> None:
    code, _, err = biased("--html", "page.html")
    assert code == 0
    assert "The page: page.html" in err
    assert (here / "page.html").read_text().lstrip().lower().startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), 0),
        (("--fail-on", "warning"), 3),
        (("--fail-on", "error"), 0),
        (("--fail-on", "info"), 3),
        (("--fail-on", "never"), 0),
        (("--fail-on", "warning", "--ignore", "FC001"), 0),
        (("--fail-on", "warning", "--select", "bias-before-norm"), 3),
    ],
)
def test_the_exit_code_is_for_machines(options: tuple[str, ...], code: int) -> None:
    assert biased(*options)[0] == code


def test_a_clean_module_has_no_findings() -> None:
    code, out, _ = run("nets.py:Clean", "--input", "3,4,4", "--fail-on", "info")
    assert code == 0
    assert "No findings" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("nets.py:Biased", "--input", "1,16,16"),
            "conv (Conv2d, 3 channels in) failed on a tensor of shape (1, 1, 16, 16)",
        ),
        (("nets.py:Two", "--input", "3,4,4"), "forward wants more than was given"),
        (("nets.py:Text", "--input", "3,4,4"), "must return tensors"),
        (("no_such_package:Net", "--input", "3,4,4"), "there is no module `no_such_package`"),
        (("nets.py:Trains", "--input", "2"), "trains while it is built"),
        (("weights.pt", "--input", "3,4,4"), "is a pickle"),
        (("nets.py:Biased", "--input", "3,16,16", "--select", "FC999"), "FC999"),
        (("nets.py:Biased", "--input", "3,16,16", "--arg", "widht=3"), "did you mean width?"),
        (("nets.py:Biased", "--input", "3,16,16", "--arg", "width"), "key=value"),
        (("nets.py:Biased", "--input", "3;16"), "an input must look like"),
        (("nets.py:Biased", "--input", "3,16,16", "--objects", "big"), "--objects must be pixels"),
        (("nets.py:Biased", "--input", "3,16,16", "--image", "cat.png"), "give --html FILE, too"),
        (("nets.py:Biased", "--input", "3,16,16", "--out", "x.pt2"), "belong to a rewrite: give --fix"),
        (
            ("nets.py:Biased", "--input", "3,16,16", "--rewrite", "FC001", "--out", "x.pth"),
            "--out must end in .py or .pt2",
        ),
        (("nets.py:Biased", "--input", "3,16,16", "--rewrite", "drop-bais"), "did you mean drop-bias"),
        (("nets.py:Biased",), "does not say what it takes"),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    code, out, err = run(*arguments)
    assert code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert said in err
    assert "Traceback" not in err


@pytest.mark.parametrize("columns", [80, 120])
def test_a_terminal_gets_a_table_that_fits(columns: int) -> None:
    from rich.console import Console

    from fieldcraft.verbs.inspect import inspect

    console = Console(width=columns, force_terminal=True, color_system=None, file=StringIO())
    console.print(inspect("torchvision.models:resnet18", (3, 224, 224)))
    assert isinstance(console.file, StringIO)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    assert any("layer4.1.conv2" in line and "512x7x7" in line and "2.36M" in line for line in lines)


def test_a_command_imports_little() -> None:
    code = (
        "import sys\nfrom fieldcraft.cli.app import app\n"
        "try: app(['inspect', 'torch.nn:Linear', '--arg', 'in_features=2', '--arg', 'out_features=3', "
        "'--input', '2'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('pandas', 'sklearn', 'scipy', 'lightning_fabric', 'matplotlib', 'pyarrow', 'onnx') "
        "if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


# ---------------------------------------------------------------- rewrites


@pytest.mark.parametrize("name", [("--rewrite", "FC001"), ("--rewrite", "drop-bias"), ("--fix",)])
def test_a_fix_is_told_with_its_cost(name: tuple[str, ...]) -> None:
    code, out, _ = biased(*name)
    assert code == 0
    assert "keeps the function" in out
    assert "parameters 240 to 2" in out


def test_a_rewrite_that_holds_in_evaluation_only_says_so() -> None:
    _, out, _ = biased("--rewrite", "fold-norm")
    assert "keeps the function in evaluation, not in training" in out
    _, out, _ = biased("--rewrite", "drop-bias")
    assert "in evaluation" not in out


def test_settings_of_rewrites_reach_them() -> None:
    swap = ("--rewrite", "swap-activation", "--unsafe", "--activation", "gelu")
    code, out, _ = run("nets.py:bent", "--input", "3,16,16", *swap)
    assert code == 0
    assert "gelu" in out
    assert "changes the function" in out


def test_the_effective_field_is_told() -> None:
    code, out, _ = biased("--effective", "")
    assert code == 0
    assert "Effective field of the output: a Gaussian of deviation" in out


def test_a_fix_is_written_and_can_be_inspected(here: Path) -> None:
    code, _, err = biased("--rewrite", "drop-bias", "--out", "net.pt2")
    assert code == 0
    assert "Written: net.pt2" in err
    code, out, _ = run("net.pt2", "--select", "FC001")
    assert code == 0
    assert "No findings" in out


@pytest.mark.parametrize("wish", [("--fix",), ("--fix", "--trust"), ("--rewrite", "FC001"), ("--rewrite", "fold-norm")])
def test_a_program_has_no_layers_to_rewrite_and_says_what_to_do(wish: tuple[str, ...], here: Path) -> None:
    from fieldcraft.verbs.inspect import inspect

    biased = inspect("nets.py:Biased", (3, 16, 16), weights=True).module.eval()
    torch.export.save(torch.export.export(biased, (torch.randn(1, 3, 16, 16),)), here / "net.pt2")
    code, out, err = run("net.pt2", *wish)
    assert code == 2
    assert out == ""
    assert "holds only operations" in err
    assert "--fix --out new.pt2" in err


def test_real_passes_are_measured() -> None:
    _, out, _ = run("nets.py:Biased", "--input", "3,4,4", "--measure")
    assert " ms a pass (quartiles " in out
    assert "weights were made up" in out


def test_a_figure_is_drawn() -> None:
    from fieldcraft.verbs.inspect import inspect

    assert inspect("nets.py:Biased", (3, 16, 16)).figure().axes


# ---------------------------------------------------------------- explain


def test_explain_prints_the_page() -> None:
    found = CliRunner().invoke(shell.app, ["explain", "FC001"])
    assert found.exit_code == 0
    assert found.stdout.startswith("FC001 bias-before-norm")
    assert "Source:" in found.stdout


def test_explain_lists_all_and_names_near_ones() -> None:
    assert "FC001" in CliRunner().invoke(shell.app, ["explain"]).stdout
    found = CliRunner().invoke(shell.app, ["explain", "bias-befor-norm"])
    assert found.exit_code == 2
    assert "FC001 bias-before-norm" in found.stderr
