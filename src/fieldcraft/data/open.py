"""The way in: any source a user may name becomes a `Dataset`."""

from dataclasses import replace
from pathlib import Path

from fieldcraft.data.checks import check
from fieldcraft.data.dataset import Dataset, Reader, ReadOptions
from fieldcraft.data.describe import describe
from fieldcraft.data.from_python import from_frame, from_map_style, from_pair, is_frame, is_map_style, is_pair
from fieldcraft.data.near import did_you_mean, listed
from fieldcraft.data.readers import ALL
from fieldcraft.data.readers.built_in import NAMES
from fieldcraft.data.readers.built_in import READER as BUILT_IN
from fieldcraft.errors import DataError, ReaderError

__all__ = ["describe", "open_data", "read_data"]

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".7z", ".rar")
WITHOUT_COLUMNS = ("image-folder", "idx", "npz", "built-in", "nnunet", "stack", "image-masks")
"""Kinds that bring their targets themselves."""
NO_OPTIONS = ReadOptions()


def open_data(source: object, options: ReadOptions = NO_OPTIONS) -> Dataset:
    """`read_data`, and a check that there is something to learn in it.

    Raises: DataError or ReaderError, saying what must hold, what came, and what to do.
    """
    return check(read_data(source, options))


def read_data(source: object, options: ReadOptions = NO_OPTIONS) -> Dataset:
    """Read a folder, a file, a built-in name, (X, y), a pandas or polars frame, or a map-style torch data set.

    A text that is a built-in name means the built-in set; write "./digits" for a folder of that name.
    Samples that cannot be read are left out and named in `problems`.
    Raises: DataError or ReaderError, saying what must hold, what came, and what to do.
    """
    if isinstance(source, Dataset):
        return source
    if isinstance(source, str) and source in NAMES and options.kind in (None, BUILT_IN.kind):
        return _from_path(Path(source), replace(options, kind=BUILT_IN.kind))
    if isinstance(source, str | Path):
        return _from_path(Path(source).expanduser(), options)
    if is_pair(source):
        return from_pair(source[0], source[1], options)
    if is_frame(source):
        return from_frame(source, options)
    if is_map_style(source):
        return from_map_style(source, options)
    raise DataError(
        f"data must be a path, a built-in name ({listed(NAMES)}), a pair (X, y), a frame, or a map-style torch data "
        f"set, but a {type(source).__name__} came."
    )


def _from_path(path: Path, options: ReadOptions) -> Dataset:
    try:
        reader = _reader(path, options)
        if options.target and reader.kind in WITHOUT_COLUMNS:
            raise ReaderError(
                f"--target names a column of a table or of a labels.csv, but {path} was read as {reader.kind}, which "
                "has its own targets: leave --target out."
            )
        return reader.read(path, options)
    except OSError as error:
        shown = str(error.filename or path)
        raise ReaderError(f"{shown[:200]} cannot be read: {error.strerror or error}.") from error


def _reader(path: Path, options: ReadOptions) -> Reader:
    """The reader that was asked for, or the first that recognises the path."""
    if options.kind is not None:
        named = next((reader for reader in ALL if reader.kind == options.kind), None)
        if named is None:
            kinds = [reader.kind for reader in ALL]
            near = did_you_mean(options.kind, kinds)
            raise ReaderError(f"no reader is named {options.kind!r} (--as).{near} There are {listed(kinds)}.")
        if named is not BUILT_IN:
            _must_exist(path)
        return named
    found = next((reader for reader in ALL if reader.recognise(path)), None)
    if found is None:
        _must_exist(path)
        raise ReaderError(_unrecognised(path))
    return found


def _must_exist(path: Path) -> None:
    if path.exists():
        return
    parent = next(folder for folder in (path.parent, *path.parents) if folder.is_dir())
    # The first part below the deepest folder that exists is the one that was mistyped.
    wrong = path.relative_to(parent).parts[0] if parent != Path() or not path.is_absolute() else path.name
    try:
        beside = [entry.name for entry in parent.iterdir() if wrong.startswith(".") or not entry.name.startswith(".")]
    except OSError:
        beside = []
    choices = beside + (list(NAMES) if len(path.parts) == 1 else [])
    near = did_you_mean(wrong, choices)
    here = "" if parent == path.parent else f" ({parent} exists, {wrong!r} in it does not)"
    names = f" Built-in names are {listed(NAMES)}." if len(path.parts) == 1 and not near else ""
    raise ReaderError(f"{path} does not exist{here}.{near or ' Check the spelling.'}{names}")


def _unrecognised(path: Path) -> str:
    kinds = listed([reader.kind for reader in ALL])
    if path.is_file():
        if path.name.lower().endswith(ARCHIVES):
            return (
                f"{path} is an archive: unpack it first and give the folder (for a zip: unzip {path.name} -d "
                f"{path.stem})."
            )
        return (
            f"{path} is no data that any reader recognises ({kinds}). Tables end in .csv, .tsv or .parquet, arrays in "
            ".npz; images lie in a folder. --as KIND overrules recognition."
        )
    inside = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in path.iterdir())
    if not inside:
        return f"{path} is empty. Put the images of each class into a folder named like the class."
    hint = ""
    if archives := [name for name in inside if name.lower().endswith(ARCHIVES)]:
        hint = f" Unpack {archives[0]} first and give the folder that comes out."
    elif tables := [name for name in inside if name.lower().endswith((".csv", ".tsv", ".parquet", ".npz"))]:
        hint = f" Perhaps {path / tables[0]} was meant."
    return (
        f"{path} holds nothing that a reader recognises ({kinds}); it has {listed(inside, 8)}.{hint} Images belong "
        "into a folder a class, or beside a labels.csv with the columns path and label; with masks, into images/ and "
        "masks/ under the same names."
    )
