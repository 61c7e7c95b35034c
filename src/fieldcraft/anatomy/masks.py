"""What masks of plain numbers hide from a softmax: pairs whose score is so low that nothing comes through.

Scores are followed back from the softmax to the products that made them; these count as 0, the masks as the numbers
that they are (`plain_numbers`).
"""

from dataclasses import dataclass, field
from functools import cached_property
from hashlib import blake2b

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fieldcraft.anatomy.capture import REGULARISER, Capture, Event, Ref
from fieldcraft.anatomy.numbers import carried_out, plain_numbers
from fieldcraft.anatomy.operations import HIDING, TRANSPARENT

Visible = NDArray[np.bool_]
MOVING = frozenset(
    "view _unsafe_view reshape permute transpose unsqueeze squeeze expand slice select clone contiguous detach alias "
    "_to_copy to".split()
)
DEPTH = 80.0
"""Below the best score of its row by so much, a pair is hidden: exp(-80) = 2e-35. Swin's masks say -100."""
LARGEST = 2**21
SOFTMAX = frozenset(("_softmax", "softmax", "_safe_softmax", "_log_softmax"))


@dataclass
class Masks:
    """The masks of one recorded pass."""

    capture: Capture
    hiding: frozenset[int]
    """What came of softmaxes that may hide pairs."""
    _visible: dict[int, Tensor | None] = field(default_factory=dict)

    @cached_property
    def numbers(self) -> dict[int, Tensor]:
        """Of all values that nothing unknown went into."""
        return plain_numbers(self.capture)

    def visible(self, weights: int) -> Visible | None:
        """Pairs that are let through: `weights` are what came of a softmax, or a view of that.

        In the shape of the weights; None where there is no softmax, or where its mask is not known.
        """
        if weights not in self._visible:
            self._visible[weights] = self._let_through(weights)
        found = self._visible[weights]
        return None if found is None or bool(found.all()) else found.numpy()

    def known(self, weights: int) -> bool:
        """Whether all that was added to or filled into the scores is numbers, or learned."""
        return self.visible(weights) is not None or self._visible[weights] is not None

    def name(self, weights: int) -> bytes:
        """Equal for equal masks."""
        found = self.visible(weights)
        return b"" if found is None else blake2b(np.packbits(found).tobytes(), digest_size=16).digest()

    def _let_through(self, value: int) -> Tensor | None:
        event = self.capture.maker(value)
        if event is None or self.capture.values[value].tensor.numel() > LARGEST:
            return None
        if event.packet in SOFTMAX:
            if value not in self.hiding:
                return None
            scores = self._scores(next(event.refs()))
            dim = next(one for one in (*event.args[1:], *event.kwargs.values()) if isinstance(one, int))
            return None if scores is None else scores > scores.amax(dim, keepdim=True) - DEPTH
        moved = event.function == REGULARISER or event.packet in MOVING
        before = self._let_through(next(event.refs())) if moved else None
        if before is None or event.function == REGULARISER:
            return before
        made = carried_out(event, lambda _: before)
        return made[0] if made else None

    def _scores(self, value: int) -> Tensor | None:
        """With 0 in place of products and of what is learned; None where a mask is not known."""
        if value in self.numbers:
            return self.numbers[value]
        seen, event = self.capture.values[value], self.capture.maker(value)
        packet = event.packet.rstrip("_") if event is not None else ""
        if event is not None and (packet in TRANSPARENT or packet in HIDING):
            seen_parts = {one: self._scores(one) for one in event.refs()}
            parts = {one: numbers for one, numbers in seen_parts.items() if numbers is not None}
            if len(parts) < len(seen_parts) or not self._condition_is_known(event):
                return None
            made = carried_out(event, lambda one: parts[one].clone() if event.in_place else parts[one])
            return made[0] if made else None
        if seen.tensor.numel() > LARGEST or (event is None and seen.origin in ("buffer", "constant")):
            return None
        return torch.zeros((), dtype=torch.float32).expand(seen.shape)

    def _condition_is_known(self, event: Event) -> bool:
        """Where numbers are filled in must not depend on an input or on what is learned."""
        refs = [one.value for one in event.args if isinstance(one, Ref)]
        where = {"where": refs[:1], "masked_fill": refs[1:2], "masked_scatter": refs}.get(event.packet.rstrip("_"), [])
        return all(one in self.numbers for one in where)
