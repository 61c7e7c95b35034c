"""Multiply-adds: published numbers, formulas by hand, and other tools with every difference explained."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch
import torchvision.models as tv
from tests.anatomy.other_counters import Tool, explained
from tests.zoo.lstm import LstmClassifier
from tests.zoo.slim_resnet import resnet_v1_50, resnet_v1_101, resnet_v1_152, resnet_v1_200
from tests.zoo.unet import UNet
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from fieldcraft.anatomy.cost import macs
from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.look import look
from fieldcraft.records.anatomy import Anatomy
from fieldcraft.records.operations import Arithmetic, Attention, Rearrange, Recurrent, Regulariser, Resize, Unknown


def anatomy_of(net: nn.Module, *shape: int) -> Anatomy:
    return look(net, [Input(shape=shape)])


def on_meta(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):
        return make().eval()


def separable(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(before, before, 3, stride, 1, groups=before, bias=False), nn.BatchNorm2d(before), nn.ReLU()),
        *(nn.Conv2d(before, after, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()),
    )


def full(before: int, after: int, stride: int) -> nn.Sequential:
    conv = nn.Conv2d(before, after, 3, stride, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ReLU())


def mobilenet(step: Callable[[int, int, int], nn.Module]) -> nn.Module:
    """Howard 2017, arXiv:1704.04861, table 1."""
    widths = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    layers, before = [full(3, 32, 2)], 32
    for after, stride in widths:
        layers.append(step(before, after, stride))  # type: ignore[arg-type]
        before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1024, 1000))


@pytest.mark.parametrize(
    ("step", "millions", "filters"), [(separable, 568.74, 4.209), (full, 4867.3, 29.28)], ids=["separable", "full"]
)
def test_mobilenet_v1_and_its_full_twin_have_the_published_counts(
    step: Callable[[int, int, int], nn.Module], millions: float, filters: float
) -> None:
    """Howard 2017, table 4: 569 M and 4.2 M; 4866 M and 29.3 M, which are weights without norms and biases."""
    found = anatomy_of(on_meta(lambda: mobilenet(step)), 3, 224, 224)
    weights = sum(one.count for one in found.parameters if len(one.shape) > 1)
    assert found.macs / 1e6 == pytest.approx(millions, abs=0.05)
    assert weights / 1e6 == pytest.approx(filters, abs=0.005)
    assert found.parameter_count == sum(row.cost.parameters for row in found.rows)


PUBLISHED = (
    *("alexnet", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "densenet121", "squeezenet1_0", "mobilenet_v2"),
    *("mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0", "efficientnet_b0", "regnet_y_400mf", "convnext_tiny"),
    *("vit_b_16", "swin_t", "maxvit_t"),
)


@pytest.mark.parametrize("name", PUBLISHED)
def test_torchvision_publishes_the_same_numbers(name: str) -> None:
    """In the metadata of its weights, in billions at 224 px; it leaves products of two activations (gates) out."""
    published = tv.get_model_weights(name)["IMAGENET1K_V1"].meta
    try:
        net = on_meta(getattr(tv, name))
    except NotImplementedError:  # regnet reads numbers while it is built
        net = getattr(tv, name)()
    found = anatomy_of(net, 3, 224, 224)
    gates = sum(row.cost.macs or 0 for row in found.rows if isinstance(row.operation, Arithmetic))
    assert round((found.macs - gates) / 1e9, 3) == published["_ops"]
    assert found.parameter_count == published["num_params"]


@pytest.mark.parametrize(
    ("make", "gflops"),
    [(resnet_v1_50, 6.960), (resnet_v1_101, 14.385), (resnet_v1_152, 21.809), (resnet_v1_200, 28.797)],
)
def test_slim_resnets_have_the_published_flops(make: Callable[[], nn.Module], gflops: float) -> None:
    """Araujo, Norris and Sim 2019: FLOPs at 224 px, two a multiply-add, convolutions alone."""
    assert anatomy_of(on_meta(make), 3, 224, 224).macs * 2 / 1e9 == pytest.approx(gflops, abs=0.001)


@dataclass(frozen=True)
class Net:
    name: str
    make: Callable[[], nn.Module]
    shape: tuple[int, ...]


NETS = (
    Net("resnet18", tv.resnet18, (3, 64, 64)),
    Net("resnet50", tv.resnet50, (3, 64, 64)),
    Net("vgg11", tv.vgg11, (3, 32, 32)),
    Net("mobilenet_v3_small", tv.mobilenet_v3_small, (3, 64, 64)),
    Net("densenet121", tv.densenet121, (3, 64, 64)),
    Net("efficientnet_b0", tv.efficientnet_b0, (3, 64, 64)),
    Net("vit_b_16", tv.vit_b_16, (3, 224, 224)),
    Net("swin_t", tv.swin_t, (3, 64, 64)),
    Net("convnext_tiny", tv.convnext_tiny, (3, 64, 64)),
    Net("googlenet", lambda: tv.googlenet(init_weights=False), (3, 64, 64)),
    Net("r3d_18", tv.video.r3d_18, (3, 4, 32, 32)),
    Net("deeplabv3", lambda: tv.segmentation.deeplabv3_resnet50(weights_backbone=None), (3, 64, 64)),
    Net("lstm", lambda: LstmClassifier(hidden=8, layers=2, bidirectional=True), (2, 10)),
    Net("unet", UNet, (1, 32, 32)),
)
every_net = pytest.mark.parametrize("net", NETS, ids=lambda net: net.name)


def check(tool: Tool, theirs: float, found: Anatomy) -> None:
    reasons = explained(tool, found)
    assert theirs == found.macs + sum(reasons.values()), reasons
    assert not found.uncounted


@every_net
def test_flop_counter(net: Net) -> None:
    """On tensors without numbers; on real ones it does not see fused attention."""
    module = on_meta(net.make)
    found = anatomy_of(module, *net.shape)
    with FlopCounterMode(display=False) as counter:
        module(torch.empty(1, *net.shape, device="meta"))
    if net.name == "lstm":  # without numbers torch runs it step by step, so that it does count it
        assert counter.get_total_flops() == 2 * found.macs
        return
    check("flop_counter", counter.get_total_flops() / 2, found)


def with_zeros(net: Net) -> nn.Module:
    module = on_meta(net.make).to_empty(device="cpu")
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.zero_()
    return module


@every_net
def test_fvcore(net: Net) -> None:
    """It runs jit.trace, which needs numbers."""
    module = with_zeros(net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis  # uses torch.jit.script, which is deprecated, on import

        counter = FlopCountAnalysis(module, torch.zeros(1, *net.shape))
        counter.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        theirs = counter.total()
    check("fvcore", theirs, anatomy_of(module, *net.shape))


@every_net
def test_torchinfo(net: Net) -> None:
    import torchinfo

    logging.getLogger("torchinfo").setLevel(logging.ERROR)
    module = on_meta(net.make)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = torchinfo.summary(module, (1, *net.shape), device="meta", verbose=0).total_mult_adds
    check("torchinfo", theirs, anatomy_of(module, *net.shape))


def test_multiply_adds_grow_with_the_batch_alone() -> None:
    net = on_meta(tv.mobilenet_v3_small)
    one, three = (look(net, [Input(shape=(3, 64, 64))], batch=batch).macs for batch in (1, 3))
    assert three == 3 * one


def test_attention_fused_and_by_hand_cost_the_same() -> None:
    fused = macs(
        Attention(heads=4, queries=10, keys=12, width=8),
        ((2, 4, 10, 8), (2, 4, 12, 8), (2, 4, 12, 6)),
        ((2, 4, 10, 6),),
    )
    assert fused == 2 * 4 * (10 * 12 * 8 + 10 * 12 * 6)


class Scan(nn.Module):
    """h <- a * h + b, with a and b made of the input."""

    def forward(self, x: Tensor) -> Tensor:
        gates, given, state = x.sigmoid(), x.tanh(), torch.zeros_like(x[:, :, 0])
        for step in range(x.shape[2]):
            state = gates[:, :, step] * state + given[:, :, step]
        return state


def test_a_scan_written_out_counts_a_multiply_add_a_step() -> None:
    assert anatomy_of(Scan(), 5, 7).macs == 5 * 7


def test_recurrent_with_projection_reads_every_weight_once_a_step() -> None:
    layer = nn.LSTM(6, 10, num_layers=3, proj_size=4, bidirectional=True, bias=False)
    weights = sum(one.numel() for one in layer.parameters())
    it = Recurrent(kind="lstm", inputs=6, hidden=10, layers=3, bidirectional=True, steps=9, projection=4)
    assert macs(it, ((9, 2, 6),), ((9, 2, 8),)) == 9 * 2 * weights


@pytest.mark.parametrize(("mode", "taps"), [("nearest", 0), ("linear", 4), ("cubic", 16)])
def test_resize_weighs_its_neighbours(mode: str, taps: int) -> None:
    it = Resize(mode=mode, align_corners=False, before=(4, 4), after=(8, 8))  # type: ignore[arg-type]
    assert macs(it, ((1, 3, 4, 4),), ((1, 3, 8, 8),)) == taps * 3 * 64


def test_what_has_no_rule_is_said() -> None:
    assert macs(Unknown(name="aten.fft"), ((1,),), ((1,),)) is None


def test_views_write_nothing_and_in_place_operations_write_what_they_change() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (2, 3)), nn.ReLU(inplace=True))
    rows = anatomy_of(net, 6).rows
    views = [row for row in rows if isinstance(row.operation, Rearrange | Regulariser)]
    assert [(row.cost.read, row.cost.written) for row in views] == [(0, 0)] * len(views)
    changed, *renewed = (row for row in rows if row not in views)
    assert (changed.cost.read, changed.cost.written) == (6 * 4, 6 * 4)
    assert all(row.source == "overlay" and row.cost.written == 0 for row in renewed)


class Moved(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flip(1) + x.mean(1, keepdim=True).expand_as(x)


def test_copies_are_written_and_expanded_tensors_are_read_once() -> None:
    flip, _, _, add = anatomy_of(Moved(), 6).rows
    assert (flip.cost.read, flip.cost.written) == (24, 24)
    assert (add.cost.read, add.cost.written) == (24 + 4, 24)


def test_a_lookup_reads_the_rows_that_it_takes() -> None:
    (row,) = look(nn.Embedding(1000, 5), [Input(shape=(7,), dtype="int64")]).rows
    assert (row.cost.read, row.cost.written) == (7 * 8 + 7 * 5 * 4, 7 * 5 * 4)
