"""What the tracer sees of modules of all kinds, and that it leaves them as they were."""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input, as_inputs, parse_input
from fieldcraft.anatomy.look import look
from fieldcraft.errors import InspectError
from fieldcraft.records.anatomy import Anatomy, AxisField, Row
from fieldcraft.records.operations import (
    Activation,
    Arithmetic,
    Attention,
    Concatenate,
    Convolution,
    Linear,
    MatMul,
    Normalisation,
    Operation,
    Recurrent,
    Regulariser,
    Softmax,
    Unknown,
)


class Of(nn.Module):
    """A function as a module, with some layers at hand."""

    def __init__(self, function: Callable[..., object], **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.function = function

    def forward(self, *given: Tensor) -> object:
        return self.function(self, *given)


def seen(function: Callable[..., object], *shapes: tuple[int, ...], **layers: nn.Module) -> Anatomy:
    return look(Of(function, **layers), [Input(shape=shape) for shape in shapes or ((3, 8, 8),)])


def kinds(anatomy: Anatomy) -> list[type[Operation]]:
    return [type(row.operation) for row in anatomy.rows]


def reaches(anatomy: Anatomy, start: int, end: int) -> bool:
    """Some chain of rows leads from one value to another."""
    waiting, found = [start], {start}
    while waiting:
        value = waiting.pop()
        for row in anatomy.users.get(value, ()):
            new = set(row.outputs) - found
            found |= new
            waiting += new
    return end in found


# ---------------------------------------------------------------- rows


def test_a_chain_is_one_row_an_operation() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 5)
    )
    anatomy = look(net, [Input(shape=(3, 8, 8))], batch=2)
    assert [type(row.operation).__name__ for row in anatomy.rows] == [
        "Convolution",
        "Normalisation",
        "Activation",
        "Rearrange",
        "Linear",
    ]
    conv, norm, _, _, linear = anatomy.rows
    assert conv.operation == Convolution(
        kernel=(3, 3), stride=(2, 2), padding=(1, 1), dilation=(1, 1), groups=1, inputs=3, outputs=4, bias=True
    )
    assert conv.module == "0" and conv.parameters == ("0.weight", "0.bias")
    assert conv.cost.parameters == 4 * 3 * 9 + 4
    assert norm.parameters == ("1.weight", "1.bias", "1.running_mean", "1.running_var")
    assert norm.cost.parameters == 8
    assert linear.operation == Linear(inputs=64, outputs=5, bias=True)
    assert anatomy.shape(conv.outputs[0]) == (2, 4, 4, 4)
    assert anatomy.shape(anatomy.outputs[0]) == (2, 5)


def test_rows_are_linked_by_values() -> None:
    anatomy = seen(lambda net, x: net.a(x) + net.b(x), a=nn.Conv2d(3, 3, 1), b=nn.Conv2d(3, 3, 1))
    a, b, add = anatomy.rows
    assert add.operation == Arithmetic(name="add")
    assert set(anatomy.before(add)) == {a, b}
    assert list(anatomy.after(a)) == [add]
    assert add.outputs == anatomy.outputs
    assert a.inputs == b.inputs == anatomy.inputs


def test_a_reused_module_has_a_row_for_each_call_and_its_parameters_once() -> None:
    anatomy = seen(lambda net, x: net.a(net.a(x)), a=nn.Conv2d(3, 3, 1))
    first, second = anatomy.rows
    assert (first.module, first.call) == ("a", 0)
    assert (second.module, second.call) == ("a", 1)
    assert (first.cost.parameters, second.cost.parameters) == (12, 0)


def test_functional_calls_belong_to_the_module_that_makes_them() -> None:
    anatomy = seen(lambda net, x: F.relu(F.conv2d(x, net.a.weight)), a=nn.Conv2d(3, 5, 3))
    conv, relu = anatomy.rows
    assert conv.module == "" and conv.kind == "Of" and conv.parameters == ("a.weight",)
    assert relu.operation == Activation(name="relu")


