"""Activation functions by name."""

from typing import Literal, assert_never

from torch import nn

ActivationKind = Literal["relu", "leaky-relu", "gelu", "silu", "tanh", "sigmoid", "identity"]


def make_activation(kind: ActivationKind) -> nn.Module:
    """A new activation module; never in place, so that a skip path that shares its input stays untouched.

    Shape: any -> same. "leaky-relu" has PyTorch's slope of 0.01 below zero; "gelu" is the exact form.
    """
    match kind:
        case "relu":
            return nn.ReLU()
        case "leaky-relu":
            return nn.LeakyReLU()
        case "gelu":
            return nn.GELU()
        case "silu":
            return nn.SiLU()
        case "tanh":
            return nn.Tanh()
        case "sigmoid":
            return nn.Sigmoid()
        case "identity":
            return nn.Identity()
        case _:
            assert_never(kind)
