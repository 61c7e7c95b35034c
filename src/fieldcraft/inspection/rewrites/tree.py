"""The module tree: which layers are what they look like, and putting another in their place."""

from collections.abc import Callable
from typing import TypeGuard, TypeVar

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd

from fieldcraft.nn.blocks import instance_norm

Layer = TypeVar("Layer", bound=nn.Module)
Convolutions = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
Transposed = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
BatchNorms = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
InstanceNorms = (
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d, instance_norm.InstanceNorm2d, instance_norm.InstanceNorm3d,
)  # fmt: skip
"""fieldcraft's own have a forward of their own, which gives the same."""


def is_plain(module: nn.Module, kinds: tuple[type[Layer], ...]) -> TypeGuard[Layer]:
    """One of these kinds, with the kind's own forward, no hooks and no parametrisation (weight norm and the like)."""
    same = any(isinstance(module, kind) and type(module).forward is kind.forward for kind in kinds)
    hooked = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    return same and not hooked and not hasattr(module, "parametrizations")


def is_plain_convolution(module: nn.Module) -> TypeGuard[_ConvNd]:
    """A convolution over one to three axes, not transposed, with zeros around."""
    return is_plain(module, Convolutions) and module.padding_mode == "zeros"


def maker_of(layer: _ConvNd) -> Callable[..., _ConvNd]:
    """The constructor of the same kind of convolution; those over one, two and three axes take the same arguments."""
    return type(layer)


def axes_of(module: _ConvNd) -> int:
    """Spatial dimensions of a convolution."""
    return module.weight.dim() - 2


def is_batch_norm(module: nn.Module) -> TypeGuard[_BatchNorm]:
    """Batch norm, also of someone else's class as long as it keeps the buffers' names."""
    return isinstance(module, _BatchNorm) and not module._forward_hooks and not module._forward_pre_hooks


def beyond_norm(norm: _BatchNorm) -> nn.Module | None:
    """What is left of a batch norm without the norm; None when its forward is not known.

    timm's BatchNormAct2d holds dropout and the activation that follow it.
    """
    if is_plain(norm, BatchNorms):
        return nn.Identity()
    drop, act = getattr(norm, "drop", None), getattr(norm, "act", None)
    if type(norm).__name__ == "BatchNormAct2d" and isinstance(drop, nn.Module) and isinstance(act, nn.Module):
        return nn.Sequential(drop, act)
    return None


def put(root: nn.Module, path: str, new: nn.Module) -> None:
    """Replace a submodule wherever the tree holds it."""
    old = root.get_submodule(path)
    new.train(old.training)
    for parent in list(root.modules()):
        for name, child in parent._modules.items():
            if child is old:
                parent._modules[name] = new