def test_the_location_is_the_line_of_the_users_forward() -> None:
    anatomy = seen(lambda net, x: net.a(x).tanh(), a=nn.Conv2d(3, 3, 1))
    for row in anatomy.rows:
        assert row.location is not None
        assert Path(row.location.file).name == "test_trace.py"
        assert "net.a(x).tanh()" in row.location.text


# ---------------------------------------------------------------- in place, views, constants


def test_writing_in_place_makes_a_new_value() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        y = net.a(x)
        y.relu_()
        y += 1
        return y

    anatomy = seen(forward, a=nn.Conv2d(3, 3, 1))
    conv, relu, add = anatomy.rows
    assert relu.inputs == conv.outputs and add.inputs == relu.outputs and add.outputs == anatomy.outputs


def test_writing_through_a_view_reaches_the_whole() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        y = torch.zeros(1, 3, 8, 8)
        y[:, :1] = net.a(x)
        return y * 2

    anatomy = seen(forward, a=nn.Conv2d(3, 1, 1))
    assert reaches(anatomy, anatomy.inputs[0], anatomy.outputs[0])


def test_writing_to_the_whole_reaches_a_view_made_before() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        y = torch.zeros(1, 3, 8, 8)
        view = y[:, 1:]
        y.copy_(net.a(x))
        return view.exp()

    anatomy = seen(forward, a=nn.Conv2d(3, 3, 1))
    assert reaches(anatomy, anatomy.inputs[0], anatomy.outputs[0])


def test_a_number_read_from_what_an_input_reached_needs_values() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        y = torch.zeros(1, 3, 8, 8)
        y[:, :1] = net.a(x)
        return net.a(x) if float(y.max()) > -1 else y

    anatomy = seen(forward, a=nn.Conv2d(3, 1, 1))
    assert anatomy.how == "real"


def test_an_output_that_no_input_reaches_is_not_linked() -> None:
    anatomy = seen(lambda net, x: (net.a(x), net.a.weight * 2), a=nn.Conv2d(3, 3, 1))
    first, second = anatomy.outputs
    assert reaches(anatomy, anatomy.inputs[0], first)
    assert not reaches(anatomy, anatomy.inputs[0], second)


def test_transposes_of_parameters_are_no_rows_but_their_arithmetic_is() -> None:
    anatomy = seen(lambda net, x: x @ (net.a.weight * 2).t(), (8,), a=nn.Linear(8, 4, bias=False))
    scale, product = anatomy.rows
    assert scale.parameters == ("a.weight",) and scale.inputs == ()
    assert product.operation == Linear(inputs=8, outputs=4, bias=False)
    assert product.parameters == ("a.weight",)


def test_constants_made_on_the_cpu_join_a_pass_without_numbers() -> None:
    anatomy = seen(lambda net, x: x * torch.linspace(0, 1, 8) + torch.ones(3, 1, 1))
    assert anatomy.how == "meta"
    assert anatomy.shape(anatomy.outputs[0]) == (1, 3, 8, 8)


# ---------------------------------------------------------------- inputs and outputs


def test_two_inputs() -> None:
    anatomy = seen(lambda net, x, y: torch.cat([net.a(x), y], 1), (3, 8, 8), (2, 8, 8), a=nn.Conv2d(3, 4, 1))
    assert len(anatomy.inputs) == 2
    assert anatomy.rows[-1].operation == Concatenate(dim=1, parts=2)


def test_inputs_by_name_and_of_whole_numbers() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(10, 4)

        def forward(self, *, tokens: Tensor, scale: Tensor) -> Tensor:
            return self.table(tokens) * scale[:, None]

    anatomy = look(Net(), as_inputs({"tokens": "7:int64", "scale": (4,)}))
    assert anatomy.shape(anatomy.outputs[0]) == (1, 7, 4)
    assert [anatomy.values[one].name for one in anatomy.inputs] == ["tokens", "scale"]


Pair = namedtuple("Pair", "left right")


@dataclass
class Result:
    logits: Tensor
    more: tuple[Tensor, ...]


