"""One ONNX node while it runs: its inputs, its attributes, and the numbers of those inputs that are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from fieldcraft.errors import InspectError

__fieldcraft_inner__ = True


@dataclass(frozen=True, eq=False)
class Node:
    """What a rule sees."""

    op: str
    name: str
    opset: int
    inputs: tuple[Tensor | None, ...]
    numbers: tuple[Tensor | None, ...]
    """Of each input, where they are known without running the network."""
    attributes: Mapping[str, Any]
    outputs: int

    def __getitem__(self, place: int) -> Tensor:
        """An input that must be there."""
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            raise InspectError(f"node {self.name} ({self.op}) has no input {place}, which it needs.")
        return found

    def maybe(self, place: int) -> Tensor | None:
        """An input that may be left out."""
        return self.inputs[place] if place < len(self.inputs) else None

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute, or what the standard says when it is left out."""
        return self.attributes.get(name, default)

    def listed(self, place: int, name: str = "") -> list[int] | None:
        """Whole numbers from an input (newer opsets) or an attribute (older ones); None when both are left out."""
        if self.maybe(place) is not None:
            return [int(one) for one in self.known(place).reshape(-1).tolist()]
        given = self.attributes.get(name)
        return None if given is None else [int(one) for one in given]

    def known(self, place: int) -> Tensor:
        """The numbers of an input. Raises: InspectError when they depend on what goes into the network."""
        found = self.numbers[place] if place < len(self.numbers) else None
        if found is None:
            raise InspectError(
                f"node {self.name} ({self.op}): its input {place} sets a shape or a mode and depends on numbers that "
                "go into the network, which are not known here."
            )
        return found

    def number(self, place: int, name: str, default: float | None) -> float | None:
        """One number from an input or an attribute."""
        if self.maybe(place) is not None:
            return float(self.known(place).reshape(-1)[0])
        given = self.attributes.get(name, default)
        return None if given is None else float(given)
