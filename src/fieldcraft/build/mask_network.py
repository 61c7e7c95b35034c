"""From the plan's networks of masks to modules, and what each of them wants of a patch."""

from dataclasses import dataclass
from typing import assert_never

from torch import nn

from fieldcraft.nn.networks.atrous import AtrousNet
from fieldcraft.nn.networks.deepmedic import DeepMedic
from fieldcraft.nn.networks.unet import UNet
from fieldcraft.plan import masks as plan


@dataclass(frozen=True, kw_only=True)
class Wants:
    """What a network asks of the patches that it is given."""

    context: tuple[int, ...]
    """Voxels that it looks beyond its answer on each side."""
    multiple: tuple[int, ...]
    """Sides of its answer are multiples of this."""
    any_size: bool
    """Whether it answers for images of other sizes than it was trained on."""

    def patch(self, sides: tuple[int, ...]) -> tuple[int, ...]:
        """The nearest patch that it can answer for, no smaller than `sides`."""
        return tuple(-(-side // step) * step for side, step in zip(sides, self.multiple, strict=True))


def wants(net: nn.Module, spatial: int, *, own: bool) -> Wants:
    """Of a module that was built; one's own network (`own`) is only ever given patches of the plan's size."""
    if isinstance(net, DeepMedic):
        return Wants(context=net.margin, multiple=net.multiple, any_size=True)
    return Wants(context=(0,) * spatial, multiple=(1,) * spatial, any_size=not own)


def build_mask_network(
    network: plan.UNet | plan.DeepMedic | plan.Atrous, *, channels: int, spatial: int, classes: int
) -> nn.Module:
    """(n, channels, *spatial) -> logits (n, classes, *spatial), less the context of networks without padding.

    Raises: ValueError when the network is laid out for another number of axes.
    """
    match network:
        case plan.UNet():
            _axes(len(network.kernels[0]), spatial)
            return UNet(
                channels,
                classes,
                spatial=spatial,
                widths=network.widths,
                kernels=network.kernels,
                strides=network.strides,
                encoder=network.encoder,
                depths=network.depths,
                decoder_depths=network.decoder_depth,
                downsample=network.downsample,
                skips=network.skips,
                attention=network.attention,
                squeeze_excitation=network.squeeze_excitation,
                separable=network.separable,
                norm=network.norm,
                activation=network.activation,
                deep_supervision=network.deep_supervision,
            )
        case plan.DeepMedic():
            _axes(len(network.kernel), spatial)
            return DeepMedic(
                channels,
                classes,
                spatial=spatial,
                widths=network.widths,
                kernel=network.kernel,
                factors=(1, *network.factors),
                hidden=network.joined,
                norm=network.norm,
                activation=network.activation,
                dropout=network.dropout,
            )
        case plan.Atrous():
            return AtrousNet(
                channels,
                classes,
                spatial=spatial,
                widths=network.widths,
                depths=network.depths,
                output_stride=network.output_stride,
                rates=network.rates,
                image_pooling=network.image_pooling,
                norm=network.norm,
                activation=network.activation,
            )
        case _:
            assert_never(network)


def _axes(planned: int, spatial: int) -> None:
    if planned != spatial:
        raise ValueError(f"its kernels have {planned} axes, but patches have {spatial}: give each one number an axis.")
