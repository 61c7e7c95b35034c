"""What every rule says about nets that many people have trained well: counts per code, and in which nets.

A rule that warns of most good nets would be wrong. Weights are not looked at (nets are built without any), so FC017
is not among them; circumstances (loss, batch, objects, device) are unknown.

    python benchmarks/findings.py
"""

import logging
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator

import torch

from fieldcraft.errors import InspectError
from fieldcraft.inspection.inspect import inspect
from fieldcraft.inspection.selection import all_rules
from result import write
from zoo_nets import Net, monai_nets, timm_nets, torchvision_nets, transformers_nets

TIMM = 60
"""Families of timm, evenly spaced in their alphabet."""
SHOWN = 12
"""Nets named for each code."""


def nets() -> Iterator[Net]:
    """All of torchvision's, of a choice of timm's families the first, small transformers, MONAI's."""
    yield from torchvision_nets()
    every = list(timm_nets())
    yield from every[:: max(1, len(every) // TIMM)][:TIMM]
    yield from transformers_nets()
    yield from monai_nets()


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    looked: dict[str, int] = defaultdict(int)
    failed: list[str] = []
    said: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    began = time.perf_counter()
    for net in nets():
        try:
            found = inspect(net.build(), net.inputs).findings
        except (InspectError, RuntimeError, ImportError) as error:
            failed.append(f"{net.library} {net.name}: {type(error).__name__}")
            continue
        looked[net.library] += 1
        for one in found:
            said[one.code, one.severity.value].setdefault(f"{net.library} {net.name}", one.message)
    total = sum(looked.values())
    table = [
        {
            "code": rule.code,
            "name": rule.name,
            "severity": severity,
            "nets": len(said[rule.code, severity]),
            "share": round(len(said[rule.code, severity]) / max(1, total), 3),
            "examples": list(said[rule.code, severity])[:SHOWN],
            "message": next(iter(said[rule.code, severity].values()), ""),
        }
        for rule in sorted(all_rules(), key=lambda one: one.code)
        for severity in ("error", "warning", "info")
        if said[rule.code, severity]
    ]
    silent = [
        rule.code for rule in all_rules() if not any(said[rule.code, one] for one in ("error", "warning", "info"))
    ]
    measured = {
        "nets": dict(looked),
        "not_looked_at": failed,
        "seconds": round(time.perf_counter() - began),
        "counts": table,
        "silent": sorted(silent),
    }
    write("findings", "Counts of findings per code over nets that many people have trained well", measured)


if __name__ == "__main__":
    main()