@pytest.mark.parametrize(
    ("wrap", "names"),
    [
        (lambda x: x, ("0",)),
        (lambda x: (x, [x, x]), ("0", "1.0", "1.1")),
        (lambda x: {"out": x, "aux": {"a": x}}, ("out", "aux.a")),
        (lambda x: Pair(x, x), ("left", "right")),
        (lambda x: Result(x, (x,)), ("logits", "more.0")),
    ],
)
def test_outputs_of_all_kinds(wrap: Callable[[Tensor], object], names: tuple[str, ...]) -> None:
    anatomy = seen(lambda net, x: wrap(net.a(x)), a=nn.Conv2d(3, 3, 1))
    assert anatomy.output_names == names
    assert set(anatomy.outputs) == {anatomy.rows[0].outputs[0]}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("3,224,224", Input(shape=(3, 224, 224))),
        ("3x32x32", Input(shape=(3, 32, 32))),
        ("input_ids=128:int64", Input(shape=(128,), dtype="int64", name="input_ids")),
        (" 5 ", Input(shape=(5,))),
        ("t=:int64", Input(shape=(), dtype="int64", name="t")),
    ],
)
def test_inputs_are_read(text: str, wanted: Input) -> None:
    assert parse_input(text) == wanted


@pytest.mark.parametrize("text", ["", "a", "3,,4", "3,0,4", "3,-1", "3,4:int12", "=3"])
def test_inputs_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(InspectError, match=r"input"):
        parse_input(text)


# ---------------------------------------------------------------- kinds of modules


def test_what_does_nothing_in_evaluation_is_seen() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.3), nn.Identity(), nn.Linear(4, 2))
    anatomy = look(net, [Input(shape=(4,))])
    assert [row.operation for row in anatomy.rows][1:3] == [
        Regulariser(kind="dropout", probability=0.3),
        Regulariser(kind="identity"),
    ]
    assert reaches(anatomy, anatomy.inputs[0], anatomy.outputs[0])


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("directions", [1, 2])
def test_a_recurrent_layer_is_one_row_with_the_shapes_of_a_real_pass(kind: type[nn.RNNBase], directions: int) -> None:
    layer = kind(8, 16, 2, batch_first=True, bidirectional=directions == 2)
    anatomy = look(layer, [Input(shape=(10, 8))], batch=3)
    (row,) = anatomy.rows
    assert isinstance(row.operation, Recurrent) and row.operation.steps == 10
    output, hidden = layer(torch.zeros(3, 10, 8))
    states = hidden if isinstance(hidden, tuple) else (hidden,)
    assert [anatomy.shape(one) for one in anatomy.outputs] == [tuple(one.shape) for one in (output, *states)]
    assert row.cost.parameters == sum(one.numel() for one in layer.parameters())


def test_attention_is_one_row() -> None:
    layer = nn.MultiheadAttention(16, 2, batch_first=True)
    anatomy = seen(lambda net, x: net.a(x, x, x, need_weights=False)[0], (7, 16), a=layer)
    (row,) = [row for row in anatomy.rows if isinstance(row.operation, Attention)]
    assert row.operation == Attention(heads=2, queries=7, keys=7, width=8)
    assert (row.kind, row.source) == ("MultiheadAttention", "aten.scaled_dot_product_attention.default")
    assert row.cost.macs == 2 * 2 * 7 * 7 * 8
    assert row.location is not None and "need_weights=False" in row.location.text
    assert not {MatMul, Softmax} & set(kinds(anatomy))


def test_attention_is_as_it_was_afterwards() -> None:
    before = nn.functional.scaled_dot_product_attention
    with pytest.raises(InspectError):
        seen(lambda net, x: nn.functional.scaled_dot_product_attention(x, x[..., 1:], x), (2, 7, 16))
    assert nn.functional.scaled_dot_product_attention is before


