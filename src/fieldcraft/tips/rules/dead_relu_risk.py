"""Weights or biases put rectifiers where they are never active.

Why: a rectifier whose input is negative for every sample passes no gradient on and never comes back. That is what
strongly negative biases do, and what weights do that are many times too small: over depth, signals shrink until the
bias alone decides which unit is on. He's scale, a deviation of sqrt(2 / fan-in), keeps them as they are.

Example:
    nn.init.normal_(conv.weight, std=0.001)  # in ten layers without norms

Instead:
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu"); nn.init.zeros_(conv.bias)

Leave it: in trained networks that work. Signals are followed by the scale of the weights alone, and start afresh after
each norm; statistics of large weights come from some thousand of their numbers.
Source: He et al. 2015, arXiv:1502.01852, section 2.2; Lu et al. 2019, arXiv:1903.06733 ("Dying ReLU").
"""

from collections.abc import Iterator
from math import prod

from fieldcraft.records.anatomy import Anatomy, Parameter, Row, WeightStatistics
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation, Convolution, Linear, Normalisation
from fieldcraft.tips.rule import Circumstances, Rule, named_rows
from fieldcraft.tips.rules.graph import weighted

RECTIFIERS = ("relu", "relu6")
SILENT = 2.0
"""A mean bias of minus so many deviations of the signal leaves 2 % of the units' inputs positive."""
SHRUNK, GROWN = 1e-3, 1e3
"""Scale of signals, 1 at the input, from which on the weights are called too small or too large."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """One finding for biases, one for weights."""
    if not anatomy.has_weights:
        return
    known = {name: one for one in anatomy.parameters for name in (one.name, *one.aliases)}
    signals = _signals(anatomy, known)
    silent = [row for row in signals if _is_silent(anatomy, row, signals[row], known)]
    if silent:
        yield RULE.finding(
            f"{named_rows(silent)}: the mean bias lies {SILENT:.0f} deviations of the signal or more below "
            "zero, so that rectifiers are hardly ever active",
            remedy="start biases at zero (shifts of norms too)",
            rows=silent,
            numbers={"layers": len(silent)},
        )
    lost = [row for row, scale in signals.items() if not SHRUNK <= scale <= GROWN and _rectified(anatomy, row)]
    if lost:
        scale = signals[lost[-1]]
        yield RULE.finding(
            f"{named_rows(lost)}: signals are {scale:.1g} times what they were at the input (or after the last "
            f"norm), by weights that are {'smaller' if scale < 1 else 'larger'} than He's scale in every layer",
            remedy="initialise with He's scale (nn.init.kaiming_normal_), or put norms between",
            rows=lost,
            numbers={"layers": len(lost), "scale": scale},
        )


def _signals(anatomy: Anatomy, known: dict[str, Parameter]) -> dict[Row, float]:
    """For weighted rows and norms, the deviation of what they make before the bias, for inputs of one."""
    scale: dict[int, float] = {}
    found: dict[Row, float] = {}
    for row in anatomy.rows:
        now = max((scale.get(value, 1.0) for value in row.inputs), default=1.0)
        if isinstance(row.operation, Normalisation):
            gamma = _statistics(row, "weight", known)
            now = 1.0
            found[row] = abs(gamma.mean) if gamma else 1.0
        elif weighted(row) and (weight := _statistics(row, "weight", known)) is not None:
            now *= (weight.deviation**2 + weight.mean**2) ** 0.5 / (2 / fan_in(row)) ** 0.5
            found[row] = now
        scale.update(dict.fromkeys(row.outputs, now))
    return found


def fan_in(row: Row) -> float:
    """Products that are summed for one output number."""
    match row.operation:
        case Convolution() as conv:
            return conv.inputs / conv.groups * prod(conv.kernel) / (prod(conv.stride) if conv.transposed else 1)
        case Linear() as linear:
            return linear.inputs
        case _:
            return 1


def _is_silent(anatomy: Anatomy, row: Row, signal: float, known: dict[str, Parameter]) -> bool:
    bias = _statistics(row, "bias", known)
    if bias is None or not _rectified(anatomy, row):
        return False
    return bias.mean < 0 and bias.mean <= -SILENT * signal and bias.mean <= -bias.deviation


def _rectified(anatomy: Anatomy, row: Row) -> bool:
    return any(isinstance(one.operation, Activation) and one.operation.name in RECTIFIERS for one in anatomy.after(row))


def _statistics(row: Row, kind: str, known: dict[str, Parameter]) -> WeightStatistics | None:
    """Of the only parameter of that kind."""
    named = [known[name] for name in row.parameters if name in known and name.rpartition(".")[2] == kind]
    return named[0].statistics if len(named) == 1 else None


RULE = Rule(code="FC017", name="dead-relu-risk", severity=Severity.WARNING, check=check, needs_weights=True)
