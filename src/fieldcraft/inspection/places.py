"""Files as people and tools want to read them: relative to the current folder where they lie in it."""

from pathlib import Path


def shown_path(file: str) -> str:
    """The path, relative to the current folder where it lies below it."""
    path, here = Path(file), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else file


def short_path(file: str) -> str:
    """For people: of an installed package, what follows after the folder of all packages."""
    _, found, rest = file.rpartition("site-packages/")
    return rest if found else shown_path(file)
