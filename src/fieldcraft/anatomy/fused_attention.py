"""Scaled dot-product attention as the one call that it is.

Torch takes it apart before a dispatch mode can see it, and on the meta device always into products, a softmax and all
pairs of scores. While a block of `attending` runs, calls by the name in `torch.nn.functional` (which
`nn.MultiheadAttention`, timm and transformers use) come to a function of ours instead; a call by another name is seen
in its parts.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock, get_ident
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

Attend = Callable[..., Tensor]
NAME = "scaled_dot_product_attention"
_ONE_AT_A_TIME = RLock()


@contextmanager
def attending(attend: Attend) -> Iterator[None]:
    """Hand each attention of this thread inside of the block to `attend`, with the arguments that were given."""
    with _ONE_AT_A_TIME:
        before: Attend = functional.scaled_dot_product_attention
        owner = get_ident()

        @wraps(before)
        def stand_in(*args: Any, **kwargs: Any) -> Tensor:
            return (attend if get_ident() == owner else before)(*args, **kwargs)

        functional.scaled_dot_product_attention = stand_in
        try:
            yield
        finally:
            functional.scaled_dot_product_attention = before


PLAIN: Attend = torch._C._nn.scaled_dot_product_attention


def attention_without_numbers(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """The call on the meta device: shapes, strides and what autograd saves are those of the kernel for the CPU.

    Fused where that kernel takes the call: queries, keys, values, output and log-sum-exp are saved. Taken apart, with
    the scores of all pairs, otherwise: dropout, a mask that learns, heads shared between queries (`enable_gqa`), values
    of another width than the keys, and tensors that have not four dimensions.
    """
    if not query.is_meta or enable_gqa or dropout_p > 0 or not _fuses(query, key, value, attn_mask):
        return PLAIN(query, key, value, attn_mask, dropout_p, is_causal, scale=scale, enable_gqa=enable_gqa)
    mask = attn_mask
    if mask is not None and mask.dtype == torch.bool:  # the kernel adds it to the scores
        mask = torch.empty_like(mask, dtype=query.dtype)
    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    out: Tensor = fused(query, key, value, 0.0, is_causal, attn_mask=mask, scale=scale)[0]
    return out


def _fuses(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> bool:
    """The conditions of torch 2 (`sdp_utils_cpp.cpp`)."""
    three = (query, key, value)
    return (
        all(one.dim() == 4 and one.numel() > 0 and one.stride(-1) == 1 for one in three)
        and len({one.dtype for one in three}) == 1
        and query.is_floating_point()
        and query.shape[:2] == key.shape[:2] == value.shape[:2]
        and query.shape[3] == key.shape[3] == value.shape[3]
        and key.shape[2] == value.shape[2]
        and (mask is None or (mask.dim() in (2, 4) and not mask.requires_grad and _spreads(mask, query, key)))
    )


def _spreads(mask: Tensor, query: Tensor, key: Tensor) -> bool:
    """Over all scores; the fused kernel's rule for meta tensors does not look, the parts do and say what is wrong."""
    scores = (*query.shape[:-1], key.shape[-2])
    return all(own in (1, side) for own, side in zip(reversed(mask.shape), reversed(scores), strict=False))
