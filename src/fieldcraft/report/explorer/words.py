"""Operations in words, as a person would name the layer."""

from typing import assert_never

from fieldcraft.records.operations import (
    Activation,
    AdaptivePool,
    Arithmetic,
    Attention,
    Concatenate,
    Convolution,
    Create,
    Linear,
    Lookup,
    MatMul,
    Normalisation,
    Operation,
    Pad,
    Pointwise,
    Pool,
    Rearrange,
    Recurrent,
    Reduce,
    Regulariser,
    Resize,
    Softmax,
    Unknown,
)

BY = "\N{MULTIPLICATION SIGN}"
TO = "\N{RIGHTWARDS ARROW}"
QUIET = frozenset({"clone", "contiguous", "detach", "alias", "lift_fresh", "lift", "_to_copy", "to"})
"""Pointwise operations that leave the numbers as they are."""


def in_words(operation: Operation) -> str:
    """Such as "3x3 convolution, stride 2, 64 -> 128"."""
    match operation:
        case Convolution():
            return _convolution(operation)
        case Pool(kind=kind, kernel=kernel, stride=stride):
            return _parts(f"{window(kernel)} {kind} pool", _unless(stride, 1, "stride"))
        case AdaptivePool(kind=kind, size=size):
            return f"global {kind} pool" if set(size) == {1} else f"adaptive {kind} pool to {extent(size)}"
        case Resize(mode=mode, before=before, after=after):
            return f"{mode} resize, {extent(before)} {TO} {extent(after)}"
        case Normalisation(kind=kind, channels=channels, groups=groups):
            return _parts(f"{kind} norm", f"{channels} channels", f"{groups} groups" if kind == "group" else "")
        case Activation(name=name) | Arithmetic(name=name) | Pointwise(name=name):
            return _plain(name)
        case Softmax(log=log):
            return "log-softmax" if log else "softmax"
        case Linear(inputs=inputs, outputs=outputs, bias=bias):
            return _parts("linear", f"{inputs} {TO} {outputs}", "" if bias else "no bias")
        case MatMul(rows=rows, inner=inner, columns=columns):
            return f"matrix product, {rows}{BY}{inner} by {inner}{BY}{columns}"
        case Attention(heads=heads, queries=queries, keys=keys, width=width):
            return f"attention, {heads} heads of {width}, {queries} queries, {keys} keys"
        case Recurrent():
            return _recurrent(operation)
        case Concatenate(parts=parts):
            return f"concatenate {parts}"
        case Pad(before=before, after=after, mode=mode):
            return f"pad, {extent(before)} before, {extent(after)} after, {mode}"
        case Reduce(name=name):
            return f"{_plain(name)} over dimensions"
        case Rearrange(name=name) | Create(name=name):
            return _plain(name)
        case Lookup(name=name, table=table):
            return f"{_plain(name)}, table of {table}"
        case Regulariser(kind=kind, probability=probability):
            return _parts(kind, f"p = {probability:g}" if kind != "identity" else "")
        case Unknown(name=name):
            return f"{name} (no rule)"
        case _:
            assert_never(operation)


def is_quiet(operation: Operation) -> bool:
    """Moves numbers or makes constants, but computes nothing: left out of the graph until it is asked for."""
    match operation:
        case Rearrange(name=name):
            return name not in ("pixel_shuffle", "pixel_unshuffle", "roll", "im2col", "channel_shuffle")
        case Pointwise(name=name):
            return name in QUIET
        case Create():
            return True
        case _:
            return False


def window(lengths: tuple[int, ...]) -> str:
    """3x3; "3-wide" along a single axis."""
    return f"{lengths[0]}-wide" if len(lengths) == 1 else BY.join(map(str, lengths))


def extent(lengths: tuple[int, ...]) -> str:
    """A single number where all axes agree, else 1x2x2."""
    return str(lengths[0]) if len(set(lengths)) == 1 else BY.join(map(str, lengths))


def _convolution(of: Convolution) -> str:
    kind = "depthwise convolution" if of.depthwise else "convolution"
    grouped = f"{of.groups} groups" if of.groups > 1 and not of.depthwise else ""
    return _parts(
        f"{window(of.kernel)} {'transposed ' if of.transposed else ''}{kind}",
        _unless(of.stride, 1, "stride"),
        _unless(of.dilation, 1, "dilation"),
        grouped,
        f"{of.inputs} {TO} {of.outputs}",
    )


def _recurrent(of: Recurrent) -> str:
    layers = f"{of.layers} layers" if of.layers > 1 else ""
    both = "both directions" if of.bidirectional else ""
    return _parts(of.kind.upper(), layers, both, f"{of.inputs} {TO} {of.hidden}", f"{of.steps} steps")


def _unless(lengths: tuple[int, ...], usual: int, name: str) -> str:
    return "" if set(lengths) == {usual} else f"{name} {extent(lengths)}"


def _plain(name: str) -> str:
    return name.strip("_").replace("_", " ")


def _parts(*parts: str) -> str:
    return ", ".join(part for part in parts if part)
