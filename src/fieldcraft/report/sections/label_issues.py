"""Labels that are probably wrong, as pictures or as rows."""

from dataclasses import dataclass

from fieldcraft.report.page import Picture, Table, columns
from fieldcraft.report.pixels import data_uri, is_small, picture
from fieldcraft.report.reading import Run
from fieldcraft.report.wording import percent, plural, shortened, whole

ROWS = 50


@dataclass(frozen=True)
class Labels:
    """The most suspect labels."""

    intro: str
    pictures: tuple[Picture, ...]
    table: Table | None


def label_issues(run: Run) -> Labels | None:
    """Nothing until `fieldcraft labels` was run."""
    found = run.label_issues
    if found is None:
        return None
    intro = (
        f"{plural(len(found.suspects), 'label')} of {whole(found.looked)} are probably wrong, by confident learning on "
        f"{found.folds} trainings ({found.trained}), none of which saw the sample that it judges. They agree with "
        f"{percent(found.agreement)} of the labels. label-issues.csv lists all."
    )
    shots = run.suspects
    pictures = tuple(
        Picture(
            data_uri(picture(image)),
            f"Sample {one.id}",
            (
                f"labelled {shortened(one.given, 30)}",
                f"looks like {shortened(one.suggested, 30)}",
                shortened(one.id, 40),
            ),
            is_small(image),
        )
        for image, one in zip(shots if shots is not None else (), found.suspects, strict=False)
    )
    rows = tuple((one.id, one.given, one.suggested, f"{one.score:.4f}") for one in found.suspects[:ROWS])
    head = columns("Sample", "Labelled", "Looks like", "#Probability of the label")
    return Labels(intro, pictures, Table("The most suspect first.", head, rows) if rows else None)
