"""Tables, frames, words: nothing is lost on the way, and every operation has words."""

import json
import math
import typing
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torchvision import models

from fieldcraft.inspection import sarif
from fieldcraft.inspection.document import to_document
from fieldcraft.inspection.lines import lines
from fieldcraft.inspection.places import short_path, shown_path
from fieldcraft.inspection.table import plain
from fieldcraft.inspection.words import amount, field_in_words, in_words, memory, stride_in_words
from fieldcraft.records import operations as ops
from fieldcraft.records.anatomy import AxisField, InputField, Location
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.verbs.inspect import inspect
from fieldcraft.verbs.inspected import Inspected

NETS = ("resnet18", "mobilenet_v3_small", "squeezenet1_1", "shufflenet_v2_x0_5")


@pytest.fixture(scope="module", params=NETS)
def found(request: pytest.FixtureRequest) -> Inspected:
    return inspect(getattr(models, request.param)(), (3, 96, 96))


@pytest.mark.parametrize("depth", [None, 1, 2])
def test_lines_lose_neither_parameters_nor_multiply_adds(found: Inspected, depth: int | None) -> None:
    made = lines(found.anatomy, depth=depth)
    assert sum(line.parameters for line in made) == found.anatomy.parameter_count
    assert sum(line.macs or 0 for line in made) == found.anatomy.macs
    assert math.prod(made[-1].shape) == 1000


def test_every_row_is_a_line_when_that_is_asked_for(found: Inspected) -> None:
    assert len(lines(found.anatomy, every_row=True)) == len(found.anatomy.rows)


def test_a_frame_has_a_line_for_each_row(found: Inspected) -> None:
    frame = found.to_frame()
    assert len(frame) == len(found.anatomy.rows)
    assert frame["macs"].sum() == found.anatomy.macs
    assert frame["parameters"].sum() == found.anatomy.parameter_count


def test_json_is_plain_and_whole(found: Inspected) -> None:
    document = json.loads(found.to_json())
    assert document == json.loads(json.dumps(to_document(found)))
    assert len(document["rows"]) == len(found.anatomy.rows)
    assert document["totals"]["macs"] == found.anatomy.macs


def test_text_and_notebook_and_repr(found: Inspected) -> None:
    assert str(found) == plain(found)
    assert found.anatomy.name in repr(found)
    assert found._repr_html_().startswith("<pre>")


def test_a_name_cannot_break_the_notebook() -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + 1

    Odd.__name__ = "<script>"
    assert "<script>" not in inspect(Odd(), (2,))._repr_html_()


# ---------------------------------------------------------------- words

EXAMPLES: tuple[ops.Operation, ...] = (
    ops.Convolution(
        kernel=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=1, inputs=3, outputs=8, bias=True
    ),
    ops.Pool(kind="max", kernel=(3, 3), stride=(2, 2), padding=(0, 0), dilation=(1, 1)),
    ops.AdaptivePool(kind="average", size=(1, 1)),
    ops.Resize(mode="linear", align_corners=False, before=(4, 4), after=(8, 8)),
    ops.Normalisation(kind="group", channels=8, groups=2),
    ops.Activation(name="relu"),
    ops.Softmax(dim=1),
    ops.Linear(inputs=3, outputs=4, bias=True),
    ops.MatMul(batch=1, rows=2, inner=3, columns=4),
    ops.Attention(heads=2, queries=5, keys=5, width=8),
    ops.Recurrent(kind="lstm", inputs=3, hidden=4, layers=2, bidirectional=True, steps=7),
    ops.Arithmetic(name="add"),
    ops.Pointwise(name="exp"),
    ops.Concatenate(dim=1, parts=2),
    ops.Pad(before=(1,), after=(2,), mode="constant"),
    ops.Reduce(name="mean", dims=(2, 3)),
    ops.Rearrange(name="_unsafe_view"),
    ops.Lookup(name="embedding", table=100),
    ops.Regulariser(kind="dropout", probability=0.5),
    ops.Create(name="arange"),
    ops.Unknown(name="aten.odd.default"),
)


def test_every_operation_has_words() -> None:
    assert {type(one) for one in EXAMPLES} == set(typing.get_args(ops.Operation))
    words = [in_words(one) for one in EXAMPLES]
    assert len(set(words)) == len(words)
    assert words[0] == "conv 3x3 /2, dilation 2, 3 to 8"
    assert words[1] == "max pool 3x3 /2"
    assert words[-1] == "aten.odd.default (unknown)"


@given(st.integers(1, 10**14))
def test_amounts_are_short_and_near(number: int) -> None:
    text = amount(number)
    assert len(text) <= 5
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}.get(text[-1])
    value = float(text[:-1]) * scale if scale else float(text)
    assert math.isclose(value, number, rel_tol=0.006)


@given(st.integers(0, 2**50))
def test_bytes_are_near(number: int) -> None:
    value, unit = memory(number).split()
    assert math.isclose(
        float(value) * 1024 ** ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit), number, rel_tol=0.006, abs_tol=0.5
    )


def axis(size: int, full: int, **more: object) -> AxisField:
    base = AxisField(size=size, full=full, least=1, stride=Fraction(2), start=Fraction(0), everywhere=False)
    return replace(base, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("axes", "said", "stride"),
    [
        ((axis(35, 35), axis(35, 35)), "35", "2"),
        ((axis(7, 7), axis(5, 5)), "7x5", "2"),
        ((axis(35, 224),), "35/224", "2"),
        ((axis(91, 91, exact=False),), "~91", "2"),
        ((axis(224, 224, everywhere=True, stride=None),), "all", "-"),
        ((axis(9, 9, stride=Fraction(1, 2)),), "9", "1/2"),
    ],
)
def test_fields_in_words(axes: tuple[AxisField, ...], said: str, stride: str) -> None:
    row = replace(inspect(nn.ReLU(), (3, 4, 4)).anatomy.rows[0], fields=(InputField(input="x", axes=axes),))
    assert (field_in_words(row), stride_in_words(row)) == (said, stride)


# ---------------------------------------------------------------- places


def test_sarif_of_a_finding_without_a_place_and_of_one_in_a_file_of_nodes() -> None:
    bare = inspect(nn.ReLU(), (3, 4, 4))
    whole = Finding(code="ZZ001", name="made-up", severity=Severity.ERROR, subject="all", remedy="Leave it.")
    node = replace(whole, layers=("conv1",), location=Location(file="/tmp/net.onnx", line=0, text="/conv1/Conv"))
    (run,) = sarif.to_document(replace(bare, findings=(whole, node)))["runs"]
    first, second = run["results"]
    assert "locations" not in first
    assert first["level"] == "error"
    assert second["locations"][0]["physicalLocation"] == {"artifactLocation": {"uri": "file:///tmp/net.onnx"}}
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["ZZ001"]


def test_paths_for_people_and_for_tools(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(tmp_path))
    assert shown_path(f"{tmp_path}/nets/a.py") == "nets/a.py"
    assert shown_path("/elsewhere/a.py") == "/elsewhere/a.py"
    assert short_path("/x/lib/python3.11/site-packages/torchvision/models/resnet.py") == "torchvision/models/resnet.py"
