"""What a module is made of, as plain values: one row an operation, the values between them, parameters, submodules.

Torch-free, so that tips can look at it. `Anatomy` answers who made a value and who uses it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Literal

from fieldcraft.records.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """The line of someone's `forward` (or the node of a file) that an operation came from."""

    file: str
    line: int
    """1 is the first; 0 for nodes of a file."""
    text: str = ""
    """The source line, or the node's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A tensor on its way through the network."""

    id: int
    shape: tuple[int, ...]
    dtype: str
    """float32, int64, ..."""
    bytes: int
    """Of its own; 0 for a view of another value."""
    origin: Literal["input", "parameter", "buffer", "constant", "operation"]
    name: str = ""
    """Of an input, a parameter or a buffer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter tensor."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    trainable: bool
    count: int
    aliases: tuple[str, ...] = ()
    """Further names of the same tensor (shared parameters)."""
    statistics: "WeightStatistics | None" = None
    """None when the module came without values (on the meta device)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightStatistics:
    """What the numbers of a parameter look like."""

    mean: float
    deviation: float
    smallest: float
    largest: float
    zeros: float
    """Share of exact zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submodule:
    """One module of the tree, by its path."""

    path: str
    kind: str
    """Class name."""
    home: str
    """Module that defines the class, such as torch.nn.modules.conv."""
    parameters: int
    """Its own, without those of its children."""
    leaf: bool
    file: str = ""
    line: int = 0
    """Where its class is defined."""
    settings: Mapping[str, int | float | str | bool] = field(default_factory=dict)
    """Public plain attributes (p, eps, momentum, num_features, ...)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AxisField:
    """How far one output unit of a row sees along one axis of one input, in pixels of that input.

    Unit `i` (along the dimension that carries the axis) sees pixels from about `start + i * stride` on, `size` of
    them, whether or not they lie inside of the input (the convention of Araujo, Norris and Sim 2019).
    """

    size: int
    """The largest over all units; local: what comes through norms over the map and global gates is left out."""
    full: int
    """The largest, with norms over the map and global gates."""
    least: int
    """The smallest over all paths through the network (Richter 2021 judges layers by it)."""
    stride: Fraction | None
    """Pixels between neighbouring units; None where no dimension carries the axis any more (pooled, flattened)."""
    start: Fraction | None
    """First pixel that unit 0 sees; its negative is the effective padding."""
    everywhere: bool
    """Each unit sees the whole axis (global pooling, attention, a linear map of the flattened map)."""
    per_unit: bool = False
    """Units differ in their size (resize, adaptive pooling, transposed convolution); `size` is the largest."""
    exact: bool = True
    """False: `size` is an upper bound."""
    exact_at_border: bool = True
    """False: units whose field the border of the input cuts may see less than its part inside of the input (taps in
    the padding are holes; pixels left over by a stride are seen by nobody)."""
    aligned: bool = True
    """False: branches of different stride or centre were joined on the way."""
    pixels: int | None = None
    """Length of the input along the axis."""

    @property
    def ratio(self) -> float | None:
        """Size against the length of the input."""
        return None if not self.pixels else self.size / self.pixels

    def ratio_to(self, objects_px: Sequence[float], axis: int) -> float:
        """Size against the extent of the objects; one extent stands for all axes."""
        return self.size / objects_px[axis if len(objects_px) > axis else 0]

    @property
    def padding(self) -> Fraction | None:
        """The effective padding."""
        return None if self.start is None else -self.start

    def centre(self, unit: int) -> Fraction | None:
        """The pixel in the middle of what a unit sees; halves lie between two pixels."""
        if self.start is None or self.stride is None:
            return None
        return self.start + unit * self.stride + Fraction(self.size - 1, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputField:
    """The fields of a row on one input, an entry for each of its spatial axes."""

    input: str
    axes: tuple[AxisField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What an operation costs, for the batch that was traced."""

    macs: int | None
    """Multiply-adds; None when no rule could count them."""
    read: int
    """Bytes of inputs and parameters."""
    written: int
    """Bytes of outputs (0 for views)."""
    parameters: int
    """Numbers in the parameters that it reads first (shared ones count where they are used first)."""

    @property
    def intensity(self) -> float | None:
        """Multiply-adds per byte moved."""
        moved = self.read + self.written
        return None if self.macs is None or not moved else self.macs / moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One operation of a forward pass."""

    index: int
    module: str
    """Path of the submodule whose forward made it; "" is the whole module."""
    kind: str
    """Class name of that submodule."""
    call: int
    """0 for the first call of that submodule, 1 for the second (reused modules), ..."""
    operation: Operation
    source: str
    """aten.convolution.default, Conv (ONNX), ..."""
    inputs: tuple[int, ...]
    """Ids of the activations that it reads, in the order of its arguments."""
    outputs: tuple[int, ...]
    parameters: tuple[str, ...]
    """Names of the parameters and buffers that it reads."""
    location: Location | None
    fields: tuple[InputField, ...] = ()
    """One entry for each input of the network that it sees."""
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes that activations take, for the batch that was traced."""

    inference: int
    """The most that live at once when each value is freed after its last use."""
    training: int | None
    """What autograd keeps for the backward pass, once each storage; None when the training pass could not be traced."""
    training_reason: str = ""
    """Why not."""
    training_note: str = ""
    """What to know of the number; of attention, how it was counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Untraced:
    """Something that could not be looked at."""

    what: str
    reason: str
    location: Location | None = None


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """Everything that one forward pass told about a module."""

    name: str
    """How the user called it, such as torchvision.models:resnet50."""
    rows: tuple[Row, ...]
    values: Mapping[int, Value]
    inputs: tuple[int, ...]
    """Ids of the values that went in, in the order of the arguments."""
    outputs: tuple[int, ...]
    """Ids of the tensors that came out, in their order."""
    output_names: tuple[str, ...]
    """Such as 0, 1.logits, aux."""
    parameters: tuple[Parameter, ...]
    modules: tuple[Submodule, ...]
    memory: Memory
    batch: int
    """Samples in the traced batch (dimension 0 of the first input)."""
    how: Literal["meta", "real"] = "meta"
    """Traced without numbers, or on a small real input because control flow depends on values."""
    untraced: tuple[Untraced, ...] = ()
    has_weights: bool = False
    """Parameters have values, so that findings may look at them."""

    @cached_property
    def maker(self) -> Mapping[int, Row]:
        """The row that made a value."""
        return {value: row for row in self.rows for value in row.outputs}

    @cached_property
    def users(self) -> Mapping[int, tuple[Row, ...]]:
        """The rows that read a value."""
        found: dict[int, list[Row]] = {}
        for row in self.rows:
            for value in dict.fromkeys(row.inputs):
                found.setdefault(value, []).append(row)
        return {value: tuple(rows) for value, rows in found.items()}

    @cached_property
    def by_module(self) -> Mapping[str, Submodule]:
        """Submodules by path."""
        return {one.path: one for one in self.modules}

    def before(self, row: Row) -> Iterator[Row]:
        """The rows whose values it reads."""
        return (self.maker[value] for value in row.inputs if value in self.maker)

    def after(self, row: Row) -> Iterator[Row]:
        """The rows that read what it made, each once."""
        seen: dict[int, Row] = {user.index: user for value in row.outputs for user in self.users.get(value, ())}
        return iter(seen.values())

    def shape(self, value: int) -> tuple[int, ...]:
        """Of a value."""
        return self.values[value].shape

    @cached_property
    def parameter_count(self) -> int:
        """Numbers in all parameters, shared ones once."""
        return sum(one.count for one in self.parameters)

    @cached_property
    def macs(self) -> int:
        """Multiply-adds of all rows that could be counted, for the traced batch."""
        return sum(row.cost.macs or 0 for row in self.rows)

    @cached_property
    def uncounted(self) -> tuple[Row, ...]:
        """Rows whose multiply-adds no rule could count."""
        return tuple(row for row in self.rows if row.cost.macs is None)
