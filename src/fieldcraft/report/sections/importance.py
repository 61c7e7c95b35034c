"""What mattered: features by shuffling them, pixels by saliency maps."""

from dataclasses import dataclass

from fieldcraft.report.charts.bars import Bar, bar_chart
from fieldcraft.report.metrics import metric
from fieldcraft.report.page import Absent, Figure, Picture
from fieldcraft.report.pixels import data_uri, heat, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import number

FEATURES = 20
MAPS = 6
ALIKE = 0.5
"""Rank correlation from which maps say little about what was learned."""
APART = 0.2
"""Rank correlation below which they clearly come from what was learned."""


@dataclass(frozen=True)
class Maps:
    """One sample, its saliency map, and that of a network of random weights."""

    image: Picture
    learned: Picture
    untrained: Picture | None


@dataclass(frozen=True)
class Mattered:
    """Both kinds of answers."""

    shuffled: Figure | None
    maps: tuple[Maps, ...]
    reading: str
    """What the randomisation check says of the maps."""


def importance(run: Run) -> Mattered | Absent:
    """Bars and maps, as far as there are any."""
    shuffled, maps = _shuffled(run), _maps(run)
    if shuffled is None and not maps:
        return Absent("Neither importances nor saliency maps were computed in this run.")
    similarity = run.results.saliency_similarity if run.results else None
    return Mattered(shuffled, maps, _reading(similarity) if maps else "")


def _shuffled(run: Run) -> Figure | None:
    if run.results is None or not run.results.importance:
        return None
    known = metric(run.results.metric)
    order = sorted(run.results.importance, key=lambda each: -each.loss)
    unit = " points" if known.share else ""
    bars = tuple(
        Bar(
            each.name,
            each.loss,
            f"{known.show_noise(each.loss)} ± {known.show_noise(each.spread)}{unit}",
            each.loss - each.spread,
            each.loss + each.spread,
        )
        for each in order[:FEATURES]
    )
    label = "Importance by shuffling: " + ", ".join(f"{bar.name} {bar.shown}" for bar in bars[:10])
    rest = len(order) - len(bars)
    more = f" The {rest} least important are not drawn." if rest else ""
    caption = (
        f"How much {known.label} gets worse when one feature is shuffled; whiskers span one standard deviation over "
        f"the repeats. Features that say the same can stand in for each other and then look unimportant.{more}"
    )
    return Figure(bar_chart(bars, label=label), caption)


def _maps(run: Run) -> tuple[Maps, ...]:
    images, learned = run.pixels.get("saliency_images"), run.pixels.get("saliency")
    if images is None or learned is None:
        return ()
    untrained = run.pixels.get("saliency_random")
    found = []
    for index in range(min(len(images), len(learned), MAPS)):
        image, small = images[index], is_small(images[index])
        random = None
        if untrained is not None and index < len(untrained):
            random = Picture(
                data_uri(heat(untrained[index])), f"Map {index + 1}, random weights", ("untrained",), small
            )
        found.append(
            Maps(
                Picture(data_uri(picture(image)), f"Sample {index + 1}", ("sample",), small),
                Picture(data_uri(heat(learned[index])), f"Map {index + 1}, trained network", ("trained",), small),
                random,
            )
        )
    return tuple(found)


def _reading(similarity: float | None) -> str:
    if similarity is None:
        return "The maps were not compared with those of a network of random weights: read them with care."
    told = (
        f"Randomisation check: rank correlation with maps of a network of random weights is {number(similarity, 2)}. "
    )
    if abs(similarity) < APART:
        return told + "Near zero is good: the maps come from what the network learned, not from the image alone."
    if abs(similarity) < ALIKE:
        return told + "The maps come in part from the image alone (edges, contrast): read them as hints."
    return told + "An untrained network gives much the same maps: they show the image, not what was learned."
