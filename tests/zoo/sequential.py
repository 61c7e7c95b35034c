"""Positive linear stand-ins for attention and recurrent layers."""

from typing import Any

import torch
from tests.zoo.call import MASKED, Call, active


def attention(call: Call) -> Any:
    """Each output on its query, and on the keys and values that the mask lets through."""
    query, key, value = (call.get(i, name) for i, name in enumerate(("query", "key", "value")))
    if not any(active(part) for part in (query, key, value)):
        return call.original()
    mask, causal = call.get(3, "attn_mask"), call.get(5, "is_causal", False)
    if call.kwargs.get("enable_gqa"):
        times = query.shape[-3] // key.shape[-3]
        key, value = key.repeat_interleave(times, dim=-3), value.repeat_interleave(times, dim=-3)
    allowed = query.new_ones(query.shape[-2], key.shape[-2])
    if causal:
        allowed = allowed.tril()
    if mask is not None:
        allowed = allowed * (mask if mask.dtype is torch.bool else mask.detach() > MASKED).to(allowed)
    seen = value + key.mean(-1, keepdim=True)
    return (allowed / key.shape[-2]) @ seen + query.mean(-1, keepdim=True)


def recurrent(call: Call) -> Any:
    """Each step on itself and the steps before it, or behind it in the other direction."""
    x, state, flat = call.args[0], call.args[1], call.args[2]
    if not active(x):
        return call.original()
    if not isinstance(flat, tuple | list):
        raise NotImplementedError("the oracle has no stand-in for packed sequences.")
    layers, both_ways, batch_first = call.args[4], call.args[7], call.args[8]
    original = call.shape_of_original()
    time = 1 if batch_first and x.dim() == 3 else 0
    steps = x.mean(-1, keepdim=True)
    for part in state if isinstance(state, tuple | list) else (state,):
        if active(part):
            steps = steps + part.mean()
    past = future = steps
    for _ in range(layers):
        past = steps.cumsum(time) / steps.shape[time]
        future = steps.flip(time).cumsum(time).flip(time) / steps.shape[time]
        steps = past + future if both_ways else past
    wide = original[0].shape[-1]
    ways = [past.expand(*past.shape[:-1], wide // 2), future.expand(*future.shape[:-1], wide // 2)]
    output = torch.cat(ways, -1) if both_ways else past.expand(*past.shape[:-1], wide)
    last = past.select(time, -1) + (future.select(time, 0) if both_ways else 0.0)
    return output.clone(), *(last.expand_as(part).clone() for part in original[1:])


def cell(call: Call) -> Any:
    """One step on its input and its state."""
    x, state = call.args[0], call.args[1]
    parts = [x, *(state if isinstance(state, tuple | list) else (state,))]
    if not any(active(part) for part in parts):
        return call.original()
    original = call.shape_of_original()
    mean = sum((part.mean(-1, keepdim=True) for part in parts[1:]), x.mean(-1, keepdim=True))
    if isinstance(original, tuple):
        return tuple(mean.expand_as(part).clone() for part in original)
    return mean.expand_as(original).clone()


def unsupported(call: Call) -> Any:
    if any(active(arg) for arg in call.args):
        raise NotImplementedError(f"the oracle has no positive linear stand-in for {call.name!r}.")
    return call.original()
