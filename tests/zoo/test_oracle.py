"""The oracle against closed forms, and the rebuilt nets against what was published about them."""

import copy
from collections.abc import Iterable
from itertools import product

import pytest
import torch
import torch.nn.functional as F
from tests.zoo import odd
from tests.zoo.aspp import DeepLab
from tests.zoo.deepmedic import SMALLEST, DeepMedic
from tests.zoo.lstm import LstmClassifier
from tests.zoo.oracle import double_by_default, first_tensor, influences, measured, support, supports
from tests.zoo.published import DEEPMEDIC, END_POINTS, PADDINGS_321, TABLE, TORCHVISION, TORCHVISION_PADDINGS, Published
from tests.zoo.senet import SeNet
from tests.zoo.slim import NETS
from tests.zoo.slim_layers import Parity, same
from tests.zoo.small import SMALL
from tests.zoo.tcn import TCN, WaveNet
from tests.zoo.unet import UNet
from torch import Tensor, nn

LINE = (1, 24)
MAP = (1, 12, 12)

# ---------------------------------------------------------------- single layers


def clip(first: int, last: int, length: int) -> tuple[int, int]:
    return max(first, 0), min(last, length - 1)


WINDOWS = [
    (kernel, stride, dilation, padding, pool)
    for kernel, stride, dilation, padding, pool in product([1, 2, 3, 5], [1, 2, 3], [1, 2], [0, 1], [False, True])
    if not pool or padding <= kernel // 2
]


@pytest.mark.parametrize(("kernel", "stride", "dilation", "padding", "pool"), WINDOWS)
def test_a_window(kernel: int, stride: int, dilation: int, padding: int, pool: bool) -> None:
    net = (
        nn.MaxPool1d(kernel, stride, padding, dilation) if pool else nn.Conv1d(1, 2, kernel, stride, padding, dilation)
    )
    count = net(torch.zeros(1, *LINE)).shape[-1]
    expected = []
    for unit in range(count):
        taps = [unit * stride - padding + tap * dilation for tap in range(kernel)]
        inside = [place for place in taps if 0 <= place < LINE[-1]]
        expected.append((inside[0], inside[-1]) if inside else None)
    assert supports(net, LINE, 0, range(count)) == expected


def test_one_axis_at_a_time() -> None:
    net = nn.Conv2d(3, 2, (1, 7), padding=(0, 3))
    assert support(net, (3, 4, 20), 0, 2) == (2, 2)
    assert support(net, (3, 4, 20), 1, 10) == (7, 13)


def test_holes_are_seen() -> None:
    (row,) = influences(nn.Conv1d(1, 1, 3, dilation=3), LINE, 0, [4])
    assert torch.nonzero(row).flatten().tolist() == [4, 7, 10]


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (4, 2, 1), (5, 3, 2)])
def test_a_transposed_convolution(kernel: int, stride: int, padding: int) -> None:
    net = nn.ConvTranspose1d(1, 1, kernel, stride, padding)
    count = net(torch.zeros(1, *LINE)).shape[-1]
    for unit in range(count):
        seen = [i for i in range(24) if 0 <= unit + padding - i * stride < kernel]
        assert support(net, LINE, 0, unit) == (seen[0], seen[-1])


@pytest.mark.parametrize("length", [7, 8, 9, 10])
@pytest.mark.parametrize("pool", [nn.MaxPool1d, nn.AvgPool1d])
def test_ceil_mode(length: int, pool: type[nn.Module]) -> None:
    net = pool(3, 2, ceil_mode=True)
    count = net(torch.zeros(1, 1, length)).shape[-1]
    assert supports(net, (1, length), 0, range(count)) == [clip(2 * i, 2 * i + 2, length) for i in range(count)]


def test_max_pool_in_three_dimensions_with_indices() -> None:
    net = nn.MaxPool3d((1, 2, 3), (1, 2, 2), return_indices=True)
    assert [support(net, (1, 4, 6, 9), axis, 1) for axis in range(3)] == [(1, 1), (2, 3), (2, 4)]


def test_resizes() -> None:
    nearest = nn.Upsample(scale_factor=2, mode="nearest")
    linear = nn.Upsample(scale_factor=2, mode="linear", align_corners=False)
    assert supports(nearest, LINE, 0, [6, 7]) == [(3, 3), (3, 3)]
    assert supports(linear, LINE, 0, [0, 6, 7]) == [(0, 0), (2, 3), (3, 4)]


def test_a_bicubic_resize_has_four_taps() -> None:
    net = nn.Upsample(scale_factor=2, mode="bicubic", align_corners=False)
    assert supports(net, MAP, 1, [8, 9]) == [(2, 5), (3, 6)]


