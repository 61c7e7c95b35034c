"""Tips from other packages, through the entry-point group `fieldcraft.tips`."""

from importlib.metadata import EntryPoint, entry_points

from fieldcraft.errors import PlanError
from fieldcraft.plan.shape import nearest
from fieldcraft.tips.interface import Tip

GROUP = "fieldcraft.tips"


def with_outside(tips: tuple[Tip, ...]) -> tuple[Tip, ...]:
    """The tips, with those of installed packages at their places: behind the one that `after` names, or at the end.

    The order among outside tips with the same place follows the names of their entry points.

    Raises: PlanError naming the package whose entry point cannot be loaded, is no tip, has a name that is taken, or
    wants to stand behind a tip that does not exist.
    """
    waiting = [(_load(point), point) for point in sorted(entry_points(group=GROUP), key=lambda p: (p.name, p.value))]
    placed = tips
    for tip, point in waiting:
        taken = [other.name for other in (*tips, *(o for o, p in waiting if p is not point))]
        if tip.name in taken:
            raise PlanError(f"{_whence(point)} brings a tip called {tip.name}, and there is one of that name already.")
    while waiting:
        ready = [pair for pair in waiting if pair[0].after is None or pair[0].after in _names(placed)]
        if not ready:
            tip, point = waiting[0]
            near = nearest(tip.after or "", _names((*placed, *(other for other, _ in waiting))))
            raise PlanError(
                f"{_whence(point)} puts its tip {tip.name} after {tip.after}, which does not exist{near or '.'} "
                "`fieldcraft tips` lists the tips that there are."
            )
        tip, point = ready[0]
        waiting.remove((tip, point))
        placed = _insert(placed, tip, own=tips)
    return placed


def _load(point: EntryPoint) -> Tip:
    try:
        loaded = point.load()
    except Exception as error:  # another package's code may raise anything
        raise PlanError(
            f"{_whence(point)} cannot be loaded ({type(error).__name__}: {error}): update that package or uninstall it."
        ) from error
    if not isinstance(loaded, Tip):
        raise PlanError(f"{_whence(point)} must be a fieldcraft.tips.interface.Tip, got {type(loaded).__name__}.")
    return loaded


def _insert(placed: tuple[Tip, ...], tip: Tip, own: tuple[Tip, ...]) -> tuple[Tip, ...]:
    """Behind the tip that it names and behind those that were put there before."""
    if tip.after is None:
        return (*placed, tip)
    at = _names(placed).index(tip.after) + 1
    while at < len(placed) and placed[at] not in own and placed[at].after == tip.after:
        at += 1
    return (*placed[:at], tip, *placed[at:])


def _names(tips: tuple[Tip, ...]) -> tuple[str, ...]:
    return tuple(tip.name for tip in tips)


def _whence(point: EntryPoint) -> str:
    package = f"the package {point.dist.name} {point.dist.version}" if point.dist else "an installed package"
    return f"{package} (entry point {point.name} = {point.value})"
