"""What a tip is: know-how with up to three hands (decide, check, watch), and what its hands may answer."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import ModuleType

from fieldcraft.plan.masks import PatchInput
from fieldcraft.plan.schema import Execution, Network, Plan, Pretrained, Tuning
from fieldcraft.records.brief import Brief
from fieldcraft.tips.phases import timed
from fieldcraft.tips.rule import Rule
from fieldcraft.tips.watch import Watch


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The tip takes part: the plan with its fields set, and the reason in numbers."""

    plan: Plan
    because: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """The tip stays out, and why."""

    because: str


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """How long one training step of one rung of a plan takes, in milliseconds (a median of interleaved steps).

    Asked for together, candidates are timed in turn in the same run, so that their ratio can be trusted. Two questions
    are the same when what decides the time is the same (network, input, batch, optimiser, execution). A plan whose
    images grow is timed at their whole size; `phases` gives the plans for the smaller ones.
    """

    plan: Plan
    rung: int

    @property
    def key(self) -> str:
        """The name under which the answer stands among the facts."""
        plan, rung = self.plan, self.plan.ladder.rungs[self.rung]
        what = repr(
            (_whole(rung.network), timed(plan.input), plan.batch, plan.optimiser, plan.averaging, plan.execution)
        )
        return f"step-ms:{rung.copy_of or rung.name}:{_short(plan.execution)}:{plan.batch.size}:{_digest(what)}"


@dataclass(frozen=True, kw_only=True)
class PredictionTime:
    """How long one rung of a plan takes to predict one sample by itself, in milliseconds (a median, taken in turn).

    In full precision on the CPU, as a saved model predicts. Two questions are the same when network, input and threads
    are the same.
    """

    plan: Plan
    rung: int

    @property
    def key(self) -> str:
        """The name under which the answer stands among the facts."""
        plan, rung = self.plan, self.plan.ladder.rungs[self.rung]
        what = repr((_whole(rung.network), plan.input, plan.execution.threads))
        return f"prediction-ms:{rung.name}:{plan.execution.threads}t:{_digest(what)}"


@dataclass(frozen=True, kw_only=True)
class RateRange:
    """The peak rate that a learning-rate range test suggests for one rung of a plan, whatever rate it has.

    Three numbers answer it: the rate under `key`, the ends of its 95 % interval under `low` and `high`. Where it could
    not be measured there is infinity under `key` and nothing under the others.
    """

    plan: Plan
    rung: int

    @property
    def key(self) -> str:
        """The name under which the rate stands among the facts."""
        plan, rung = self.plan, self.plan.ladder.rungs[self.rung]
        data = (rung.network, plan.initialisation, plan.task, plan.input)
        learning = (plan.optimiser, plan.clipping, plan.batch, plan.execution)
        return f"peak-rate:{rung.name}:{_digest(repr((data, learning)))}"

    @property
    def low(self) -> str:
        """The name of the interval's lower end."""
        return f"{self.key}:low"

    @property
    def high(self) -> str:
        """The name of the interval's upper end."""
        return f"{self.key}:high"


@dataclass(frozen=True, kw_only=True)
class TransferScore:
    """How well the frozen features of one pretrained rung explain the training targets: LogME, in nats a sample.

    Higher is better; comparable between weights on the same data. Where it could not be measured it counts as infinite,
    as other measurements do: that is no score.
    """

    plan: Plan
    rung: int

    @property
    def key(self) -> str:
        """The name under which the score stands among the facts."""
        plan, rung = self.plan, self.plan.ladder.rungs[self.rung]
        what = repr((_whole(rung.network), timed(plan.input), plan.task, plan.splits, plan.seed))
        return f"logme:{rung.name}:{_digest(what)}"