def test_a_resize_onto_the_same_places_has_one_tap() -> None:
    net = nn.Upsample(scale_factor=3, mode="bicubic", align_corners=False)
    assert supports(net, MAP, 0, [12, 13, 14]) == [(2, 5), (4, 4), (3, 6)]


def test_what_antialiasing_adds() -> None:
    assert support(odd.ResizedTo("bilinear", (4, 4)), MAP, 1, 1) == (4, 4)
    assert support(odd.ResizedTo("bilinear", (4, 4), antialias=True), MAP, 1, 1) == (2, 6)


@pytest.mark.parametrize("largest", [False, True])
@pytest.mark.parametrize("size", [5, 7, 12])
def test_adaptive_pools(largest: bool, size: int) -> None:
    net = (nn.AdaptiveMaxPool1d if largest else nn.AdaptiveAvgPool1d)(size)
    expected = [(i * 24 // size, -(-(i + 1) * 24 // size) - 1) for i in range(size)]
    assert supports(net, LINE, 0, range(size)) == expected


# ---------------------------------------------------------------- norms, gates, attention, time


@pytest.mark.parametrize("norm", [nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.LayerNorm((4, 12, 12))])
def test_norms_over_the_map(norm: nn.Module) -> None:
    net = odd.Grouped(norm)
    assert support(net, MAP, 0, 5) == (4, 6)
    assert support(net, MAP, 0, 5, local=False) == (0, 11)


def test_batch_norm_has_no_field() -> None:
    assert support(odd.Grouped(nn.BatchNorm2d(4)), MAP, 0, 5, local=False) == (4, 6)


def test_gates() -> None:
    net = SeNet(width=2)
    assert support(net, (3, 40, 8), 0, 10) == (20 - net.field // 2, 20 + net.field // 2)
    assert support(net, (3, 40, 8), 0, 10, local=False) == (0, 39)


def test_causal_nets() -> None:
    for net in (WaveNet(dilations=(1, 2, 4, 8)), TCN(levels=2)):
        assert support(net, (1, 40), 0, 30) == (30 - net.field + 1, 30)
        assert support(net, (1, 40), 0, 3) == (0, 3)


def test_recurrent_nets() -> None:
    assert support(LstmClassifier(each_step=True), (2, 9), 0, 4) == (0, 4)
    assert support(LstmClassifier(each_step=True, bidirectional=True), (2, 9), 0, 4) == (0, 8)
    assert support(LstmClassifier(), (2, 9), 0, 0, out_dim=1) == (0, 8)
    assert support(LstmClassifier(bidirectional=True, layers=2), (2, 9), 0, 0, out_dim=1) == (0, 8)


def test_a_recurrent_cell_in_a_loop() -> None:
    class Rolling(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = nn.GRUCell(1, 3)

        def forward(self, x: Tensor) -> Tensor:
            state, states = torch.zeros(1, 3), []
            for step in range(x.shape[-1]):
                state = self.cell(x[..., step], state)
                states.append(state)
            return torch.stack(states, -1)

    assert support(Rolling(), (1, 6), 0, 3) == (0, 3)


class Attention(nn.Module):
    """Sees 4 tokens of 3 px each, itself and those before it; by sdpa or by hand."""

    def __init__(self, by_hand: bool) -> None:
        super().__init__()
        self.by_hand = by_hand
        self.embed = nn.Conv1d(1, 8, 3, 3)
        self.qkv = nn.Linear(8, 24)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.embed(x).transpose(1, 2)).chunk(3, -1)
        if not self.by_hand:
            return F.scaled_dot_product_attention(q, k, v, is_causal=True)
        scores = q @ k.transpose(-2, -1) / 8**0.5
        hidden = torch.full(scores.shape[-2:], float("-inf")).triu(1)
        return (scores + hidden).softmax(-1) @ v


@pytest.mark.parametrize("by_hand", [False, True])
def test_causal_attention(by_hand: bool) -> None:
    assert supports(Attention(by_hand), LINE, 0, [0, 2], out_dim=1) == [(0, 2), (0, 8)]


def test_tokens_that_see_everything() -> None:
    assert support(odd.Patches(), MAP, 0, 4, out_dim=1) == (0, 11)
    assert support(odd.Patches(), MAP, 0, 1, at="embed") == (4, 7)


# ---------------------------------------------------------------- odd nets


@pytest.mark.parametrize("case", odd.ODD, ids=lambda case: case.name)
def test_odd_nets_run_and_are_left_alone(case: odd.Odd) -> None:
    torch.manual_seed(0)
    net = case.build()
    before = copy.deepcopy(net.state_dict())
    with torch.no_grad():
        net.eval()(*(torch.randn(1, *shape) for shape in case.shapes))
    net.train()
    for source in range(len(case.shapes)):
        hull = support(net, case.shapes, 0, 1, source=source, out_dim=-1)
        assert (hull is None) == (case.name == "constant")
    assert net.training and all(torch.equal(before[name], value) for name, value in net.state_dict().items())


@pytest.mark.parametrize("case", odd.ODD, ids=lambda case: case.name)
def test_real_gradients_lie_within_the_hull(case: odd.Odd) -> None:
    torch.manual_seed(0)
    net = case.build().double().eval()
    inputs = [torch.rand(1, *shape, dtype=torch.float64, requires_grad=True) for shape in case.shapes]
    with double_by_default():
        output = first_tensor(net(*inputs))
    for source, tensor in enumerate(inputs):
        for index in range(0, output.shape[-1], 2):
            hull_ = support(net, case.shapes, len(case.shapes[0]) - 2, index, source=source, out_dim=-1, local=False)
            unit = output[..., index].sum()
            gradient = torch.autograd.grad(unit, tensor, retain_graph=True)[0] if unit.requires_grad else None
            if gradient is None:
                assert hull_ is None
                continue
            strength = gradient.abs().movedim(-1, 0).flatten(1).sum(1)
            places = torch.nonzero(strength > 1e-9 * strength.max()).flatten().tolist()
            if places:
                assert hull_ is not None and hull_[0] <= places[0] and places[-1] <= hull_[1]


def test_fields_of_odd_nets() -> None:
    assert support(odd.Reused(), MAP, 0, 6) == (3, 9)
    assert support(odd.Functional(), MAP, 0, 2) == (3, 6)
    assert supports(odd.InPlace(), MAP, 0, [0, 5]) == [(0, 4), (4, 6)]
    assert supports(odd.ViewChain(), MAP, 1, [0, 4]) == [(0, 2), (4, 6)]
    assert support(odd.Branched(), MAP, 0, 5) == (3, 7)
    assert support(odd.DictOut(), MAP, 0, 5, pick=lambda output: output["both"][1]) == (3, 7)
    assert support(odd.TupleOut(), MAP, 0, 2, pick=lambda output: output[1]) == (3, 6)
    assert support(odd.TwoInputs(), [MAP, MAP], 0, 5, source=0) == (4, 6)
    assert support(odd.TwoInputs(), [MAP, MAP], 0, 5, source=1) == (3, 7)
    assert support(odd.Loop(4), LINE, 0, 10) == (6, 14)
    assert support(odd.Dropping(), MAP, 0, 5) == (4, 6)
    assert supports(odd.Shuffled(), MAP, 0, [4, 5]) == [(2, 7), (2, 7)]
    assert supports(odd.Rolled(), MAP, 1, [0, 5]) == [(8, 10), (1, 3)]
    assert supports(odd.Flipped(), MAP, 1, [0, 2]) == [(9, 11), (5, 8)]
    assert supports(odd.Dense(3), MAP, 0, [5]) == [(2, 8)]
    assert support(odd.Flattened(), MAP, 0, 0, out_dim=1) == (0, 11)


def test_control_flow_by_values() -> None:
    assert support(odd.ValueDependent(), LINE, 0, 10, fill=-1.0) == (9, 11)
    assert support(odd.ValueDependent(), LINE, 0, 10, fill=1.0) == (7, 13)


# ---------------------------------------------------------------- nets with a known field


def test_deepmedic_sees_17_and_51_voxels() -> None:
    assert DEEPMEDIC == {"normal": 17, "low": 51}
    net = DeepMedic(width=0.03)
    shape = (1, SMALLEST + 6, SMALLEST, SMALLEST)
    assert supports(net, shape, 0, [0, 1, 3, 8]) == [(0, 50), (0, 50), (3, 53), (6, 56)]
    assert supports(net, shape, 0, [0, 5], at="normal") == [(0, 16), (5, 21)]


def test_unet_and_deeplab() -> None:
    # From the head down: 30-34, 15-17, 13-19, 6-9 on the coarsest map, 4-11 behind its convolutions, 6-25, 10-53.
    assert support(UNet(width=1), (1, 64, 4), 0, 32) == (10, 53)
    net = DeepLab(width=1, pooling=False)
    first, last = support(net, (3, 96, 8), 0, 48) or (0, 0)
    assert 0 < first < last < 95
    assert support(DeepLab(width=1), (3, 96, 8), 0, 48) == (0, 95)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.name)
def test_small_nets_have_a_field(case: odd.Odd) -> None:
    assert support(case.build(), case.shapes, 0, 1, out_dim=-1) is not None


# ---------------------------------------------------------------- table C1 by arithmetic

Step = tuple[int, int, int]  # kernel, stride, pixels padded in front


def chain(steps: Iterable[Step]) -> Published:
    """Araujo et al. 2019, equations 1 to 4, along one path."""
    field, stride, padding = 1, 1, 0
    for kernel, step, front in steps:
        field += (kernel - 1) * stride
        padding += front * stride
        stride *= step
    return Published(field, stride, padding)


def smooth(kernel: int, count: int = 1) -> list[Step]:
    """SAME with stride 1."""
    return [(kernel, 1, kernel // 2)] * count


VALID_STEM: list[Step] = [(3, 2, 0), (3, 1, 0), *smooth(3), (3, 2, 0), (3, 1, 0), (3, 2, 0)]


def widest_path(name: str, parity: Parity) -> list[Step]:
    """The path that sees most, written down from the papers and the TF-slim sources without looking at the nets."""
    down: Step = (3, 2, same(3, 2, parity)[0])
    valid: Step = (3, 2, 0)
    units = {"50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3), "200": (3, 24, 36, 3)}
    match name.split("_"):
        case ["alexnet", _]:
            return [(11, 4, 0), valid, *smooth(5), valid, *smooth(3, 3), valid]
        case ["vgg", kind]:
            counts = {"a": (1, 1, 2, 2, 2), "16": (2, 2, 3, 3, 3)}[kind]
            return [step for count in counts for step in [*smooth(3, count), (2, 2, 0)]]
        case ["inception", "v2"]:
            first: Step = (7, 2, same(7, 2, parity)[0])
            reduced = [*smooth(3), down]
            return [first, down, *smooth(3), down, *smooth(3, 4), *reduced, *smooth(3, 8), *reduced, *smooth(3, 4)]
        case ["inception", "v3"]:
            sevens = smooth(7, 2)
            return [*VALID_STEM, *smooth(3, 6), *smooth(3), valid, *sevens * 4, *smooth(7), valid, *smooth(3, 4)]
        case ["inception", "v4"]:
            stem = [valid, (3, 1, 0), *smooth(3), valid, *smooth(7), (3, 1, 0), valid]
            return [*stem, *smooth(3, 8), *smooth(3), valid, *smooth(7, 14), *smooth(7), valid, *smooth(3, 6)]
        case ["inception", "resnet", "v2"]:
            inner = [*smooth(3, 2), *smooth(3, 20), *smooth(3), valid]
            return [*VALID_STEM, *inner, *smooth(7, 20), *smooth(3), valid, *smooth(3, 10)]
        case ["mobilenet", *_]:
            steps = "s2 1 2 1 2 1 2 1 1 1 1 1 2 1".replace("s", "").split()
            return [down if step == "2" else (3, 1, 1) for step in steps]
        case ["resnet", _, depth]:
            blocks = [[(3, 1, 1)] * (count - 1) + [(3, 1 if i == 3 else 2, 1)] for i, count in enumerate(units[depth])]
            return [(7, 2, 3), down, *(step for block in blocks for step in block)]
    raise AssertionError(name)


@pytest.mark.parametrize("name", TABLE)
def test_the_table_by_arithmetic(name: str) -> None:
    assert chain(widest_path(name, "even")) == TABLE[name]
    odd_maps = chain(widest_path(name, "odd"))
    assert odd_maps == TABLE[name]._replace(padding=PADDINGS_321[name])


@pytest.mark.parametrize("name", NETS)
def test_the_rebuilt_nets_have_the_end_points_and_sizes(name: str) -> None:
    with torch.device("meta"):
        net = NETS[name].build(width=0.1).eval()
        last = net(torch.zeros(1, 3, 224, 224))
    assert set(END_POINTS[name]) <= set(net.end_points)
    for path in net.end_points.values():
        net.get_submodule(path)
    valid_stem = {"alexnet_v2", "inception_v3", "inception_v4", "inception_resnet_v2"}
    assert tuple(last.shape[2:]) == ((5, 5) if name in valid_stem else (7, 7))
    assert END_POINTS[name][list(END_POINTS[name])[-1]] == TABLE.get(name, Published(150, 32, 59))


# ---------------------------------------------------------------- table C1 by gradients


@pytest.mark.parametrize("name", NETS)
def test_the_end_points_by_gradients(name: str) -> None:
    slim = NETS[name]
    net = slim.build(width=0.02)
    rows = END_POINTS[name]
    got = measured(net, (3, slim.narrow, long_enough(rows)), 1, at=[net.end_points[end_point] for end_point in rows])
    assert {end_point: tuple(got[net.end_points[end_point]]) for end_point in rows} == rows


@pytest.mark.parametrize("name", NETS)
def test_the_paddings_of_odd_maps_by_gradients(name: str) -> None:
    slim = NETS[name]
    net = slim.build(width=0.02, parity="odd")
    final = list(END_POINTS[name].values())[-1]
    (got,) = measured(net, (3, slim.narrow, long_enough(END_POINTS[name])), 1).values()
    assert tuple(got) == final._replace(padding=PADDINGS_321[name])


@pytest.mark.parametrize("name", ["vgg_16", "inception_v2", "resnet_v1_50"])
def test_the_other_axis_is_the_same(name: str) -> None:
    slim = NETS[name]
    (got,) = measured(slim.build(width=0.02), (3, long_enough(END_POINTS[name]), slim.narrow), 0).values()
    assert tuple(got) == TABLE[name]


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50", "alexnet"])
def test_torchvision_variants_by_gradients(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    net = getattr(models, name)()
    trunk = net.features if name == "alexnet" else nn.Sequential(*list(net.children())[:-2])
    (got,) = measured(trunk, (3, 64, TORCHVISION.get(name, 195) + 96), 1).values()
    assert (got.rf, got.stride) == (TORCHVISION.get(name, 195), 32)
    assert got.padding == TORCHVISION_PADDINGS.get(name, (got.rf - 1) // 2)


def test_shifted_windows_are_masked() -> None:
    swin = pytest.importorskip("torchvision.models.swin_transformer")
    net = swin.SwinTransformer([4, 4], 8, [2], [1], [7, 7], num_classes=2).features
    seen = {path: supports(net, (3, 28, 256), 1, [0, 7, 10, 63], at=path, out_dim=2) for path in ("1.0", "1.1")}
    assert seen["1.0"] == [(0, 27), (28, 55), (28, 55), (252, 255)]
    assert seen["1.1"] == [(0, 27), (0, 55), (28, 83), (224, 255)]


def test_an_axis_that_is_too_short_is_said_to_be() -> None:
    with pytest.raises(ValueError, match="too short"):
        measured(NETS["vgg_16"].build(width=0.02), (3, 32, 128), 1)


def long_enough(rows: dict[str, Published]) -> int:
    """Room for two neighbours of the last end-point."""
    return -(-(list(rows.values())[-1].rf + 160) // 64) * 64


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), [(3, 1, 1, 1), (5, 2, 2, 1), (3, 2, 0, 3), (1, 2, 0, 1)]
)
def test_a_depthwise_convolution_sees_what_an_ordinary_one_sees(
    kernel: int, stride: int, padding: int, dilation: int
) -> None:
    alone, mixed = (nn.Conv2d(4, 4, kernel, stride, padding, dilation, groups=groups) for groups in (4, 1))
    count = alone(torch.zeros(1, 4, 20, 20)).shape[-1]
    for axis in (0, 1):
        assert supports(alone, (4, 20, 20), axis, range(count)) == supports(mixed, (4, 20, 20), axis, range(count))


def test_tokens_are_followed_through_their_embedding() -> None:
    net = nn.Sequential(nn.Embedding(9, 5), Turned(), nn.Conv1d(5, 5, 3, padding=1))
    assert supports(net, (12,), -1, [0, 6, 11], out_dim=2) == [(0, 1), (5, 7), (10, 11)]


class Turned(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.float().transpose(1, 2)


def test_a_fused_product_depends_on_all_three() -> None:
    class Fused(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.addcmul(x[..., 2:-2], x[..., 4:], x[..., :-4])

    assert support(Fused(), LINE, 0, 6) == (6, 10)


def test_a_gate_of_split_channels_is_left_out_locally() -> None:
    class Split(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            parts = x.unflatten(1, (2, 2))
            return (parts * parts.mean((3, 4), keepdim=True)).sum(1)

    assert support(Split(), (4, 6, 9), 1, 4) == (4, 4)
    assert support(Split(), (4, 6, 9), 1, 4, local=False) == (0, 8)


def test_a_gate_is_left_out_locally_when_it_was_expanded_first() -> None:
    class Expanded(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x * x.mean((2, 3), keepdim=True).expand_as(x)

    assert support(Expanded(), (4, 6, 9), 1, 4) == (4, 4)
    assert support(Expanded(), (4, 6, 9), 1, 4, local=False) == (0, 8)
