"""Write constraints.txt: the installed version of everything that fieldcraft and its extras need.

Run it in the environment that passed the tests: `.venv/bin/python scripts/pin.py > constraints.txt`.
"""

from importlib.metadata import PackageNotFoundError, distribution, version

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

HEAD = """\
# The versions that passed the tests; written by scripts/pin.py. Use: pip install fieldcraft -c constraints.txt
# Builds (torch's +cpu, +cu129) are left open: pip takes the one that the configured index offers first.
"""


BUILD_ONLY = ("nvidia-", "cuda-", "triton")
"""What some builds of torch bring along; each of them pins its own."""


def needed(root: str, extras: tuple[str, ...]) -> set[str]:
    """Names of all installed packages that `root` with `extras` asks for, directly or through others."""
    found: set[str] = set()
    waiting = [Requirement(f"{root}[{','.join(extras)}]")]
    seen: set[tuple[str, str]] = set()
    while waiting:
        parent = waiting.pop()
        try:
            requirements = distribution(parent.name).requires or []
        except PackageNotFoundError:
            continue
        found.add(canonicalize_name(parent.name))
        for extra in ("", *parent.extras):
            if (parent.name, extra) in seen:
                continue
            seen.add((parent.name, extra))
            children = (Requirement(line) for line in requirements)
            waiting += [child for child in children if child.marker is None or child.marker.evaluate({"extra": extra})]
    return {name for name in found if not name.startswith(BUILD_ONLY)} - {canonicalize_name(root)}


def main() -> None:
    names = needed("fieldcraft", ("dev",))
    print(HEAD + "\n".join(f"{name}=={Version(version(name)).public}" for name in sorted(names)))


if __name__ == "__main__":
    main()
