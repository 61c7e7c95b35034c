"""Made-up briefs, plans and answers for tests of tips (hypothesis strategies); shipped for outside authors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from functools import cache
from hashlib import blake2b
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from fieldcraft.errors import MissingExtraError
from fieldcraft.plan.schema import (
    CoolDown,
    ImageInput,
    Imported,
    Ladder,
    Linear,
    Mlp,
    MultiLabel,
    Network,
    Plan,
    Pretrained,
    Regression,
    ResNet,
    Rung,
    SingleLabel,
    TableInput,
    Tuning,
)
from fieldcraft.plan.shape import fields
from fieldcraft.records.brief import Brief
from fieldcraft.records.deep_facts import DeepFacts, Survives, Symmetry, Transform
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import (
    Budget,
    CommonSize,
    DataFacts,
    Facts,
    ImageFacts,
    MachineFacts,
    TableFacts,
    TargetFacts,
    Task,
)
from fieldcraft.records.weights import Family, Wants, WeightsFacts
from fieldcraft.tips.interface import CompiledStep, Measurement, PredictionTime, RateRange, StepTime, TransferScore

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ImportError as error:
    raise MissingExtraError("hypothesis", "testing", "The contract suite for tips") from error

MADE_UP = {"method": "made up", "sample": "made up"}
TASKS: Mapping[Task, type] = {"single-label": SingleLabel, "multi-label": MultiLabel, "regression": Regression}
NAMES = ("small", "medium", "large", "extra-large-2", "a0-1", "b-2")


# ---------------------------------------------------------------- briefs


@st.composite
def briefs(draw: st.DrawFn) -> Brief:
    """Images and tables, every task, machines from a laptop to a GPU server, budgets from seconds to none."""
    return Brief(
        facts=Facts(
            data=draw(_data()),
            machine=draw(_machine()),
            budget=Budget(seconds=draw(st.sampled_from([10.0, 60.0, 600.0, 7200.0, None]))),
            weights=draw(st.lists(_weights(), max_size=2, unique_by=lambda one: one.name).map(tuple)),
        )
    )


@st.composite
def _weights(draw: st.DrawFn) -> WeightsFacts:
    family: Family = draw(st.sampled_from(get_args(Family)))
    model, side, norms = {"cifar-resnet": ("20", 32, 19), "squeezenet": ("1.0", 227, 0)}.get(family, ("net", 224, 5))
    return WeightsFacts(
        name=draw(st.sampled_from(NAMES)),
        file="/made/up.safetensors",
        digest="0" * 32,
        family=family,
        model=model,
        wants=Wants(height=side, width=side, order="rgb", mean=(0.5,) * 3, std=(0.25,) * 3, full_scale=1.0),
        any_size=family != "timm",
        features=64,
        parameters=300_000,
        parts=9,
        norms=norms,
        matched=50,
    )


@st.composite
def _data(draw: st.DrawFn) -> DataFacts:
    samples = draw(st.sampled_from([30, 200, 1797, 20_000, 60_000, 1_000_000]))
    test, validation = samples // 5, samples // 8
    return DataFacts(
        name="made-up",
        digest="0" * 16,
        samples=samples,
        train=samples - test - validation,
        validation=validation,
        test=test,
        grouped=draw(st.booleans()),
        duplicates=Fact(value=draw(st.sampled_from([0, 3])), **MADE_UP),
        target=draw(_target(samples)),
        inputs=draw(st.one_of(_images(), _tables())),
        deep=draw(_deep()),
    )


@st.composite
def _deep(draw: st.DrawFn) -> DeepFacts:
    """Symmetries of some transforms, or none measured."""
    if draw(st.booleans()):
        return DeepFacts()
    known = draw(st.lists(st.sampled_from(get_args(Transform)), unique=True, max_size=10))
    gains = {"yes": 0.01, "no": -0.2, "cannot-tell": -0.02}
    found = []
    for transform in known:
        survives = draw(st.sampled_from(get_args(Survives)))
        gain = gains[survives]
        found.append(
            Symmetry(
                transform=transform, survives=survives, gain=gain, low=gain - 0.01, high=gain + 0.01, margin=0.02
            )
        )  # fmt: skip
    return DeepFacts(symmetry=Fact(value=tuple(found), **MADE_UP))


@st.composite
def _target(draw: st.DrawFn, samples: int) -> TargetFacts:
    task = draw(st.sampled_from(list(TASKS)))
    outputs = draw(st.sampled_from([2, 3, 10, 100]) if task == "single-label" else st.sampled_from([1, 2, 14]))
    shares = draw(st.lists(st.integers(1, 20), min_size=outputs, max_size=outputs))
    counts = tuple(max(1, samples * share // sum(shares)) for share in shares)
    names = tuple(f"name-{index}" for index in range(outputs))
    if task == "regression":
        none: tuple[int, ...] = ()
        spread = Fact(value=tuple(float(share) for share in shares), **MADE_UP)
        counted = Fact(value=none, **MADE_UP)
        return TargetFacts(task=task, outputs=outputs, names=names, counts=counted, imbalance=None, spread=spread)
    imbalance = Fact(value=max(counts) / min(counts), **MADE_UP)
    return TargetFacts(
        task=task, outputs=outputs, names=names, counts=Fact(value=counts, **MADE_UP), imbalance=imbalance
    )


@st.composite
def _images(draw: st.DrawFn) -> ImageFacts:
    channels, bits = draw(st.sampled_from([1, 3])), draw(st.sampled_from([8, 16]))
    middle = 2.0 ** (bits - 1)
    heights, widths = draw(_sizes()), draw(_sizes())
    sizes = tuple(CommonSize(height=h, width=w, count=100) for h in set(heights) for w in set(widths))
    return ImageFacts(
        height=Fact(value=heights, **MADE_UP),
        width=Fact(value=widths, **MADE_UP),
        sizes=draw(st.sampled_from([None, Fact(value=sizes, **MADE_UP)])),
        channels=channels,
        depth_bits=bits,
        mean=Fact(value=(middle,) * channels, **MADE_UP),
        std=Fact(value=(middle / 2,) * channels, **MADE_UP),
    )


def _sizes() -> SearchStrategy[tuple[int, int, int]]:
    median = st.sampled_from([1, 8, 28, 32, 96, 224, 1024])
    return st.tuples(median, st.booleans()).map(lambda pair: _spread(*pair))


def _spread(median: int, mixed: bool) -> tuple[int, int, int]:
    return (max(1, median // 2), median, median * 2) if mixed else (median, median, median)


@st.composite
def _tables(draw: st.DrawFn) -> TableFacts:
    numeric, categorical, dates = draw(st.integers(0, 60)), draw(st.integers(0, 20)), draw(st.integers(0, 2))
    return TableFacts(
        numeric=numeric,
        categorical=categorical,
        dates=dates,
        left_out=draw(st.sampled_from([(), ("id",)])),
        width=max(1, numeric + 5 * categorical + 4 * dates),
        missing=Fact(value=draw(st.sampled_from([0.0, 0.01, 0.4])), **MADE_UP),
    )


@st.composite
def _machine(draw: st.DrawFn) -> MachineFacts:
    gpu = draw(st.sampled_from([None, None, "made-up GPU"]))
    bf16 = draw(st.booleans())
    memory = draw(st.sampled_from([2048, 16_384, 131_072]))
    return MachineFacts(
        processor="made-up",
        cores=draw(st.sampled_from([1, 2, 8, 64])),
        memory_mib=memory,
        free_mib=memory // 2,
        instruction_sets=("avx2", "avx512f", "avx512_bf16") if bf16 else ("avx2",),
        bf16=bf16,
        gpu=gpu,
        gpu_memory_mib=16_384 if gpu else 0,
        tuned_start=draw(st.booleans()),
        compiler=draw(st.sampled_from([None, "g++"])),
    )


# ---------------------------------------------------------------- plans


def plans(brief: Brief | None = None) -> SearchStrategy[Plan]:
    """Any valid plan, or any that fits a brief: its task, its input, no convolutions on tables."""
    if brief is None:
        return _part(Plan)
    samples, networks = (ImageInput, Network) if brief.images else (TableInput, Linear | Mlp | Imported)
    return _plans(TASKS[brief.task], samples, networks)


@cache
def _plans(task: type, samples: type, networks: Any) -> SearchStrategy[Plan]:
    rungs = st.lists(_part(Rung, network=_value(networks)), max_size=3).map(tuple)
    return _part(Plan, task=_part(task), input=_part(samples), ladder=_part(Ladder, rungs=rungs))


@cache
def _part(cls: type, **given: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Any value of a part of the plan, field by field from its schema, or from what is given."""
    drawn = {name: given[name] if name in given else _value(kind) for name, kind in fields(cls).items()}
    return st.fixed_dictionaries(drawn).map(lambda values: cls(**_fitting(cls, values)))


