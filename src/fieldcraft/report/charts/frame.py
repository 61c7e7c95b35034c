"""A plot's frame: two scales, the grid, and the numbers beside it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import Markup

from fieldcraft.report.charts.svg import joined, line, log_ticks, text, tick_text, ticks


@dataclass(frozen=True, kw_only=True)
class Frame:
    """A rectangle of the drawing with a linear x scale and a linear or logarithmic y scale."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    log: bool = False
    width: float = 320
    height: float = 230
    left: float = 46
    right: float = 12
    top: float = 26
    bottom: float = 40
    x_text: Callable[[float], str] = tick_text
    y_text: Callable[[float], str] = tick_text

    def at_x(self, value: float) -> float:
        """Where a value stands from the left."""
        low, high = self.x
        return self.left + (value - low) / ((high - low) or 1) * (self.width - self.left - self.right)

    def at_y(self, value: float) -> float:
        """Where a value stands from the top."""
        low, high = (math.log(bound) for bound in self.y) if self.log else self.y
        place = math.log(max(value, 1e-300)) if self.log else value
        return self.height - self.bottom - (place - low) / ((high - low) or 1) * (self.height - self.top - self.bottom)

    def axes(self) -> Markup:
        """Grid lines, numbers and labels."""
        floor, right = self.height - self.bottom, self.width - self.right
        parts = []
        for value in log_ticks(*self.y) if self.log else ticks(*self.y):
            y = self.at_y(value)
            parts += [
                line(self.left, y, right, y, "grid"),
                text(self.left - 6, y + 4, self.y_text(value), "tick", "end"),
            ]
        for value in ticks(*self.x):
            x = self.at_x(value)
            parts += [line(x, floor, x, floor + 4, "axis"), text(x, floor + 17, self.x_text(value), "tick", "middle")]
        parts.append(line(self.left, floor, right, floor, "axis"))
        parts.append(text((self.left + right) / 2, self.height - 4, self.x_label, "label", "middle"))
        parts.append(text(0, 12, self.y_label, "label"))
        return joined(parts)


def padded(low: float, high: float, share: float = 0.05) -> tuple[float, float]:
    """A range with some air around it."""
    air = (high - low) * share or abs(high) * share or 1.0
    return low - air, high + air
