"""Bodies of networks that weights can be taken over into: what they give instead of their own head's answers."""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, assert_never

import torch
from torch import Tensor, nn

from fieldcraft.build.pretrained.published import PUBLISHED, Published
from fieldcraft.errors import MissingExtraError, WeightsError
from fieldcraft.nn.networks.transferred import pooled
from fieldcraft.plan.shape import nearest
from fieldcraft.records.weights import Family, Wants

IMAGENET_SIZE, IMAGENET_MEAN, IMAGENET_STD = (224, 224), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def body_of(family: Family, model: str, channels: int) -> nn.Module:
    """The body with random weights, its tensors called as `body_name` says.

    Raises: WeightsError when the family has no such network; MissingExtraError when its library is not installed.
    """
    match family:
        case "cifar-resnet" | "squeezenet":
            return published(family, model).build(1, channels).get_submodule("body")
        case "torchvision":
            return _torchvision(model)
        case "timm":
            return _timm(model)
        case _:
            assert_never(family)


def published(family: Family, model: str) -> Published:
    """What is known of a network of ours. Raises: WeightsError when there is none of that name."""
    for one in PUBLISHED:
        if (one.family, one.model) == (family, model):
            return one
    known = tuple(one.model for one in PUBLISHED if one.family == family)
    raise WeightsError(f"there is no {family} {model}{nearest(model, known) or '.'} There are {', '.join(known)}.")


def body_name(family: Family, model: str) -> Callable[[str], str]:
    """What a tensor of a checkpoint is called in the body; tensors of heads keep names that no body has."""
    if family in ("torchvision", "timm"):
        return lambda name: name
    ours = published(family, model).ours
    return lambda name: ours(name).removeprefix("body.")


def wants_of(family: Family, model: str) -> Wants:
    """How the weights that are published for a network want their images; ImageNet's usual where nothing is said.

    Raises: as `body_of`.
    """
    match family:
        case "cifar-resnet" | "squeezenet":
            return published(family, model).wants
        case "torchvision":
            return _torchvision_wants(model)
        case "timm":
            found = library("timm").get_pretrained_cfg(model)
            _, height, width = found.input_size if found else (3, *IMAGENET_SIZE)
            mean, std = (found.mean, found.std) if found else (IMAGENET_MEAN, IMAGENET_STD)
            return Wants(height=height, width=width, order="rgb", mean=tuple(mean), std=tuple(std), full_scale=1.0)
        case _:
            assert_never(family)


@dataclass(frozen=True, eq=False)
class Fit:
    """How a checkpoint fits a body."""

    state: dict[str, Tensor]
    """The tensors that fit, by the body's names."""
    wanted: int
    """Tensors that the body has; counters of norms, which nothing depends on, apart."""

    @property
    def matched(self) -> int:
        """Tensors that fit, without counters."""
        return sum(not _counter(name) for name in self.state)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return self.matched == self.wanted


def fit_of(body: nn.Module, tensors: Mapping[str, Tensor], called: Callable[[str], str]) -> Fit:
    """Which tensors of a checkpoint have a place of the same shape in the body."""
    places = body.state_dict()
    renamed = {called(name): value for name, value in tensors.items()}
    state = {name: value for name, value in renamed.items() if name in places and value.shape == places[name].shape}
    return Fit(state, sum(not _counter(name) for name in places))


@torch.no_grad()
def features_of(body: nn.Module, channels: int, size: tuple[int, int]) -> int:
    """How many numbers the body gives for an image. Raises: WeightsError when it does not take images of that size."""
    training = body.training
    try:
        found = pooled(body.eval()(torch.zeros(1, channels, *size)))
    except (RuntimeError, ValueError, AssertionError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise WeightsError(f"the network does not take images of {size[0]}x{size[1]} px: {why}") from error
    finally:
        body.train(training)
    return int(found.shape[1])


def _counter(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _torchvision_wants(model: str) -> Wants:
    best = next(iter(library("torchvision").models.get_model_weights(model)), None)
    seen = best.transforms() if best is not None else None
    side = seen.crop_size[0] if seen is not None else IMAGENET_SIZE[0]
    mean, std = (seen.mean, seen.std) if seen is not None else (IMAGENET_MEAN, IMAGENET_STD)
    return Wants(height=side, width=side, order="rgb", mean=tuple(mean), std=tuple(std), full_scale=1.0)


def known_name(family: Literal["torchvision", "timm"], model: str) -> None:
    """Raises: WeightsError when the library has no such classifier, naming the nearest; MissingExtraError."""
    found = library(family)
    if family == "timm":
        known = found.is_model(model)
        names = () if known else tuple(found.list_models())
    else:
        names = tuple(found.models.list_models(module=found.models))
        known = model in names
    if not known:
        raise WeightsError(f"{family} has no classifier {model}{nearest(model, names) or '.'}")


def _torchvision(model: str) -> nn.Module:
    known_name("torchvision", model)
    return _without_last_linear(library("torchvision").models.get_model(model, weights=None), model)


def _timm(model: str) -> nn.Module:
    known_name("timm", model)
    body: nn.Module = library("timm").create_model(model, pretrained=False, num_classes=0)
    return body


def library(package: Literal["torchvision", "timm"]) -> Any:
    """A library of networks. Raises: MissingExtraError when it is not installed."""
    if importlib.util.find_spec(package) is None:
        raise MissingExtraError(package, "pretrained", f"a network of {package}")
    return importlib.import_module(package)


def _without_last_linear(network: nn.Module, model: str) -> nn.Module:
    """The network with nothing in place of its last linear map."""
    names = [name for name, part in network.named_modules() if isinstance(part, nn.Linear)]
    if not names:
        raise WeightsError(f"{model} ends in no linear map whose place a head could take: choose another network.")
    owner, _, last = names[-1].rpartition(".")
    setattr(network.get_submodule(owner), last, nn.Identity())
    return network
