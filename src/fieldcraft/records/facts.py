"""Facts: what was found out about the data, the machine and the budget, each with its method and its sample."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from fieldcraft.records.deep_facts import DeepFacts
from fieldcraft.records.fact import Fact
from fieldcraft.records.prior import Prior
from fieldcraft.records.segmentation import CaseFacts
from fieldcraft.records.weights import WeightsFacts

Task = Literal["single-label", "multi-label", "regression", "segmentation"]


@dataclass(frozen=True, kw_only=True)
class TargetFacts:
    """What is to be predicted."""

    task: Task
    outputs: int
    """Numbers that a network must give: classes, labels, or regression targets."""
    names: tuple[str, ...]
    """Of the classes, the labels, or the target columns."""
    counts: Fact[tuple[int, ...]]
    """Samples per class or label; for segmentation, cases in which the class occurs; empty for regression."""
    imbalance: Fact[float] | None
    """Largest class over smallest; None for regression and segmentation (shares of voxels are facts of the cases)."""
    spread: Fact[tuple[float, ...]] | None = None
    """Standard deviation of each regression target, in its own units."""


@dataclass(frozen=True, kw_only=True)
class CommonSize:
    """So many images are of this size in pixels, or near it."""

    height: int
    width: int
    count: int


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """What the images look like."""

    kind: Literal["image"] = "image"
    height: Fact[tuple[int, int, int]]
    """Smallest, median and largest height in pixels."""
    width: Fact[tuple[int, int, int]]
    """Smallest, median and largest width in pixels."""
    sizes: Fact[tuple[CommonSize, ...]] | None = None
    """Height and width together: all sizes there are, or the medians of groups of near ones."""
    channels: int
    """1 for gray, 3 for colour; mixed sets are read as colour."""
    depth_bits: int
    """8 or 16; 32 for floating point."""
    mean: Fact[tuple[float, ...]]
    """Mean of each channel, in stored units."""
    std: Fact[tuple[float, ...]]
    """Standard deviation of each channel, in stored units."""


@dataclass(frozen=True, kw_only=True)
class TableFacts:
    """What the table looks like."""

    kind: Literal["table"] = "table"
    numeric: int
    categorical: int
    dates: int
    left_out: tuple[str, ...]
    """Columns that stay out (ids, constants), by name."""
    width: int
    """Numbers per sample once encoded."""
    missing: Fact[float]
    """Share of cells without a value."""


Modality = Annotated[ImageFacts | TableFacts | CaseFacts, Field(discriminator="kind")]


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """What is known of the samples."""

    name: str
    digest: str
    """Hash of the contents: same digest, same samples in the same order."""
    samples: int
    train: int
    validation: int
    test: int
    grouped: bool
    """Whether samples belong to groups that must not be torn apart."""
    duplicates: Fact[int]
    """Samples that repeat an earlier one exactly."""
    target: TargetFacts
    inputs: Modality
    deep: DeepFacts = DeepFacts()
    """Symmetry, geometry, topology and noise, as far as they were measured."""


@dataclass(frozen=True, kw_only=True)
class ReferenceStep:
    """Forward and backward pass of one operation of a usual size, in one setting."""

    operation: Literal["convolution", "depthwise", "matrix-product", "recurrent", "attention"]
    device: Literal["cpu", "cuda"]
    precision: Literal["fp32", "bf16"]
    channels_last: bool
    threads: int
    ms: float
    """Lower median."""
    gflops: float
    """Multiplications and additions a second, in billions, counting the backward pass as twice the forward."""


@dataclass(frozen=True, kw_only=True)
class MachineFacts:
    """What the machine has."""

    processor: str
    cores: int
    """Usable by this process."""
    memory_mib: int
    free_mib: int
    instruction_sets: tuple[str, ...]
    """Those that matter here: avx2, avx512f, avx512_bf16, amx_bf16, amx_int8, ..."""
    bf16: bool
    """Whether the device has units for bfloat16."""
    gpu: str | None
    gpu_memory_mib: int
    tuned_start: bool
    """Whether the process was started with the allocator settings of `fieldcraft fit`."""
    compiler: str | None = None
    """The C++ compiler that compiled networks need; with a GPU only where Triton is there as well."""
    reference: tuple[ReferenceStep, ...] = ()
    """What reference steps take here; empty where they were not measured yet."""


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What may be spent."""

    seconds: float | None
    """Wall clock from process start to the closed report; None: no limit."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known before training: the content of `facts.json`."""

    data: DataFacts
    machine: MachineFacts
    budget: Budget
    measured: Mapping[str, Fact[float]] = Field(default_factory=dict)
    """Answers to measurements that tips asked for, by the key of the question."""
    evidence: Prior = Prior()
    """What proofs on file say of the tips, with the digest of what was read."""
    weights: tuple[WeightsFacts, ...] = ()
    """Pretrained weights that the user gave, in order."""
