"""An inspection as people hold it: every way to show it or to write it down, as methods that only pass on.

`inspection.Inspection` is the bare record; pages and figures are made on a floor above it, so that the class that knows
them all stands here.
"""

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.inspection.inspection import Inspection

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console, ConsoleOptions, RenderResult


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
