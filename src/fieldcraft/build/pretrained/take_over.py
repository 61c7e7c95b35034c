"""From the plan's pretrained network to a module: the body, what its weights want to see, and a fresh head."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fieldcraft.build.optimiser import Pace
from fieldcraft.build.pretrained.bodies import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    body_name,
    body_of,
    features_of,
    fit_of,
)
from fieldcraft.build.pretrained.read import digest, read_tensors
from fieldcraft.errors import WeightsError
from fieldcraft.nn.blocks.image_view import ImageView
from fieldcraft.nn.networks.encoded import EncodedUNet
from fieldcraft.nn.networks.tapped import Tapped, taps_of
from fieldcraft.nn.networks.transferred import Transferred, parts
from fieldcraft.nn.thawing import Thawing, in_turn
from fieldcraft.plan import schema

GRAY_MEAN, GRAY_STD = (0.45,), (0.226,)
"""Of photographs, over the channels."""


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """How images come out of the loader: (pixel - mean) / std, of pixels from 0 to `full_scale`."""

    mean: Sequence[float]
    """Per channel."""
    std: Sequence[float]
    full_scale: float


def transferred(network: schema.Pretrained, *, shape: tuple[int, ...], outputs: int) -> Transferred:
    """The network as it is built before any weights are there, for images (channels, height, width).

    Raises: WeightsError when there is no such network or it does not take such images; MissingExtraError.
    """
    if len(shape) != 3:
        raise WeightsError(f"pretrained networks know images, but the input is {shape}.")
    size = (network.height, network.width)
    channels = 1 if network.order == "gray" else 3
    try:
        view = ImageView(
            shape[0], size, order=network.order, mean=network.mean, std=network.std, full_scale=network.full_scale
        )
    except ValueError as error:
        raise WeightsError(str(error)) from error
    body = body_of(network.family, network.model, channels)
    return Transferred(
        view, body, features_of(body, channels, size), outputs, dropout=network.dropout,
        adapt_statistics=network.tuning.statistics == "adapted",
    )  # fmt: skip


def take_over(net: Transferred, network: schema.Pretrained, pixels: Pixels) -> None:
    """Give the body the weights of its file, and tell the view how images come in.

    Raises: WeightsError when the file is missing, is another one than the plan was made with, or does not fit.
    """
    assert isinstance(net.view, ImageView)
    _load(net.body, network)
    net.view.see(pixels.mean, pixels.std, pixels.full_scale)


def encoded(network: schema.EncodedUNet, *, shape: tuple[int, ...], outputs: int, read_weights: bool) -> EncodedUNet:
    """The network with a fresh decoder, for pictures (channels, height, width) of mean 0 and deviation 1.

    They are shown as if their mean and deviation were those of photographs. Without `read_weights` it is ready for
    saved ones, and needs no file.
    Raises: WeightsError when there is no such network, it gives no maps to decode, it does not take such images, or
    its file is not there or another one; MissingExtraError.
    """
    if len(shape) != 3:
        raise WeightsError(f"pretrained networks know pictures, but patches have {len(shape) - 1} axes: --weights is "
                           "for masks in 2-D.")  # fmt: skip
    channels = 1 if network.order == "gray" else 3
    try:
        view = ImageView(
            shape[0], None, order=network.order, mean=network.mean, std=network.std, full_scale=network.full_scale
        )
    except ValueError as error:
        raise WeightsError(str(error)) from error
    mean, std = (IMAGENET_MEAN, IMAGENET_STD) if shape[0] == 3 else (GRAY_MEAN, GRAY_STD)
    view.see(mean, std, full_scale=1.0)
    body = body_of(network.family, network.model, channels)
    taps = taps_of(body, channels)
    if len(taps) < 2:
        raise WeightsError(
            f"{network.family} {network.model} gives no maps of several sizes for a decoder of masks to begin with: "
            "take a residual network, such as torchvision:resnet18."
        )
    if read_weights:
        _load(body, network)
    return EncodedUNet(
        Tapped(view, body, taps, adapt_statistics=network.statistics == "adapted"), outputs,
        widths=[tap.width for tap in taps], reductions=[tap.reduction for tap in taps], depth=network.decoder_depth,
        skips=network.skips, attention=network.attention, norm=network.norm, activation=network.activation,
    )  # fmt: skip


def _load(body: nn.Module, network: schema.TakenOver) -> None:
    path = Path(network.weights)
    if not path.is_file():
        raise WeightsError(
            f"the weights that the plan begins with are not there: {path}. Put the file back, or set "
            "ladder.rungs.NAME.network.weights to where it is now."
        )
    if (found := digest(path)) != network.digest:
        raise WeightsError(
            f"{path} is not the file that the plan was made with (its digest is {found}, the plan's {network.digest}): "
            "plan again with --weights."
        )
    fit = fit_of(body, read_tensors(path), body_name(network.family, network.model))
    if not fit.whole:
        raise WeightsError(
            f"{path} does not fit {network.family} {network.model}: {fit.matched} of {fit.wanted} tensors match."
        )
    body.load_state_dict(fit.state, strict=False)


def paces(net: nn.Module, network: schema.Network) -> dict[nn.Parameter, Pace]:
    """How each weight of the body learns: its share of the head's rate, growing by a constant from part to part.

    Nothing where the body learns like the head. Source: Howard and Ruder 2018, arXiv:1801.06146, section 3.2.
    """
    if isinstance(network, schema.EncodedUNet) and isinstance(net, EncodedUNet):
        assert isinstance(net.encoder, Tapped)
        return {} if network.first_rate == 1 else _graded(parts(net.encoder.body), network.first_rate)
    if not isinstance(network, schema.Pretrained) or not isinstance(net, Transferred):
        return {}
    tuning = network.tuning
    if tuning.first_rate == 1 and tuning.thawed_at == 0:
        return {}
    return _graded(parts(net.body), tuning.first_rate)


def _graded(found: Sequence[Sequence[nn.Parameter]], first_rate: float) -> dict[nn.Parameter, Pace]:
    count = len(found)
    return {
        weight: Pace(first_rate ** ((count - place) / count), place + 1)
        for place, part in enumerate(found)
        for weight in part
    }


def thawing(net: nn.Module, network: schema.Network) -> Thawing | None:
    """What freezes and thaws the body's parts; None where everything learns from the first step on."""
    if not isinstance(network, schema.Pretrained) or not isinstance(net, Transferred):
        return None
    tuning = network.tuning
    if tuning.thawed_at == 0:
        return None
    return Thawing(net, in_turn(parts(net.body), first=tuning.head_until, last=tuning.thawed_at))
