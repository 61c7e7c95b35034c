"""What a layer's numbers were, as a rule: medians through training, so that one odd step decides nothing."""

from collections.abc import Callable, Sequence
from statistics import median

from fieldcraft.records.training import LayerLook, TrainingRecord

Number = Callable[[LayerLook], float | None]


def typical(record: TrainingRecord, name: str, number: Number, last: int | None = None) -> float | None:
    """The median of a layer's number over all looks, or over the last ones; None where it has none."""
    found = [value for layer in record.layers(name) if (value := number(layer)) is not None]
    return median(found[-last:] if last else found) if found else None


def by_layer(record: TrainingRecord, number: Number, last: int | None = None) -> dict[str, float]:
    """The medians of all layers that have the number, from input to output."""
    found = ((name, typical(record, name, number, last)) for name in record.names)
    return {name: value for name, value in found if value is not None}


def gained(record: TrainingRecord, new: float, old: float) -> float:
    """How much better one value of the metric is than another; positive is better."""
    return new - old if record.higher_is_better else old - new


def best_index(record: TrainingRecord, values: Sequence[float]) -> int:
    """Where the best value stands; the first of equals."""
    return max(
        range(len(values)), key=lambda index: (values[index] if record.higher_is_better else -values[index], -index)
    )
