"""What a rule says about a network."""

import torch
from torch import nn

from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.look import look
from fieldcraft.records.finding import Finding
from fieldcraft.tips.rule import Circumstances, Rule

Shape = tuple[int, ...]
UNKNOWN = Circumstances()


def findings(rule: Rule, net: nn.Module, shape: object, circumstances: Circumstances = UNKNOWN) -> list[Finding]:
    """All of one rule."""
    return list(rule.check(look(net, as_inputs(shape)), circumstances))


def only(rule: Rule, net: nn.Module, shape: object, circumstances: Circumstances = UNKNOWN) -> Finding:
    """The one finding that a bad net must give."""
    (finding,) = findings(rule, net, shape, circumstances)
    assert (finding.code, finding.name) == (rule.code, rule.name)
    assert finding.message and finding.remedy and not finding.message.endswith(".")
    return finding


def line_of(finding: Finding) -> str:
    """The source line that it points at."""
    assert finding.location is not None
    assert finding.location.line > 0
    return finding.location.text


def in_evaluation(net: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net.eval()(x)
