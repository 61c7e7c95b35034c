"""Bytes that activations take in inference and in training."""

from collections.abc import Hashable, Sequence
from contextlib import nullcontext
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fieldcraft.anatomy.fused_attention import NAME, attending, attention_without_numbers
from fieldcraft.anatomy.inputs import Input, make_tensors
from fieldcraft.anatomy.meta_copy import meta_copy, real_copy
from fieldcraft.anatomy.operations import arguments
from fieldcraft.anatomy.quick_norm import QuickNorms
from fieldcraft.anatomy.random_state import random_as_before
from fieldcraft.anatomy.recurrent import few_steps
from fieldcraft.anatomy.trace import Traced, default_dtype
from fieldcraft.records.anatomy import Memory


def memory_of(module: nn.Module, inputs: Sequence[Input | Tensor], traced: Traced, *, batch: int) -> Memory:
    """The most that lives at once in inference, and what autograd keeps in training; inputs count, parameters do not.

    Attention is counted as the kernel for the CPU saves it (see `attention_without_numbers`), and a note says how much
    more a kernel that keeps the scores may take.
    """
    inference = peak(traced)
    try:
        with torch.inference_mode(False):
            training = kept_for_backward(module, inputs, batch=batch, how=traced.how)
        return Memory(inference=inference, training=training, training_note=_about_attention(traced))
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        reason = f"the pass in training mode failed: {type(error).__name__}: {lines[0]}"
        return Memory(inference=inference, training=None, training_reason=reason.rstrip(": "))


def _about_attention(traced: Traced) -> str:
    """What kernels that are not fused keep besides, at most."""
    capture = traced.capture
    scores = 0
    for event in capture.events:
        if event.packet == NAME and not capture.is_static(event):
            given = arguments(event)
            query, key = (capture.values[given[name].value] for name in ("query", "key"))
            scores += prod(query.shape[:-1]) * key.shape[-2] * query.tensor.element_size()
    if not scores:
        return ""
    return (
        "attention counted as fused kernels save it (queries, keys, values, output, log-sum-exp); a kernel that is not "
        f"fused (dropout; on some devices a mask) keeps all scores: up to {scores / 2**20:,.1f} MiB more, twice that "
        "with dropout"
    )


def peak(traced: Traced) -> int:
    """The most bytes that live at once when each storage is freed after the last event that touches it.

    Views live in the storage of what they look at. The inputs live from beginning to end, because the caller holds
    them; so do outputs once they exist. Buffers that a kernel takes for itself are not known and not counted.
    """
    capture = traced.capture
    storage_of = [_storage(seen.tensor) for seen in capture.values]
    given = {storage_of[seen.id] for seen in capture.values if seen.origin in ("parameter", "buffer", "constant")}
    size = {key: _bytes(seen.tensor) for key, seen in zip(storage_of, capture.values, strict=True)}
    live = {storage_of[one] for one in traced.inputs} - given
    stays = live | {storage_of[one] for one in traced.outputs}
    touched = [
        {storage_of[one] for one in (*event.refs(), *event.outputs)} - given if event.outputs else set()
        for event in capture.events
    ]
    last = {key: place for place, keys in enumerate(touched) for key in keys}
    now = most = sum(size[key] for key in live)
    for place, keys in enumerate(touched):
        fresh = keys - live
        live |= fresh
        now += sum(size[key] for key in fresh)
        most = max(most, now)
        dead = {key for key in keys if last[key] == place} - stays
        live -= dead
        now -= sum(size[key] for key in dead)
    return most


def kept_for_backward(module: nn.Module, inputs: Sequence[Input | Tensor], *, batch: int, how: str = "meta") -> int:
    """Bytes that autograd keeps after a forward pass of a copy in training mode; each storage once.

    Batch norms of the copy use their running statistics, so that maps of one pixel need no second sample. The mean and
    the deviation that they would keep are counted all the same: without numbers torch keeps them in either mode, with
    numbers they are added here. Of a recurrent layer without numbers a few steps are run: what is kept grows by the
    same with each. Raises whatever the module raises.
    """
    device = "meta" if how == "meta" else "cpu"
    copy = (meta_copy(module) if how == "meta" else real_copy(module)).train()
    own = {_storage(tensor) for tensor in (*copy.parameters(), *copy.buffers())}
    kept: dict[int, Tensor] = {}
    statistics: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        key = _storage(tensor)
        if key not in own:
            kept.setdefault(key, tensor)
        return tensor

    def add_statistics(norm: nn.Module, args: object, result: Tensor) -> None:
        assert isinstance(norm, _BatchNorm)
        if result.requires_grad and not result.is_meta:
            statistics.append(2 * norm.num_features * max(4, result.element_size()))

    beyond: list[int] = []
    growths: dict[Hashable, int] = {}
    for one in copy.modules():
        if isinstance(one, nn.RNNBase):
            one.forward = few_steps(one, lambda: sum(map(_bytes, kept.values())), beyond.append, growths)
        if isinstance(one, _BatchNorm) and one.running_mean is not None:
            one.training = False
            one.register_forward_hook(add_statistics)
    positional, named = make_tensors(inputs, batch=batch, device=device, default=default_dtype(module))
    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    attention = attending(attention_without_numbers) if how == "meta" else nullcontext()
    with random_as_before(), torch.enable_grad(), hooks, QuickNorms(), attention:
        copy(*positional, **named)
    return sum(map(_bytes, kept.values())) + sum(statistics) + sum(beyond)


def _storage(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except NotImplementedError:  # sparse and nested tensors have none
        return id(tensor)


def _bytes(tensor: Tensor) -> int:
    """Of the whole storage, which lives as long as any view of it."""
    try:
        return tensor.untyped_storage().nbytes()
    except NotImplementedError:
        return tensor.numel() * tensor.element_size()
