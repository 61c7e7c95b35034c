"""What the metrics are called and what they mean."""

from dataclasses import dataclass

from fieldcraft.report.wording import MINUS, number, percent


@dataclass(frozen=True)
class Metric:
    """A metric as people read it."""

    label: str
    share: bool
    """Whether it is shown as per cent."""
    meaning: str

    def show(self, value: float) -> str:
        """The value in words."""
        return percent(value, 2) if self.share else number(value)

    def show_noise(self, value: float) -> str:
        """A standard error in words; shares in percentage points."""
        return f"{100 * value:.2f}".replace("-", MINUS) if self.share else number(value, 2)


KNOWN = {
    "accuracy": Metric("Accuracy", True, "share of samples predicted right"),
    "balanced-accuracy": Metric(
        "Balanced accuracy", True, "accuracy averaged over the classes, rare ones counting as much"
    ),
    "auroc": Metric("AUROC", False, "chance that a positive is ranked above a negative; 0.5 is guessing, 1 is perfect"),
    "f1": Metric("F1", False, "harmonic mean of precision and recall, averaged over the classes; 1 is perfect"),
    "log-loss": Metric("Log-loss", False, "surprise at the truth in nats a sample; 0 is perfect"),
    "ece": Metric("Calibration error", True, "mean gap between stated and true confidence"),
    "rmse": Metric("RMSE", False, "typical size of an error in the target's units, large ones weighing more"),
    "mae": Metric("MAE", False, "mean size of an error in the target's units"),
    "r2": Metric("R²", False, "share of the target's variance that is explained; 0 is predicting the mean"),
    "nll": Metric("NLL", False, "surprise at the truth under a fitted Gaussian noise, in nats a sample"),
    "dice": Metric("Dice", False, "overlap: twice what both share over what both have; more is better, 1 is perfect"),
    "iou": Metric("IoU", False, "overlap: what both share over what either has; more is better, 1 is perfect"),
    "hd95-mm": Metric("HD95", False, "all but 5 % of either surface are within this of the other; less is better"),
    "surface-dice": Metric(
        "Surface Dice", False, "share of both surfaces within one voxel of the other; more is better, 1 is perfect"
    ),
    "boundary-iou": Metric("Boundary IoU", False, "IoU of the rims alone; more is better, 1 is perfect"),
    "rand": Metric(
        "Rand score",
        False,
        "whether pairs of cell pixels stay together or apart as they should; more is better, 1 is perfect",
    ),
    "rand-split": Metric("Rand, splits", False, "1 where no cell is cut in two; more is better"),
    "rand-merge": Metric("Rand, merges", False, "1 where no two cells run together; more is better"),
    "coverage": Metric("Interval coverage", True, "share of truths inside their prediction interval"),
}

PEOPLE = frozenset({"Dice", "Rand"})
"""Whom metrics are named after."""


def metric(name: str) -> Metric:
    """The metric of that name; one's own metrics are shown under their own name."""
    return KNOWN.get(name.lower().replace("_", "-"), Metric(name, False, "your own metric"))


def spoken(name: str) -> str:
    """What a metric is called within a sentence: ordinary words begin small; initials, people and one's own do not."""
    label = metric(name).label
    first = label.replace(",", " ").split(" ")[0]
    ordinary = label != name and first[1:].islower() and first not in PEOPLE
    return label[:1].lower() + label[1:] if ordinary else label