@dataclass(frozen=True, kw_only=True)
class CompiledStep:
    """What compiling the training step of one rung costs, and what a step takes with and without it.

    Tried in a process of its own, for `limit_s` seconds at most over all rungs that are asked for together. Three
    numbers answer it: seconds until the first compiled step was over under `key`, milliseconds of a later one under
    `compiled` and of a plain one, in turn with it, under `plain`. Beside them stands the time of a step of the compiled
    plan, as `StepTime` asks for it, with the cost shared out over `train_s`. Where it could not be tried there is
    infinity under `key`, with the reason as its method, and nothing else.
    """

    plan: Plan
    """Not compiled."""
    rung: int
    train_s: float
    """Seconds that the rung is expected to train."""
    limit_s: float

    @property
    def key(self) -> str:
        """The name under which the cost stands among the facts."""
        step = StepTime(plan=self.plan, rung=self.rung)
        return f"compile-s:{step.key.removeprefix('step-ms:')}:{self.train_s:.0f}s"

    @property
    def plain(self) -> str:
        """The name of the milliseconds of a step that is not compiled."""
        return f"{self.key}:plain-ms"

    @property
    def compiled(self) -> str:
        """The name of the milliseconds of a compiled step."""
        return f"{self.key}:compiled-ms"

    @property
    def paced(self) -> StepTime:
        """The question for the time of a step of the compiled plan."""
        execution = replace(self.plan.execution, compile=True)
        return StepTime(plan=replace(self.plan, execution=execution), rung=self.rung)


@dataclass(frozen=True, kw_only=True)
class MemoryNeed:
    """How much memory a training step of one rung takes on one patch, in MiB, told from shapes without running it."""

    plan: Plan
    rung: int
    patch: tuple[int, ...]
    """Voxels along each axis, in place of the plan's."""

    @property
    def key(self) -> str:
        """The name under which the answer stands among the facts."""
        rung = self.plan.ladder.rungs[self.rung]
        channels = self.plan.input.channels if isinstance(self.plan.input, PatchInput) else 0
        sides = "x".join(map(str, self.patch))
        return f"step-mib:{rung.name}:{sides}:{_digest(repr((_whole(rung.network), channels)))}"


Measurement = StepTime | PredictionTime | RateRange | TransferScore | CompiledStep | MemoryNeed


@dataclass(frozen=True, kw_only=True)
class Ask:
    """The tip needs measurements first; it is called again once they stand among the facts."""

    measurements: tuple[Measurement, ...]


def _whole(network: Network) -> Network:
    """The network as it is timed and scored: how a pretrained one is tuned later does not count."""
    return replace(network, tuning=Tuning()) if isinstance(network, Pretrained) else network


def _short(execution: Execution) -> str:
    layout = "nhwc" if execution.channels_last else "nchw"
    compiled = "-compiled" if execution.compile else ""
    return f"{execution.device}-{execution.precision}-{layout}-{execution.threads}t{compiled}"


def _digest(text: str) -> str:
    from hashlib import blake2b

    return blake2b(text.encode(), digest_size=6).hexdigest()


Decide = Callable[[Brief, Plan], Applied | Skipped | Ask]


@dataclass(frozen=True, kw_only=True)
class Tip:
    """One piece of know-how. Its module's docstring is its card."""

    name: str
    decide: Decide | None = None
    """Sets fields of a plan; None for tips that only look at networks."""
    checks: tuple[Rule, ...] = ()
    """What it looks for in any module's anatomy; one file a rule, in `tips/rules/`."""
    watches: tuple[Watch, ...] = ()
    """What it looks for while a network trains; one file a symptom, in `tips/watches/`."""
    refines: tuple[str, ...] = ()
    """Tips whose fields it may overwrite."""
    inputs: tuple[str, ...] = ()
    """Kinds of input (`plan.input.kind`) that it knows of; of others it is not asked. Empty: any kind."""
    after: str | None = None
    """For tips from outside: the tip after which it decides. None: at the end."""
    module: ModuleType | None = field(default=None, repr=False)
    """Whose docstring is the card; None: that of `decide`. Tips without `decide` give `sys.modules[__name__]`."""

    @property
    def card(self) -> str:
        """What it does, when it helps, when it hurts, what it costs, its source."""
        module = self.module or (inspect.getmodule(self.decide) if self.decide else None)
        return inspect.cleandoc((module.__doc__ if module else None) or "")