def test_a_mask_is_not_looked_at() -> None:
    """Fields with one are bounds; without one, with a causal one, or with learned biases alone they are exact."""

    def field(**settings: object) -> AxisField:
        def forward(net: Of, x: Tensor) -> Tensor:
            given = {name: make(net, x) if callable(make) else make for name, make in settings.items()}
            x = x[:, None]
            return nn.functional.scaled_dot_product_attention(x, x, x, **given)[:, 0]

        anatomy = seen(forward, (7, 16), bias=nn.Linear(7, 7))
        return anatomy.rows[-1].fields[0].axes[0]

    assert field().exact
    assert field(is_causal=True).exact
    assert field(attn_mask=lambda net, x: net.bias.weight).exact
    masked = field(attn_mask=lambda net, x: torch.ones(7, 7, dtype=torch.bool, device=x.device).tril())
    assert not masked.exact and masked.full == 7
    assert not field(attn_mask=lambda net, x: torch.full((7, 7), -100.0, device=x.device).triu(1)).exact


def test_a_mask_that_fits_no_scores_is_an_error() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        x = x[:, None]
        return nn.functional.scaled_dot_product_attention(x, x, x, attn_mask=torch.zeros(5, 5, device=x.device))

    with pytest.raises(InspectError, match="must match the size"):
        seen(forward, (7, 16), layer=nn.Identity())


def test_norms_are_told_apart() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        return net.layer(net.group(net.instance(net.batch(x))))

    anatomy = seen(
        forward,
        (4, 6, 6),
        batch=nn.BatchNorm2d(4),
        instance=nn.GroupNorm(4, 4),
        group=nn.GroupNorm(2, 4),
        layer=nn.LayerNorm(6),
    )
    found = [row.operation for row in anatomy.rows if isinstance(row.operation, Normalisation)]
    assert [one.kind for one in found] == ["batch", "instance", "group", "layer"]


def test_loops_and_branches_on_plain_numbers_are_followed() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        for _ in range(x.shape[-1] // 4):
            x = net.a(x) if x.shape[1] == 3 else x
        return x

    assert kinds(seen(forward, a=nn.Conv2d(3, 3, 1))) == [Convolution, Convolution]


# ---------------------------------------------------------------- values, and nothing changed


def test_control_flow_that_needs_values_is_followed_on_a_real_input() -> None:
    anatomy = seen(lambda net, x: net.a(x) if x.sum() < 1e9 else x, a=nn.Conv2d(3, 3, 1))
    assert anatomy.how == "real"
    assert Convolution in kinds(anatomy)
    (told,) = anatomy.untraced
    assert "meta" in told.reason


def state(module: nn.Module) -> tuple[object, ...]:
    return (
        {name: (id(one), one.device, one.clone()) for name, one in module.state_dict(keep_vars=True).items()},
        [
            (name, one.training, len(one._forward_hooks), len(one._forward_pre_hooks))
            for name, one in module.named_modules()
        ],
        {name: set(vars(one)) for name, one in module.named_modules()},
        torch.get_rng_state(),
    )


@pytest.mark.parametrize("needs_values", [False, True])
def test_the_module_and_the_random_numbers_stay_as_they_were(needs_values: bool) -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        net.seen = x
        if needs_values and x.sum() > 1e9:
            return x
        return net.drop(net.norm(net.a(x)))

    module = Of(forward, a=nn.Conv2d(3, 3, 1), norm=nn.BatchNorm2d(3), drop=nn.Dropout())
    module.train()
    before = state(module)
    anatomy = look(module, [Input(shape=(3, 8, 8))])
    assert anatomy.how == ("real" if needs_values else "meta")
    after = state(module)
    assert before[1:3] == after[1:3]
    assert torch.equal(before[3], after[3])  # type: ignore[arg-type]
    for name, (address, device, values) in before[0].items():  # type: ignore[attr-defined]
        again = after[0][name]  # type: ignore[index]
        assert (address, device) == again[:2] and torch.equal(values, again[2])


def test_seven_billion_parameters_take_no_memory() -> None:
    with torch.device("meta"):
        net = nn.Sequential(*(nn.Linear(4096, 4096) for _ in range(417)))
    anatomy = look(net, [Input(shape=(4096,))])
    assert anatomy.parameter_count == 417 * (4096**2 + 4096) > 6.9e9
    assert not anatomy.has_weights


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_default_device_of_the_caller_does_not_matter(device: str) -> None:
    with torch.device(device):
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(1, 2), nn.Unflatten(1, (4, 6)), nn.PixelShuffle(2))
        anatomy = look(net, [Input(shape=(3, 8, 8))])
    assert [axis.size for axis in anatomy.rows[-1].fields[0].axes] == [3, 3]