def _fitting(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values, changed where they have to fit together."""
    if cls is ResNet:
        depths = values["depths"] or (1,)
        return {**values, "depths": tuple(depths[index % len(depths)] for index, _ in enumerate(values["widths"]))}
    if cls is CoolDown:
        return dict(zip(("at", "end"), sorted(values.values()), strict=True))
    if cls is Pretrained:
        count = 1 if values["order"] == "gray" else 3
        return {**values, "digest": "0" * 32, "mean": (0.5,) * count, "std": (0.25,) * count}
    if cls is Tuning:
        first, last = sorted((values["head_until"], values["thawed_at"]))
        return {**values, "head_until": first, "thawed_at": last}
    if cls is ImageInput:
        ends = {one.until: one for one in values["progressive"]}
        sizes = {(one.height, one.width): one for one in values["buckets"]} if not ends else {}
        smaller = tuple(ends[until] for until in sorted(ends))
        return {**values, "progressive": smaller, "buckets": tuple(sizes.values())}
    return {**values, "rungs": _named(values["rungs"])} if cls is Ladder else values


def _named(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """Every rung with a name of its own."""
    start = NAMES.index(rungs[0].name) if rungs else 0
    return tuple(replace(rung, name=NAMES[(start + index) % len(NAMES)]) for index, rung in enumerate(rungs))


def _value(annotation: Any, rules: Iterable[Any] = ()) -> SearchStrategy[Any]:
    base = annotation
    if get_origin(annotation) is Annotated:
        base, *extras = get_args(annotation)
        rules = [plain for extra in extras for plain in getattr(extra, "metadata", (extra,))]
    if get_origin(base) in (Union, UnionType):
        return st.one_of(*(_value(option) for option in get_args(base)))
    if get_origin(base) is Literal:
        return st.sampled_from(get_args(base))
    if is_dataclass(base) and isinstance(base, type):
        return _part(base)
    limits = {
        key: getattr(rule, key)
        for rule in rules
        for key in ("ge", "gt", "le", "lt", "min_length")
        if hasattr(rule, key)
    }
    if get_origin(base) is tuple:
        return st.lists(_value(get_args(base)[0]), min_size=limits.get("min_length", 0), max_size=3).map(tuple)
    if base is str:
        pattern = next((rule.pattern for rule in rules if hasattr(rule, "pattern")), None)
        return (
            st.sampled_from(["own.parts:Net", "parts:make_it"])
            if pattern and ":" in pattern
            else st.sampled_from(NAMES)
        )
    if base in (bool, NoneType):
        return st.booleans() if base is bool else st.none()
    low, high = limits.get("ge", limits.get("gt", 0)), limits.get("le", limits.get("lt", 10_000))
    if base is int:
        return st.integers(low + ("gt" in limits), high - ("lt" in limits))
    return st.floats(low, high, exclude_min="gt" in limits, exclude_max="lt" in limits)


# ---------------------------------------------------------------- answers


def answer(measurements: tuple[Measurement, ...]) -> Mapping[str, Fact[float]]:
    """Answers that depend on nothing but the question: the same every time.

    Times between 0.1 and 1,000 ms; peak rates between 0.0001 and 1; scores of weights between -1 and 1; up to 100 s to
    compile, steps then at half to one and a half times what they took.
    """
    answers: dict[str, Fact[float]] = {}
    for question in measurements:
        share = _share(question.key)
        match question:
            case StepTime() | PredictionTime():
                answers[question.key] = Fact(value=float(10 ** (4 * share - 1)), **MADE_UP)
            case TransferScore():
                answers[question.key] = Fact(value=2 * share - 1, **MADE_UP)
            case RateRange():
                rate = 10 ** (4 * share - 4)
                for key, value in ((question.key, rate), (question.low, rate / 2), (question.high, rate * 2)):
                    answers[key] = Fact(value=value, **MADE_UP)
            case CompiledStep():
                plain = float(10 ** (4 * share - 1))
                compiled = (0.5 + share) * plain
                for key, value in (
                    (question.key, 100 * share), (question.plain, plain), (question.compiled, compiled),
                    (question.paced.key, compiled),
                ):  # fmt: skip
                    answers[key] = Fact(value=value, **MADE_UP)
    return answers


def _share(key: str) -> float:
    return int.from_bytes(blake2b(key.encode(), digest_size=6).digest(), "little") / 2**48
