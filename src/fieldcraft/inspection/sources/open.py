"""Tell sources apart by how they are written, and open them."""

from collections.abc import Sequence
from pathlib import Path

from fieldcraft.errors import InspectError
from fieldcraft.inspection.sources.source import Source

FORMS = "package.module:callable, file.py:callable, a run folder or plan.toml of fieldcraft, program.pt2, or model.onnx"
PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle", ".tar")


def open_source(text: str, *, arguments: Sequence[str] = (), weights: bool = False, trust: bool = False) -> Source:
    """The module that `text` names.

    `arguments` ("key=value") go to the callable of a Python source; `weights` asks for parameters with numbers where
    the source can give them; `trust` lets a file be unpickled, which runs whatever code it holds.
    Raises: InspectError when it is none of the known forms, or cannot be opened.
    """
    path, rung = _with_rung(text)
    if arguments and (path.exists() or ":" not in text):
        raise InspectError(f"--arg goes to a callable (package.module:callable), but {text} is none.")
    if path.is_dir() or (path.suffix == ".toml" and _existing(path)):
        from fieldcraft.inspection.sources.run import open_run

        return open_run(path, rung)
    if path.suffix == ".pt2":
        from fieldcraft.inspection.sources.exported import open_exported

        return open_exported(_existing(path), trust=trust)
    if path.suffix == ".onnx":
        from fieldcraft.inspection.sources.onnx import open_onnx

        return open_onnx(_existing(path))
    _refuse(text, path)
    from fieldcraft.inspection.sources.python import open_python

    return open_python(text, arguments, weights=weights)


def _with_rung(text: str) -> tuple[Path, str]:
    """`runs/photos:small` and `plan.toml:small` name a rung."""
    where, colon, rung = text.rpartition(":")
    if colon and not Path(text).exists() and (Path(where).suffix == ".toml" or Path(where).is_dir()):
        return Path(where), rung
    return Path(text), ""


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise InspectError(f"there is no file {path}.")
    return path


def _refuse(text: str, path: Path) -> None:
    """What looks like a source but must not, or cannot, be opened."""
    if path.suffix in PICKLES:
        raise InspectError(
            f"{text} is a pickle, and opening one runs whatever code it holds, so fieldcraft opens none. It mostly has "
            "weights without their network, too: inspect the code that builds the network (file.py:callable), or save "
            "the module with torch.export.save as a .pt2 file."
        )
    if path.suffix in (".safetensors", ".npz", ".h5"):
        raise InspectError(
            f"{text} has weights without their network: inspect the code that builds the network (file.py:callable)."
        )
    where, _, name = text.rpartition(":")
    if path.suffix == ".py":
        raise InspectError(f"say what of {text} to inspect: {text}:callable.")
    if where.endswith(".py") and name:
        return
    if "/" in text or text.startswith("hub:") or text.count(":") > 1:
        raise InspectError(
            f"{text} is no source that fieldcraft opens; nothing is fetched from a hub, and a file must exist. "
            f"Give {FORMS}."
        )
    if not where or not name:
        raise InspectError(f"a source must be {FORMS}, but got {text}.")
