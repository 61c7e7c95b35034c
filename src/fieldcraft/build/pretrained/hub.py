"""Weights that timm and torchvision publish: in the local cache, or fetched when the user allows it."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal
from urllib.parse import urlparse

import torch

from fieldcraft.build.pretrained.bodies import known_name, library
from fieldcraft.errors import WeightsError

Library = Literal["timm", "torchvision"]
FILES = ("model.safetensors", "pytorch_model.bin")
"""What the Hugging Face Hub keeps of a timm model, the safe one first."""


def weights_file(family: Library, model: str, *, download: bool, say: Callable[[str], None]) -> Path:
    """The file with the weights of a named network, from the library's cache, else fetched from where it is published.

    Raises: WeightsError when it is not there and may not be fetched, or cannot be fetched; MissingExtraError.
    """
    known_name(family, model)
    return _torchvision(model, download, say) if family == "torchvision" else _timm(model, download, say)


def _torchvision(model: str, download: bool, say: Callable[[str], None]) -> Path:
    published = next(iter(library("torchvision").models.get_model_weights(model)), None)
    if published is None:
        raise WeightsError(f"torchvision publishes no weights of {model}: choose another network.")
    return _from_address(f"torchvision:{model}", published.url, download, say)


def _timm(model: str, download: bool, say: Callable[[str], None]) -> Path:
    found = library("timm").get_pretrained_cfg(model)
    hub, url = (found.hf_hub_id, found.url) if found else (None, None)
    if hub:
        return _from_hub(f"timm:{model}", hub, download, say)
    if url:
        return _from_address(f"timm:{model}", url, download, say)
    raise WeightsError(f"timm publishes no weights of {model}: choose another network.")


def _from_address(name: str, url: str, download: bool, say: Callable[[str], None]) -> Path:
    """Of torch's cache, where a file goes by the last part of its address; its checksum is part of its name."""
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(urlparse(url).path).name
    if path.is_file():
        return path
    _allowed(name, url, path.parent, download)
    say(f"fetching the weights of {name} from {url} into {path.parent}")
    path.parent.mkdir(parents=True, exist_ok=True)
    checked = torch.hub.HASH_REGEX.search(path.name)
    try:
        torch.hub.download_url_to_file(url, str(path), checked.group(1) if checked else None, progress=False)
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"the weights of {name} cannot be fetched from {url} ({error}).") from error
    return path


def _from_hub(name: str, repository: str, download: bool, say: Callable[[str], None]) -> Path:
    from huggingface_hub import hf_hub_download, try_to_load_from_cache
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError

    for file in FILES:
        cached = try_to_load_from_cache(repository, file)
        if isinstance(cached, str):
            return Path(cached)
    where = f"huggingface.co/{repository}"
    _allowed(name, where, Path("the cache of the Hugging Face Hub"), download)
    say(f"fetching the weights of {name} from {where} into the cache of the Hugging Face Hub")
    for file in FILES:
        try:
            return Path(hf_hub_download(repository, file))
        except LocalEntryNotFoundError as error:
            raise WeightsError(f"the weights of {name} cannot be fetched from {where}: no connection.") from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            raise WeightsError(f"the weights of {name} cannot be fetched from {where} ({error}).") from error
    raise WeightsError(f"{where} holds no weights of {name} ({' or '.join(FILES)}).")


def _allowed(name: str, where: str, cache: Path, download: bool) -> None:
    if not download:
        raise WeightsError(
            f"the weights of {name} are not in {cache}, and nothing is fetched without being asked for: add "
            f"--download to get them from {where}."
        )
