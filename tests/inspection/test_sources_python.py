"""Sources of Python code: what is built, where, and one clear message for everything that can go wrong."""

import re
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from torch import nn

from fieldcraft.errors import FieldcraftError, InspectError
from fieldcraft.inspection.sources.open import open_source
from fieldcraft.inspection.sources.python import parse_arguments
from fieldcraft.verbs.inspect import inspect


@pytest.fixture
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with modules of every kind, in the current folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "some_nets.py"
    file.write_text(
        textwrap.dedent("""
        import torch
        from torch import nn

        class Plain(nn.Module):
            def __init__(self, width=8, kernel=3):
                super().__init__()
                self.conv = nn.Conv2d(3, width, kernel)
            def forward(self, x):
                return self.conv(x)

        class Needs(nn.Module):
            def __init__(self, width):
                super().__init__()
                self.width = width

        class Values(nn.Module):
            def __init__(self):
                super().__init__()
                rates = [x.item() for x in torch.linspace(0, 0.5, 3)]
                self.layers = nn.Sequential(*[nn.Dropout(rate) for rate in rates])
            def forward(self, x):
                return self.layers(x)

        class Trains(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(2, 1)
                optimiser = torch.optim.SGD(self.parameters(), lr=0.1)
                for _ in range(3):
                    optimiser.zero_grad()
                    self.linear(torch.ones(1, 2)).sum().backward()
                    try:
                        optimiser.step()
                    except Exception:
                        pass

        class Raises(nn.Module):
            def __init__(self):
                super().__init__()
                raise ValueError("no such thing")

        class Huge(nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = nn.Linear(100_000, 100_000)
            def forward(self, x):
                return self.linear(x)

        class Two(nn.Module):
            def forward(self, image, mask):
                return image * mask

        class Text(nn.Module):
            def forward(self, x):
                return "a word"

        def a_number():
            return 3

        def loose(**settings):
            return Plain(**settings)

        READY = nn.Sequential(nn.Linear(4, 2))
        WORD = "not callable"
        """)
    )
    return file


def refused(text: str, *arguments: str) -> str:
    with pytest.raises(FieldcraftError) as caught:
        open_source(text, arguments=arguments)
    assert "\n" not in str(caught.value), "one message"
    return str(caught.value)


def test_a_class_of_a_file_is_built_with_its_arguments_and_without_memory(nets: Path) -> None:
    source = open_source("some_nets.py:Plain", arguments=("width=16", "kernel=(1, 5)"))
    conv = source.module.get_submodule("conv")
    assert isinstance(conv, nn.Conv2d)
    assert (conv.out_channels, conv.kernel_size) == (16, (1, 5))
    assert conv.weight.is_meta


def test_a_module_of_the_current_folder_and_of_an_installed_package(nets: Path) -> None:
    assert isinstance(open_source("torch.nn:Linear", arguments=("in_features=2", "out_features=3")).module, nn.Linear)
    assert type(open_source("some_nets:Plain").module).__name__ == "Plain"
    assert isinstance(open_source("some_nets.py:READY").module, nn.Sequential)
    assert type(open_source("some_nets.py:loose", arguments=("width=2",)).module).__name__ == "Plain"


def test_forty_gigabytes_of_parameters_are_no_problem(nets: Path) -> None:
    found = inspect("some_nets.py:Huge", (100_000,))
    assert found.anatomy.parameter_count == 100_000**2 + 100_000
    assert found.anatomy.macs == 100_000**2


def test_a_constructor_that_reads_a_few_numbers_gets_them(nets: Path) -> None:
    source = open_source("some_nets.py:Values")
    assert [layer.p for layer in source.module.get_submodule("layers")] == [0.0, 0.25, 0.5]  # type: ignore[union-attr]
    assert source.notes == ()


def test_a_constructor_that_reads_many_numbers_is_built_on_the_cpu_and_says_so(nets: Path) -> None:
    text = (
        "import torch\nfrom torch import nn\n\ndef make():\n    return nn.Linear(2, int(torch.ones(200, 200).sum()))\n"
    )
    (nets.parent / "many.py").write_text(text)
    source = open_source("many.py:make")
    assert source.module.out_features == 40_000
    assert "Built on the CPU" in source.notes[0]


def test_weights_are_numbers_when_they_are_asked_for(nets: Path) -> None:
    assert inspect("some_nets.py:Plain", (3, 8, 8), weights=True).anatomy.has_weights
    assert not inspect("some_nets.py:Plain", (3, 8, 8)).anatomy.has_weights


