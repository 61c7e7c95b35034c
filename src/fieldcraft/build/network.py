"""From the plan's network to a module with its starting weights."""

from typing import assert_never

import torch
from torch import Tensor, nn

from fieldcraft.build.imported import load_target
from fieldcraft.build.mask_network import build_mask_network
from fieldcraft.build.pretrained.take_over import Pixels, encoded, take_over, transferred
from fieldcraft.errors import PlanError, WeightsError
from fieldcraft.nn.initialise import initialise_, keep_whitening, whiten_, zero_residual_
from fieldcraft.nn.networks.linear import LinearNetwork
from fieldcraft.nn.networks.mlp import MlpNetwork
from fieldcraft.nn.networks.staged import Cnn, ResNet
from fieldcraft.plan import schema
from fieldcraft.records.streams import stream_seed


def build_network(
    network: schema.Network,
    *,
    shape: tuple[int, ...],
    outputs: int,
    initialisation: schema.Initialisation,
    seed: int,
    name: str,
    patches: Tensor | None = None,
    pixels: Pixels | None = None,
    masks: bool = False,
    read_weights: bool = True,
) -> nn.Module:
    """The network on the CPU, its weights drawn from the stream (seed, "init", name).

    `shape` is (channels, height, width) or (features,); of masks (channels, *patch). With `initialisation.whiten`, a
    network that begins with a convolution gets whitening filters from `patches`, (n, channels, h, w) normalised
    training images or parts of them; without `patches` it gets the same structure, ready for saved weights. An
    imported network is called as `target(shape, outputs)` and keeps the weights that it comes with; with `masks` it
    must answer for each voxel. A network that is taken over reads the weights of its file; of images `pixels` must say
    how they come in. Without `read_weights` it is made ready for saved weights, or to be looked at, and needs neither.

    Raises: PlanError when the network does not fit the input, or an imported one does not do what is asked of it;
    WeightsError when the file is missing, is another one than the plan was made with, or does not fit, or there are no
    `pixels`.
    """
    generator = torch.Generator().manual_seed(stream_seed(seed, "init", name))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream_seed(seed, "init", name))
        if isinstance(network, schema.Imported):
            return _imported(network.target, shape, outputs, masks=masks)
        if isinstance(network, schema.Pretrained):
            return _pretrained(network, shape, outputs, pixels, read_weights, name)
        if isinstance(network, schema.EncodedUNet):
            return _encoded(network, shape, outputs, read_weights, name)
        try:
            module = _own(network, shape, outputs)
        except ValueError as error:
            raise PlanError(f"network of rung {name}: {error}") from error
    whitening = keep_whitening(module) if initialisation.whiten else None
    initialise_(module, initialisation.kind, generator)
    if initialisation.zero_residual:
        zero_residual_(module)
    if whitening is not None and patches is not None:
        whiten_(whitening, patches)
    return module


OwnNetwork = schema.Linear | schema.Mlp | schema.Cnn | schema.ResNet | schema.UNet | schema.DeepMedic | schema.Atrous


def _own(network: OwnNetwork, shape: tuple[int, ...], outputs: int) -> nn.Module:
    match network:
        case schema.Linear():
            return LinearNetwork(shape, outputs)
        case schema.Mlp():
            return MlpNetwork(
                shape,
                outputs,
                widths=network.widths,
                norm=network.norm,
                activation=network.activation,
                dropout=network.dropout,
                residual=network.residual,
            )
        case schema.Cnn():
            return Cnn(
                _image(shape),
                outputs,
                widths=network.widths,
                depth=network.depth,
                kernel=network.kernel,
                padding=network.padding,
                downsample=network.downsample,
                norm=network.norm,
                norm_place=network.norm_place,
                activation=network.activation,
                head=network.head,
                levels=network.levels,
                separable=network.separable,
                dropout=network.dropout,
            )
        case schema.ResNet():
            return ResNet(
                _image(shape),
                outputs,
                widths=network.widths,
                depths=network.depths,
                kernel=network.kernel,
                downsample=network.downsample,
                norm=network.norm,
                norm_place=network.norm_place,
                activation=network.activation,
                head=network.head,
                levels=network.levels,
                separable=network.separable,
                squeeze_excitation=network.squeeze_excitation,
                dropout=network.dropout,
                drop_path=network.drop_path,
            )
        case schema.UNet() | schema.DeepMedic() | schema.Atrous():
            return build_mask_network(network, channels=shape[0], spatial=len(shape) - 1, classes=outputs)
        case _:
            assert_never(network)


def _pretrained(
    network: schema.Pretrained, shape: tuple[int, ...], outputs: int, pixels: Pixels | None, read: bool, name: str
) -> nn.Module:
    try:
        net = transferred(network, shape=shape, outputs=outputs)
        if read:
            if pixels is None:
                raise WeightsError(f"it is taken over from {network.weights}: say how images come in (pixels).")
            take_over(net, network, pixels)
    except WeightsError as error:
        raise WeightsError(f"network of rung {name}: {error}") from error
    return net


def _encoded(network: schema.EncodedUNet, shape: tuple[int, ...], outputs: int, read: bool, name: str) -> nn.Module:
    try:
        return encoded(network, shape=shape, outputs=outputs, read_weights=read)
    except WeightsError as error:
        raise WeightsError(f"network of rung {name}: {error}") from error


def _image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(f"it needs images, (channels, height, width), but the input is {shape}: use linear or mlp.")
    return shape[0], shape[1], shape[2]


def _imported(target: str, shape: tuple[int, ...], outputs: int, *, masks: bool) -> nn.Module:
    call = f"{target}({shape}, {outputs})"
    try:
        module = load_target(target, "network")(shape, outputs)
    except PlanError:
        raise
    except Exception as error:
        raise PlanError(
            f"network: {call} failed with {type(error).__name__}: {error}. It is called as target(shape, outputs)."
        ) from error
    if not isinstance(module, nn.Module):
        raise PlanError(f"network: {call} must return a torch.nn.Module, but it returned a {type(module).__name__}.")
    try:
        with torch.no_grad():
            result = module.eval()(torch.zeros(2, *shape))
    except Exception as error:
        raise PlanError(
            f"network: the module from {call} failed on a batch of zeros of shape {(2, *shape)} with "
            f"{type(error).__name__}: {error}."
        ) from error
    got = tuple(result.shape) if isinstance(result, Tensor) else type(result).__name__
    wanted = (outputs, *shape[1:]) if masks else (outputs,)
    if got != (2, *wanted):
        each = ", ".join(map(str, wanted))
        raise PlanError(
            f"network: the module from {call} must give (n, {each}) for a batch of n samples, but gave {got} for 2."
        )
    return module.train()
