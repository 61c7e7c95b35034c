"""The network ends in a softmax or sigmoid that the loss applies again.

Why: cross-entropy takes logits and applies log-softmax itself. Given probabilities it sees numbers between 0 and 1: the
largest probability that k classes can then get is e / (e + k - 1), 0.23 for ten classes, so the loss never comes near
zero and its gradient is small where the net is wrong and sure. The same holds for sigmoid and BCE with logits.

Example:
    return self.head(x).softmax(dim=1)  # trained with nn.CrossEntropyLoss

Instead:
    return self.head(x)

Leave it: when the loss is given logits on another way, and the softmax is for serving only.
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", MIT Press, section 6.2.2.
"""

import math
from collections.abc import Iterator

from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.finding import Finding, Severity
from fieldcraft.records.operations import Activation, Softmax
from fieldcraft.tips.rule import Circumstances, Rule
from fieldcraft.tips.rules.graph import passes_on

LOGITS = ("cross-entropy", "bce-with-logits")
"""Losses that squash by themselves."""


def check(anatomy: Anatomy, circumstances: Circumstances) -> Iterator[Finding]:
    """Of the first output, when the loss is known."""
    loss, last = circumstances.loss, _last(anatomy)
    squashed = _squashed(last) if last else None
    if loss is None or last is None or squashed is None:
        return
    outputs = anatomy.shape(last.outputs[0])
    classes = outputs[1] if len(outputs) > 1 else 1
    if loss in LOGITS:
        harmless = loss == "cross-entropy" and squashed == "log-softmax"
        yield RULE.finding(
            f"the output goes through {squashed}, and the loss ({loss}) squashes it again"
            + (": twice the work for the same numbers" if harmless else _least(loss, squashed, classes)),
            remedy=f"give out what goes into the {squashed}, and apply it when predicting",
            rows=(last,),
            numbers={"classes": classes},
            severity=Severity.INFO if harmless else Severity.ERROR,
        )
    elif loss == "nll" and squashed == "softmax":
        yield RULE.finding(
            "the output goes through softmax, and the loss (nll) wants logarithms: it would be a probability with the "
            "sign turned, not a likelihood",
            remedy="use log_softmax, or cross-entropy on what goes into the softmax",
            rows=(last,),
            numbers={"classes": classes},
        )


def _least(loss: str, squashed: str, classes: int) -> str:
    """The smallest loss that a perfect network could reach, in nats."""
    if loss == "bce-with-logits":  # logits of sigmoid and softmax lie between 0 and 1
        return f": a sure no still costs {math.log(2):.2f} nats"
    if squashed in ("softmax", "sigmoid") and classes > 1:
        nats = math.log((math.e + classes - 1) / math.e)
        return f": a perfect answer over {classes} classes still costs {nats:.2f} nats"
    return ""


def _last(anatomy: Anatomy) -> Row | None:
    """The row that made the first output, what passes numbers on skipped."""
    row = anatomy.maker.get(anatomy.outputs[0]) if anatomy.outputs else None
    while row is not None and passes_on(row):
        row = next(anatomy.before(row), None)
    return row


def _squashed(row: Row) -> str | None:
    match row.operation:
        case Softmax(log=True):
            return "log-softmax"
        case Softmax():
            return "softmax"
        case Activation(name="sigmoid" | "log_sigmoid" as name):
            return name.replace("_", "-")
        case _:
            return None


RULE = Rule(code="FC005", name="softmax-before-loss", severity=Severity.ERROR, check=check)