def test_the_draw_of_the_user_is_left_alone(nets: Path) -> None:
    torch.manual_seed(3)
    wanted = torch.rand(3)
    torch.manual_seed(3)
    open_source("some_nets.py:Plain", weights=True)
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize(
    ("text", "arguments", "said"),
    [
        ("some_nets.py:Plain", ("widht=3",), r"no argument `widht`; did you mean width\?"),
        ("some_nets.py:loose", ("widht=3",), r"failed with TypeError|no argument `widht`"),
        ("some_nets.py:Plain", ("width",), r"--arg must look like key=value"),
        ("some_nets.py:READY", ("width=3",), r"a module already"),
        ("some_nets.py:Needs", (), r"wants width: give --arg width="),
        ("some_nets.py:Plian", (), r"no `Plian` in it; nearest: Plain"),
        ("some_nets.py:WORD", (), r"must name a class, a function or a module, but it is a str"),
        ("some_nets.py:a_number", (), r"must give a torch.nn.Module, but it gave a int"),
        ("some_nets.py:Raises", (), r"Raises\(\) failed with ValueError: no such thing \(.*some_nets.py:\d+\)"),
        ("some_nets.py:Trains", (), r"Trains trains while it is built \(a step of SGD was stopped\)"),
        ("some_netz.py:Plain", (), r"no file some_netz.py; did you mean some_nets.py\?"),
        ("some_nets.py", (), r"say what of some_nets.py to inspect"),
        ("nowhere_at_all:Plain", (), r"there is no module `nowhere_at_all`"),
        ("torch.nn:Linaer", (), r"torch.nn has no `Linaer`; nearest: .*Linear"),
        ("pytorch/vision:v0.10.0:resnet18", (), r"nothing is fetched from a hub"),
        ("pytorch/vision:resnet18", (), r"nothing is fetched from a hub"),
        ("resnet50", (), r"a source must be package.module:callable"),
        ("weights.pt", (), r"weights.pt is a pickle, and opening one runs whatever code it holds"),
        ("weights.pth", (), r"is a pickle"),
        ("weights.safetensors", (), r"weights without their network"),
        ("missing.onnx", (), r"there is no file missing.onnx"),
        ("missing.pt2", (), r"there is no file missing.pt2"),
        ("missing.toml", (), r"there is no file missing.toml"),
        (".", (), r"no run folder of fieldcraft"),
    ],
)
def test_what_is_wrong_is_said_in_one_message(nets: Path, text: str, arguments: tuple[str, ...], said: str) -> None:
    assert re.search(said, refused(text, *arguments))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import a_package_that_is_not_there", "ModuleNotFoundError: No module named 'a_package_that_is_not_there'"),
        ("import sys; sys.exit(3)", "ended the program (exit 3)"),
        ("def f(:", "SyntaxError"),
        (
            "import torch\nw = torch.nn.Parameter(torch.ones(1))\no = torch.optim.Adam([w])\n"
            "w.sum().backward()\no.step()",
            "trains while it is built (a step of Adam was stopped)",
        ),
    ],
)
def test_a_file_that_cannot_be_imported(tmp_path: Path, body: str, said: str) -> None:
    (tmp_path / "broken_net.py").write_text(body)
    assert said in refused(f"{tmp_path}/broken_net.py:Net")
    sys.modules.pop("broken_net", None)


def test_values_are_python_literals_or_text() -> None:
    found = parse_arguments(("a=3", "b=[1, 2]", "c=None", "d=gelu", "e=True", "f=1e-3", "g='x'"))
    assert found == {"a": 3, "b": [1, 2], "c": None, "d": "gelu", "e": True, "f": 1e-3, "g": "x"}


# ---------------------------------------------------------------- inputs that do not fit


@pytest.mark.parametrize(
    ("text", "inputs", "said"),
    [
        ("some_nets.py:Plain", (1, 8, 8), r"conv \(Conv2d, 3 channels in\) failed on a tensor of shape \(1, 1, 8, 8\)"),
        ("some_nets.py:Two", (3, 8, 8), r"forward wants more than was given .*mask"),
        ("some_nets.py:Text", (3, 8, 8), r"must return tensors .* but returned str"),
        ("some_nets.py:Plain", (), r"does not say what it takes: give the shape of one sample"),
    ],
)
def test_inputs_that_do_not_fit(nets: Path, text: str, inputs: tuple[int, ...], said: str) -> None:
    with pytest.raises(InspectError, match=said):
        inspect(text, inputs)


def test_two_inputs_that_fit(nets: Path) -> None:
    found = inspect("some_nets.py:Two", [(3, 8, 8), (1, 8, 8)])
    assert len(found.anatomy.inputs) == 2


def test_a_constructor_that_reads_numbers_still_gets_no_large_weights() -> None:
    from fieldcraft.inspection.sources.building import without_numbers

    def make() -> nn.Module:
        rates = [float(one) for one in torch.linspace(0, 0.5, 3)]
        return nn.Sequential(nn.Linear(4096, 4096), nn.Dropout(rates[1]), nn.Linear(4096, 2, bias=False))

    made, why = without_numbers(make)
    assert isinstance(made, nn.Sequential) and why == ""
    assert made[0].weight.is_meta and not made[0].bias.is_meta
    assert made[1].p == 0.25
    made, why = without_numbers(lambda: nn.Linear(4096, int(torch.ones(4096, 4096).sum()) % 7 + 1))
    assert made is None and "meta" in why
