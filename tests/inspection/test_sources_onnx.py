"""ONNX files: the same rows, costs and fields as the module that they were written from, and single operators."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import torchvision.models
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from torch import nn

from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources.onnx import open_onnx
from fieldcraft.inspection.sources.open import open_source
from fieldcraft.records.operations import Convolution, Linear, Recurrent, Unknown
from fieldcraft.verbs.inspect import inspect

FLOAT, INT = TensorProto.FLOAT, TensorProto.INT64


def model(
    nodes: Sequence[Any],
    inputs: dict[str, Sequence[int | str]],
    outputs: Sequence[str],
    weights: dict[str, np.ndarray] | None = None,
    opset: int = 17,
) -> Any:
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info(name, FLOAT, list(shape)) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, made: Any) -> Path:
    path = folder / "made.onnx"
    onnx.save(made, path)
    return path


def exported(folder: Path, module: nn.Module, shape: Sequence[int]) -> Path:
    path = folder / "net.onnx"
    with pytest.warns(DeprecationWarning):
        torch.onnx.export(module.eval(), (torch.randn(1, *shape),), path, dynamo=False, opset_version=17)
    return path


# ---------------------------------------------------------------- whole networks


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_a_network_costs_and_sees_what_its_module_does(tmp_path: Path, name: str) -> None:
    module = getattr(torchvision.models, name)().eval()
    file = exported(tmp_path, module, (3, 64, 64))
    of_file, of_module = inspect(str(file)).anatomy, inspect(module, (3, 64, 64)).anatomy
    assert of_file.macs == of_module.macs
    assert of_file.rows[-1].fields[0].axes == of_module.rows[-1].fields[0].axes
    assert not [row for row in of_file.rows if isinstance(row.operation, Unknown)]
    convolutions = [
        [(row.operation.kernel, row.operation.stride) for row in one.rows if isinstance(row.operation, Convolution)]
        for one in (of_file, of_module)
    ]
    assert convolutions[0] == convolutions[1]


@pytest.mark.filterwarnings("ignore")
def test_names_of_the_exporter_become_paths_and_nodes_are_places(tmp_path: Path) -> None:
    found = inspect(str(exported(tmp_path, torchvision.models.resnet18(), (3, 64, 64)))).anatomy
    row = next(row for row in found.rows if row.module == "layer1.0.conv1")
    assert isinstance(row.operation, Convolution)
    assert row.location is not None
    assert (row.location.line, row.location.text) == (0, "/layer1/layer1.0/conv1/Conv")
    assert row.location.file.endswith("net.onnx")
    assert found.has_weights


@pytest.mark.filterwarnings("ignore")
def test_recurrent_layers_are_one_row(tmp_path: Path) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(8, 16, bidirectional=True)
            self.last = nn.Linear(32, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.lstm(x.transpose(0, 1))[0])

    of_file = inspect(str(exported(tmp_path, Net(), (5, 8)))).anatomy
    of_module = inspect(Net(), (5, 8)).anatomy
    assert [row.operation for row in of_file.rows if isinstance(row.operation, Recurrent)] == [
        row.operation for row in of_module.rows if isinstance(row.operation, Recurrent)
    ]
    assert of_file.macs == of_module.macs
    assert of_file.parameter_count == of_module.parameter_count


# ---------------------------------------------------------------- single operators, against the reference of ONNX

X = np.random.default_rng(0).normal(size=(1, 4, 6, 6)).astype(np.float32)
W = np.random.default_rng(1).normal(size=(4, 2, 3, 3)).astype(np.float32)
C = np.random.default_rng(2).uniform(0.5, 1.5, size=(4,)).astype(np.float32)


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


CASES: list[tuple[str, int, dict[str, Any], dict[str, np.ndarray]]] = [
    ("Conv", 17, {"group": 2, "pads": [1, 0, 2, 1], "strides": [2, 1]}, {"w": W, "b": C}),
    ("Conv", 17, {"group": 2, "auto_pad": "SAME_LOWER", "strides": [2, 2]}, {"w": W}),
    ("Conv", 17, {"group": 2, "auto_pad": "SAME_UPPER", "dilations": [2, 2]}, {"w": W}),
    ("ConvTranspose", 17, {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}, {"w": W}),
    ("ConvTranspose", 17, {"strides": [2, 2], "pads": [0, 1, 1, 0]}, {"w": W}),
    ("MaxPool", 17, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, {}),
    ("MaxPool", 17, {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [0, 0, 1, 1]}, {}),
    ("MaxPool", 17, {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, {}),
    ("AveragePool", 17, {"kernel_shape": [2, 2], "strides": [2, 2]}, {}),
    ("AveragePool", 17, {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, {}),
    ("GlobalAveragePool", 17, {}, {}),
    ("GlobalMaxPool", 17, {}, {}),
    ("BatchNormalization", 17, {}, {"s": C, "b": C, "m": C, "v": C}),
    ("InstanceNormalization", 17, {}, {"s": C, "b": C}),
    ("LayerNormalization", 17, {"axis": -1}, {"s": np.ones(6, np.float32), "b": np.ones(6, np.float32)}),
    ("GroupNormalization", 21, {"num_groups": 2}, {"s": C, "b": C}),
    ("Relu", 17, {}, {}),
    ("LeakyRelu", 17, {"alpha": 0.2}, {}),
    ("PRelu", 17, {}, {"s": C.reshape(4, 1, 1)}),
    ("HardSigmoid", 17, {}, {}),
    ("HardSwish", 17, {}, {}),
    ("Gelu", 20, {}, {}),
    ("Erf", 17, {}, {}),
    ("Softplus", 17, {}, {}),
    ("Clip", 17, {}, {"low": np.float32(-0.5), "high": np.float32(0.5)}),
    ("Clip", 17, {}, {"low": np.float32(0), "high": np.float32(6)}),
    ("Softmax", 17, {"axis": 1}, {}),
    ("ReduceMean", 17, {"axes": [2, 3], "keepdims": 0}, {}),
    ("ReduceMean", 18, {}, {"axes": ints(2, 3)}),
    ("ReduceL2", 17, {"axes": [1]}, {}),
    ("ReduceMax", 17, {"axes": [-1]}, {}),
    ("Reshape", 17, {}, {"shape": ints(0, -1, 12)}),
    ("Flatten", 17, {"axis": 2}, {}),
    ("Transpose", 17, {"perm": [0, 2, 3, 1]}, {}),
    ("Unsqueeze", 17, {}, {"axes": ints(0, -1)}),
    ("Squeeze", 17, {}, {"axes": ints(0)}),
    ("Expand", 17, {}, {"shape": ints(2, 4, 6, 6)}),
    ("Tile", 17, {}, {"r": ints(1, 2, 1, 1)}),
    ("Slice", 17, {}, {"s": ints(1, 0), "e": ints(6, 9999), "a": ints(2, 3), "t": ints(2, 1)}),
    ("Slice", 17, {}, {"s": ints(-1), "e": ints(-9999), "a": ints(3), "t": ints(-1)}),
    ("Gather", 17, {"axis": 1}, {"i": ints(2, 0)}),
    ("Gather", 17, {"axis": 1}, {"i": np.array(-1)}),
    ("Pad", 17, {}, {"p": ints(0, 0, 1, 2, 0, 0, 0, 1), "v": np.float32(1)}),
    ("Pad", 17, {"mode": "reflect"}, {"p": ints(0, 0, 1, 2, 0, 0, 0, 1)}),
    ("Resize", 17, {"mode": "nearest"}, {"r": np.float32([]), "s": np.float32([1, 1, 2, 2])}),
    ("Resize", 17, {"mode": "linear"}, {"r": np.float32([]), "s": np.float32([1, 1, 2, 2])}),
    ("DepthToSpace", 17, {"blocksize": 2}, {}),
    ("DepthToSpace", 17, {"blocksize": 2, "mode": "CRD"}, {}),
    ("SpaceToDepth", 17, {"blocksize": 2}, {}),
    ("Cast", 17, {"to": INT}, {}),
    ("Mul", 17, {}, {"s": C.reshape(4, 1, 1)}),
    ("Div", 17, {}, {"s": C.reshape(4, 1, 1)}),
    ("Pow", 17, {}, {"e": np.float32(2)}),
    ("MatMul", 17, {}, {"w": np.ones((6, 3), np.float32)}),
    ("Trilu", 17, {"upper": 0}, {}),
    ("CumSum", 17, {}, {"axis": np.array(2)}),
    ("ArgMax", 17, {"axis": 1}, {}),
    ("Einsum", 17, {"equation": "nchw->nhc"}, {}),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_an_operator_computes_what_the_standard_says(
    tmp_path: Path, case: tuple[str, int, dict[str, Any], dict[str, np.ndarray]]
) -> None:
    op, opset, attributes, weights = case
    node = helper.make_node(op, ["x", *weights], ["y"], name="the_node", **attributes)
    made = model([node], {"x": X.shape}, ["y"], weights, opset)
    module = open_onnx(saved(tmp_path, made)).module
    with torch.no_grad():
        got = module(torch.from_numpy(X)).numpy()
    (wanted,) = ReferenceEvaluator(made).run(None, {"x": X})
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
    # And without numbers.
    found = inspect(str(tmp_path / "made.onnx")).anatomy
    assert found.shape(found.outputs[0]) == wanted.shape


def run_alone(folder: Path, op: str, opset: int, **attributes: Any) -> np.ndarray:
    made = model([helper.make_node(op, ["x"], ["y"], **attributes)], {"x": X.shape}, ["y"], opset=opset)
    with torch.no_grad():
        result: np.ndarray = open_onnx(saved(folder, made)).module(torch.from_numpy(X)).numpy()
    return result


def test_local_response_norm_is_the_formula(tmp_path: Path) -> None:
    """The reference evaluator sums over some channels only (onnx 1.23), so the formula stands here."""
    squares = np.stack([(X[:, max(0, c - 1) : c + 2] ** 2).sum(1) for c in range(4)], axis=1)
    wanted = X / (1.0 + 0.1 / 3 * squares) ** 0.75
    np.testing.assert_allclose(run_alone(tmp_path, "LRN", 17, size=3, alpha=0.1), wanted, rtol=1e-5)


def test_softmax_of_old_opsets_is_over_all_that_follows(tmp_path: Path) -> None:
    """Before opset 13 dimensions from `axis` on are one; the reference evaluator has the newer meaning only."""
    powers = np.exp(X)
    wanted = powers / powers.sum((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(run_alone(tmp_path, "Softmax", 11, axis=1), wanted, rtol=1e-5)


@pytest.mark.parametrize("opset", [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21])
def test_shapes_that_the_graph_computes_are_known(tmp_path: Path, opset: int) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], name="conv", pads=[1, 1, 1, 1], group=2),
        helper.make_node("Shape", ["a"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
        helper.make_node("Concat", ["n", "rest"], ["shape"], axis=0),
        helper.make_node("Reshape", ["a", "shape"], ["flat"], name="flat"),
        helper.make_node("Gemm", ["flat", "v"], ["y"], name="last", transB=1),
    ]
    weights = {"w": W, "zero": ints(0), "rest": ints(-1), "v": np.ones((5, 144), np.float32)}
    found = inspect(str(saved(tmp_path, model(nodes, {"x": X.shape}, ["y"], weights, opset)))).anatomy
    assert found.shape(found.outputs[0]) == (1, 5)
    last = next(row for row in found.rows if row.module == "last")
    assert last.operation == Linear(inputs=144, outputs=5, bias=False)
    assert found.macs == 4 * 2 * 9 * 36 + 144 * 5


# ---------------------------------------------------------------- what cannot be opened


def test_an_unknown_operator_is_named_with_its_node(tmp_path: Path) -> None:
    path = saved(tmp_path, model([helper.make_node("Det", ["x"], ["y"], name="the_node")], {"x": (3, 3)}, ["y"]))
    with pytest.raises(InspectError, match=r"1 operator without a rule: Det \(node the_node\)"):
        open_source(str(path))


def test_open_sizes_are_asked_for(tmp_path: Path) -> None:
    path = saved(tmp_path, model([helper.make_node("Relu", ["x"], ["y"])], {"x": ("n", 3, "h", "w")}, ["y"]))
    with pytest.raises(InspectError, match="does not say what it takes"):
        inspect(str(path))
    assert inspect(str(path), (3, 5, 7)).anatomy.shape(0) == (1, 3, 5, 7)


def test_a_free_batch_is_free_and_a_fixed_one_is_kept(tmp_path: Path) -> None:
    free = saved(tmp_path, model([helper.make_node("Relu", ["x"], ["y"])], {"x": ("n", 3, 4, 4)}, ["y"]))
    assert inspect(str(free), batch=5).anatomy.batch == 5
    fixed = saved(tmp_path, model([helper.make_node("Relu", ["x"], ["y"])], {"x": (2, 3, 4, 4)}, ["y"]))
    assert inspect(str(fixed)).anatomy.batch == 2
    with pytest.raises(InspectError, match="made for batches of 2"):
        inspect(str(fixed), batch=5)


def test_a_shape_that_depends_on_numbers_is_named(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Cast", ["x"], ["whole"], to=INT),
        helper.make_node("Reshape", ["x", "whole"], ["y"], name="the_node"),
    ]
    path = saved(tmp_path, model(nodes, {"x": (3,)}, ["y"]))
    with pytest.raises(InspectError, match=r"node the_node \(Reshape\): its input 1 sets a shape"):
        inspect(str(path))


def test_weights_in_other_files_are_not_read(tmp_path: Path) -> None:
    made = model([helper.make_node("Conv", ["x", "w"], ["y"], group=2)], {"x": X.shape}, ["y"], {"w": W})
    onnx.save(made, tmp_path / "far.onnx", save_as_external_data=True, location="far.bin", size_threshold=0)
    (tmp_path / "far.bin").unlink()
    found = inspect(str(tmp_path / "far.onnx")).anatomy
    assert not found.has_weights
    assert found.parameter_count == W.size


def test_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"\x00not a model")
    with pytest.raises(InspectError, match="is damaged or no ONNX file"):
        open_source(str(tmp_path / "bad.onnx"))
