"""Multiply-adds by fieldcraft and by three other tools, over torchvision's nets, at batch 1.

fieldcraft, flop_counter and torchinfo look at tensors without numbers; flop_counter also at real ones, where it misses
fused attention; fvcore needs real ones. tests/anatomy/other_counters.py explains the differences to the last
multiply-add, but for MaxViT by fvcore: it takes einsum from numpy's text, which is rounded to four digits.

Run: python benchmarks/agreement.py
"""

import gc
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch
import torchvision.models as tv
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.look import look
from result import write

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.anatomy.other_counters import explained

IMAGE = (3, 224, 224)
LARGE = (3, 299, 299)
NAMES = (
    *("alexnet", "vgg11", "vgg16_bn", "resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121"),
    *("squeezenet1_0", "mobilenet_v2", "mobilenet_v3_large", "mnasnet1_0", "shufflenet_v2_x1_0", "efficientnet_b0"),
    *("efficientnet_v2_s", "regnet_y_400mf", "convnext_tiny", "vit_b_16", "swin_t", "swin_v2_t", "maxvit_t"),
)
Net = tuple[Callable[[], nn.Module], tuple[int, ...]]
NETS: dict[str, Net] = {
    **{name: (getattr(tv, name), IMAGE) for name in NAMES},
    "googlenet": (lambda: tv.googlenet(init_weights=False), IMAGE),
    "inception_v3": (lambda: tv.inception_v3(init_weights=False), LARGE),
    "fcn_resnet50": (lambda: tv.segmentation.fcn_resnet50(weights=None, weights_backbone=None), IMAGE),
    "deeplabv3_resnet50": (lambda: tv.segmentation.deeplabv3_resnet50(weights=None, weights_backbone=None), IMAGE),
    "r3d_18": (tv.video.r3d_18, (3, 8, 112, 112)),
    "s3d": (tv.video.s3d, (3, 16, 224, 224)),
}


def made(make: Callable[[], nn.Module]) -> nn.Module:
    """Without numbers, unless building it needs some."""
    try:
        with torch.device("meta"):
            return make().eval()
    except (NotImplementedError, RuntimeError):
        return make().eval()


def zeros(module: nn.Module) -> nn.Module:
    """With numbers, all zero."""
    module = module.to_empty(device="cpu")
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            tensor.zero_()
    return module


def by_flop_counter(module: nn.Module, given: torch.Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(given)
    return counter.get_total_flops() // 2


def by_fvcore(module: nn.Module, given: torch.Tensor) -> int:
    from fvcore.nn import FlopCountAnalysis

    counter = FlopCountAnalysis(module, given).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    return int(counter.total())


def by_torchinfo(module: nn.Module, shape: tuple[int, ...]) -> int:
    import torchinfo

    return int(torchinfo.summary(module, (1, *shape), device="meta", verbose=0).total_mult_adds)


def compared(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> dict[str, object]:
    """All counts of one net, and the reasons for what is left."""
    module = made(make).to("meta")
    anatomy = look(module, [Input(shape=shape)])
    counts = {
        "flop_counter": by_flop_counter(module, torch.empty(1, *shape, device="meta")),
        "torchinfo": by_torchinfo(module, shape),
    }
    real, given = zeros(module), torch.zeros(1, *shape)
    counts["fvcore"] = by_fvcore(real, given)
    on_real = by_flop_counter(real, given)
    reasons = {tool: explained(tool, anatomy) for tool in counts}  # type: ignore[arg-type]
    return {
        "shape": list(shape),
        "parameters": anatomy.parameter_count,
        "fieldcraft": anatomy.macs,
        "uncounted_operations": len(anatomy.uncounted),
        **counts,
        "flop_counter_on_real_tensors": on_real,
        "differences": reasons,
        "unexplained": {
            tool: count - anatomy.macs - sum(reasons[tool].values())
            for tool, count in counts.items()
            if count != anatomy.macs + sum(reasons[tool].values())
        },
    }


def main() -> None:
    """One net after the other; nothing is timed."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    measured = {}
    for name, (make, shape) in NETS.items():
        measured[name] = compared(make, shape)
        print(name, measured[name]["fieldcraft"], measured[name]["unexplained"], file=sys.stderr, flush=True)
        gc.collect()
    write(
        "agreement",
        "Multiply-adds of one sample by fieldcraft and by others; theirs = ours + differences + unexplained",
        {
            "tools": {name: version(name) for name in ("torch", "torchvision", "fvcore", "torchinfo")},
            "nets": measured,
            "nets_explained_exactly": sum(not one["unexplained"] for one in measured.values()),
            "of": len(measured),
        },
    )


if __name__ == "__main__":
    main()
