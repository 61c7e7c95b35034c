"""Group norm in the place of batch norm.

What it does: numbers are normalised over groups of channels of one sample (32 groups, or the largest number below that
divides the channels), so that the size of the batch does not matter.
Unsafe: the function changes. It stays what it was for a sample whose groups have the mean and variance that the running
statistics say.
Left alone: reused or hooked norms, and norms whose forward is their own.
Weights: with group mean m and variance s2 of the running statistics (s2 = mean of variance + mean^2, less m^2),
gamma' = gamma sqrt((s2 + eps) / (variance + eps)) and beta' = beta + gamma (m - mean) / sqrt(variance + eps).
Cost: statistics are computed in evaluation as well; two numbers a channel less.
Source: Wu and He 2018, arXiv:1803.08494.
"""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from fieldcraft.inspection.rewrites.flow import Flow
from fieldcraft.inspection.rewrites.interface import Change, Options, Outcome, Rewrite
from fieldcraft.inspection.rewrites.tree import beyond_norm, is_batch_norm, put
from fieldcraft.records.anatomy import Anatomy

GROUPS = 32


def apply(module: nn.Module, anatomy: Anatomy, options: Options) -> Outcome:
    """Replace every batch norm."""
    flow = Flow(anatomy)
    changes, left = [], []
    for path, norm in list(module.named_modules()):
        if not is_batch_norm(norm) or not options.wanted(path):
            continue
        rest = beyond_norm(norm)
        if rest is None or path not in flow.rows:
            left.append(Change(path=path, what="its forward is its own, or it is never called"))
            continue
        new = grouped(norm)
        put(module, path, new if isinstance(rest, nn.Identity) else nn.Sequential(new, *rest.children()))
        changes.append(Change(path=path, what=f"{norm.num_features} channels in {new.num_groups} groups"))
    return Outcome(changes=tuple(changes), left=tuple(left))


def grouped(norm: _BatchNorm) -> nn.GroupNorm:
    """Group norm that does the same where the groups are as the running statistics say."""
    channels = norm.num_features
    groups = next(
        count
        for count in range(min(GROUPS, channels), 0, -1)
        if (channels % count == 0 and count < channels) or count == 1
    )
    new = nn.GroupNorm(groups, channels, eps=norm.eps)
    new.to(next((one for one in (norm.weight, norm.running_mean) if one is not None), new.weight))
    with torch.no_grad():
        gamma = torch.ones(channels).double().to(new.weight.device) if norm.weight is None else norm.weight.double()
        beta = torch.zeros_like(gamma) if norm.bias is None else norm.bias.double()
        if norm.running_mean is not None and norm.running_var is not None:
            mean, variance = norm.running_mean.double(), norm.running_var.double()
            shared = mean.reshape(groups, -1).mean(1)
            spread = (variance + mean**2).reshape(groups, -1).mean(1) - shared**2
            each = channels // groups
            scale = gamma / (variance + norm.eps).sqrt()
            beta = beta + scale * (shared.repeat_interleave(each) - mean)
            gamma = scale * (spread + norm.eps).sqrt().repeat_interleave(each)
        new.weight.copy_(gamma)
        new.bias.copy_(beta)
    return new


REWRITE = Rewrite(
    name="group-norm",
    codes=("FC022",),
    safe=False,
    training_too=False,
    looks_for="a batch norm",
    apply=apply,
)
