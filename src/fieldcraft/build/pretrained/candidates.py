"""What a user gives as weights, a file, a folder, or a name, to candidates: files whose network is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch

from fieldcraft.build.pretrained.bodies import Fit, body_name, body_of, features_of, fit_of, known_name, wants_of
from fieldcraft.build.pretrained.hub import weights_file
from fieldcraft.build.pretrained.published import PUBLISHED, Published
from fieldcraft.build.pretrained.read import ENDINGS, digest, read_tensors
from fieldcraft.errors import WeightsError
from fieldcraft.nn.networks.tapped import taps_of
from fieldcraft.nn.networks.transferred import BatchNorm, parts
from fieldcraft.records.weights import Family, Wants, WeightsFacts

Library = Literal["timm", "torchvision"]
LIBRARIES: tuple[Library, ...] = get_args(Library)
STRIDE = 32
"""Sizes that are tried beside the wanted one are multiples of this: most networks halve their maps five times."""


def candidates(
    given: Sequence[str | Path], *, download: bool = False, say: Callable[[str], None] = lambda text: None
) -> tuple[WeightsFacts, ...]:
    """Everything usable in what was given, in order.

    Each is a file, a folder of files, `timm:NAME` or `torchvision:NAME` (from their caches, or fetched with
    `download`), or `timm:NAME=FILE` for a file of that network. In a folder, files that fit no network are named and
    passed over.
    Raises: WeightsError when one cannot be read or fits no network, or a folder holds nothing usable.
    """
    found: list[WeightsFacts] = []
    for one in given:
        found += _candidates(str(one), download, say)
    taken: set[str] = set()
    return tuple(_named(one, taken) for one in found)


def _candidates(given: str, download: bool, say: Callable[[str], None]) -> list[WeightsFacts]:
    family, colon, rest = given.partition(":")
    for known in LIBRARIES:
        if colon and family == known:
            model, _, file = rest.partition("=")
            known_name(known, model)
            path = Path(file) if file else weights_file(known, model, download=download, say=say)
            return [_facts(model, path, known, model)]
    path = Path(given)
    if path.is_dir():
        return _in_folder(path, say)
    if not path.exists():
        raise WeightsError(
            f"--weights {given}: there is no such file or folder, and no name: those begin with timm: or torchvision:, "
            "such as torchvision:resnet18."
        )
    return [_recognised(path)]


def _in_folder(folder: Path, say: Callable[[str], None]) -> list[WeightsFacts]:
    files = sorted(path for path in folder.iterdir() if path.suffix in ENDINGS)
    if not files:
        raise WeightsError(f"{folder} holds no weights (files that end in {', '.join(ENDINGS)}).")
    found, problems = [], []
    for path in files:
        try:
            found.append(_recognised(path))
        except WeightsError as error:
            problems.append(str(error))
            say(f"passed over: {error}")
    if not found:
        raise WeightsError(f"no file in {folder} fits a network that fieldcraft knows: {problems[0]}")
    return found


@dataclass(frozen=True, eq=False)
class _Match:
    published: Published
    fit: Fit
    strange: int
    """Tensors of the file that the network has no place for."""


def _recognised(path: Path) -> WeightsFacts:
    """The network of ours that a file is of. Raises: WeightsError when it is of none."""
    tensors = read_tensors(path)
    matches = [_match(one, tensors) for one in PUBLISHED]
    for match in matches:
        if match.fit.whole and not match.strange:
            return _facts(path.stem, path, match.published.family, match.published.model, note=match.published.note)
    best = max(matches, key=lambda match: match.fit.matched / match.fit.wanted)
    what = f"{best.published.family} {best.published.model}"
    raise WeightsError(
        f"{path} fits no network that fieldcraft knows: the nearest is {what}, with {best.fit.matched} of its "
        f"{best.fit.wanted} tensors in the file's {len(tensors)}. If it is of torchvision or timm, name the network: "
        f"torchvision:NAME={path.name}."
    )


def _match(one: Published, tensors: dict[str, torch.Tensor]) -> _Match:
    head = next((len(value) for name, value in tensors.items() if one.ours(name) == "classifier.bias"), 1)
    with torch.device("meta"):
        network = one.build(head, 1 if one.wants.order == "gray" else 3)
    places = network.state_dict()
    strange = sum(one.ours(name) not in places for name in tensors)
    return _Match(one, fit_of(network.get_submodule("body"), tensors, body_name(one.family, one.model)), strange)


def _facts(name: str, path: Path, family: Family, model: str, note: str = "") -> WeightsFacts:
    """What is known of a file of a network. Raises: WeightsError when it does not fit it."""
    wants = wants_of(family, model)
    channels = 1 if wants.order == "gray" else 3
    body = body_of(family, model, channels)
    fit = fit_of(body, read_tensors(path), body_name(family, model))
    if not fit.whole:
        raise WeightsError(f"{path} does not fit {family}:{model}: {fit.matched} of its {fit.wanted} tensors match.")
    return WeightsFacts(
        name=name, file=str(path.resolve()), digest=digest(path), family=family, model=model, wants=wants,
        any_size=_takes_any_size(body, channels, wants),
        features=features_of(body, channels, (wants.height, wants.width)),
        parameters=sum(weight.numel() for weight in body.parameters()), parts=len(parts(body)),
        norms=sum(isinstance(part, BatchNorm) for part in body.modules()), matched=fit.matched,
        maps=tuple((tap.width, tap.reduction) for tap in taps_of(body, channels)), note=note,
    )  # fmt: skip


def _takes_any_size(body: torch.nn.Module, channels: int, wants: Wants) -> bool:
    """Whether the body also takes images of about half the size that it wants, as tall as one and a half times wide."""
    side = max(STRIDE, min(wants.height, wants.width) // 2 // STRIDE * STRIDE)
    try:
        features_of(body, channels, (side + STRIDE, side))
    except WeightsError:
        return False
    return True


def _named(one: WeightsFacts, taken: set[str]) -> WeightsFacts:
    """With a name that no other candidate has."""
    name, number = one.name, 2
    while name in taken:
        name, number = f"{one.name}-{number}", number + 1
    taken.add(name)
    return replace(one, name=name)
