"""An inspection as people hold it: every way to show it or to write it down, as methods that only pass on.

`inspection.Inspection` is the bare record; pages and figures are made on a floor above it, so that the class that knows
them all stands here.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.inspection.inspection import Inspection
from fieldcraft.records.files import write_whole

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure
    from rich.console import Console, ConsoleOptions, RenderResult

    from fieldcraft.anatomy.effective import EffectiveField
    from fieldcraft.anatomy.measure import Measured


@dataclass(frozen=True, kw_only=True, repr=False)
class Inspected(Inspection):
    """What `fc.inspect` gives: anatomy, findings, and ways to show them. Prints as a table."""

    module: nn.Module = field(compare=False)
    """The user's own."""
    inputs: tuple[Input | Tensor, ...] = field(compare=False)
    notes: tuple[str, ...] = ()
    """What a person should know of how the module was opened."""

    def __str__(self) -> str:
        from fieldcraft.inspection.table import plain

        return plain(self)

    def __repr__(self) -> str:
        anatomy = self.anatomy
        return f"<inspection of {anatomy.name}: {len(anatomy.rows)} operations, {len(self.findings)} findings>"

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        from fieldcraft.inspection.table import table

        yield table(self, width=options.max_width)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    def to_frame(self) -> "pd.DataFrame":
        """A pandas frame with a line for each operation."""
        from fieldcraft.inspection.frame import to_frame

        return to_frame(self)

    def to_json(self) -> str:
        """Everything, with a schema version."""
        from fieldcraft.inspection.document import to_json

        return to_json(self)

    def to_sarif(self) -> str:
        """The findings as SARIF 2.1.0, which code hosts show beside the lines."""
        from fieldcraft.inspection.sarif import to_sarif

        return to_sarif(self)

    def to_html(
        self,
        path: str | Path | None = None,
        *,
        image: str | Path | None = None,
        effective: Sequence["EffectiveField"] = (),
    ) -> str:
        """The page to explore, as HTML that loads nothing; also written to `path`.

        Fields are drawn on `image`, and those of `effective` as heat maps over it.

        Raises: InspectError when `image` cannot be read; RunError when `path` cannot be written.
        """
        from fieldcraft.report.inspection_page import inspection_page

        drawn = {one.path: one for one in effective}
        page = inspection_page(self, image=None if image is None else Path(image), effective=drawn)
        if path is not None:
            write_whole(Path(path), page)
        return page

    def figure(self) -> "Figure":
        """Fields and multiply-adds along the network, for papers. Raises: MissingExtraError without matplotlib."""
        from fieldcraft.report.inspection_figure import figure

        return figure(self)

    def effective(self, path: str = "", *, samples: int = 16, images: Tensor | None = None) -> "EffectiveField":
        """What really reaches the middle unit of a submodule, by gradients over random inputs or over `images`.

        A module without values gets small random ones.
        """
        from fieldcraft.anatomy.effective import effective_field

        return effective_field(self.module, self.inputs, path, samples=samples, images=images)

    def measure(self, *, device: Literal["cpu", "cuda"] = "cpu", seconds: float = 3.0) -> "Measured":
        """Time and peak memory of real forward passes on this machine, with n and spread."""
        from fieldcraft.anatomy.measure import measure

        return measure(self.module, self.inputs, batch=self.anatomy.batch, device=device, seconds=seconds)