def test_double_precision_inputs_follow_the_module() -> None:
    anatomy = look(nn.Linear(4, 2).double(), [Input(shape=(4,))])
    assert anatomy.values[anatomy.outputs[0]].dtype == "float64"


def test_an_operation_without_a_rule_is_named() -> None:
    anatomy = seen(lambda net, x: torch.linalg.inv_ex(x)[0], (8, 8))
    unknown = [row for row in anatomy.rows if isinstance(row.operation, Unknown)]
    assert [row.source for row in unknown] == ["aten.linalg_inv_ex.default"]


# ---------------------------------------------------------------- what cannot be looked at


def test_a_wrong_shape_names_the_layer_and_what_it_wanted() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    with pytest.raises(InspectError, match=r"2 \(Conv2d, 8 channels in\) failed on a tensor of shape \(1, 4, 6, 6\)"):
        look(net, [Input(shape=(3, 8, 8))])


def test_a_missing_input_is_told() -> None:
    class Two(nn.Module):
        def forward(self, image: Tensor, mask: Tensor) -> Tensor:
            return image * mask

    with pytest.raises(InspectError, match=r"missing 1 required positional argument: 'mask'.*give every input"):
        look(Two(), [Input(shape=(3, 8, 8))])


def test_outputs_without_tensors_are_refused() -> None:
    with pytest.raises(InspectError, match=r"must return tensors .* but returned str"):
        seen(lambda net, x: "nothing")


def test_a_module_that_cannot_be_copied_is_told() -> None:
    import threading

    net = nn.Linear(2, 2)
    net.lock = threading.Lock()  # type: ignore[assignment]
    with pytest.raises(InspectError, match=r"Linear cannot be copied .* leave locks"):
        look(net, [Input(shape=(2,))])


def test_a_lazy_layer_is_told() -> None:
    with pytest.raises(InspectError, match=r"0.weight of Sequential has no shape yet"):
        look(nn.Sequential(nn.LazyLinear(3)), [Input(shape=(4,))])


def test_packed_sequences_need_real_lengths() -> None:
    class Packed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(4, 8, batch_first=True)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            packed = nn.utils.rnn.pack_padded_sequence(x, lengths.clamp(1), batch_first=True, enforce_sorted=False)
            return self.lstm(packed)[1][0]

    anatomy = look(Packed(), as_inputs({"x": (5, 4), "lengths": ":int64"}))
    assert anatomy.how == "real"
    assert Recurrent in kinds(anatomy)


def test_the_real_error_is_shown_when_values_do_not_help_either() -> None:
    def forward(net: Of, x: Tensor) -> Tensor:
        if x.sum() < 1e9:
            raise ArithmeticError("made up")
        return x

    with pytest.raises(InspectError, match=r"ArithmeticError: made up"):
        seen(forward)


def rows_of(anatomy: Anatomy, module: str) -> list[Row]:
    return [row for row in anatomy.rows if row.module == module]


def test_modules_are_listed_with_their_settings() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.2))
    anatomy = look(net, [Input(shape=(3, 8, 8))])
    assert anatomy.by_module["1"].settings["p"] == 0.2
    assert anatomy.by_module["0"].parameters == 112
    assert anatomy.by_module["0"].leaf and not anatomy.by_module[""].leaf
    assert [row.kind for row in rows_of(anatomy, "0")] == ["Conv2d"]


def test_shared_parameters_are_counted_once() -> None:
    net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    net[1].weight = net[0].weight
    anatomy = look(net, [Input(shape=(4,))])
    (shared,) = [one for one in anatomy.parameters if one.aliases]
    assert (shared.name, shared.aliases) == ("0.weight", ("1.weight",))
    assert anatomy.parameter_count == 16 + 8
