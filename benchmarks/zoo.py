"""Can `fieldcraft inspect` look at the nets that people use? How long does it take, and how much memory?

Every net of torchvision (classification, segmentation, video), transformers and MONAI (small configurations), the first
net of every timm family, and a few of our own: built without weights where its constructor allows, inspected whole
(trace, fields, costs, memory, findings). Each in a process of its own, forked from one that has imported the libraries;
memory is the growth of the peak resident set over that parent's. A row without a rule for its field or for its cost, or
whose rule falls back to a bound, makes the net count as not analysed; field and cost are counted apart. Scores of very
large attention are listed apart.

Targets: >= 97 % of the nets without such a row; <= 3 s and <= 1.5 GiB for every net.
Run: python benchmarks/zoo.py [--all-timm]
"""

import json
import os
import resource
import sys
import time
import traceback
import warnings

import torch

from fieldcraft.inspection.inspect import inspect
from fieldcraft.records.anatomy import Anatomy, Row
from fieldcraft.records.operations import Softmax, Unknown
from result import summary, write
from zoo_nets import Net, all_nets

TARGET_SHARE, TARGET_EXACT, TARGET_S, TARGET_GIB = 0.97, 0.95, 3.0, 1.5
SCORES = {"aten.bmm.default"}
"""Scores of attention over too many pairs to list the field of each; they are exact again after the softmax."""
ATTENDING = ("vit", "swin", "swin3d", "maxvit", "mvit")
"""Beginnings of the names of torchvision's nets that are not convolutional."""
WARMING = ("LSTM", "resnet18", "swin_t", "BERT", "UNet")


def looked(net: Net) -> dict[str, object]:
    """What came of one net; seconds are those of the second look, the first imports and warms up."""
    module = net.build()
    seconds, processor = [], []
    for _ in range(2):
        began, worked = time.perf_counter(), time.process_time()
        inspection = inspect(module, net.inputs, name=net.name)
        seconds.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    anatomy = inspection.anatomy
    fallen = {row.source for row in anatomy.rows if begins_a_bound(anatomy, row) or is_masked_bound(row)}
    return {
        "seconds": round(seconds[1], 3),
        "processor_seconds": round(processor[1], 3),
        "rows": len(anatomy.rows),
        "how": anatomy.how,
        "parameters": anatomy.parameter_count,
        "macs": anatomy.macs,
        "findings": len(inspection.findings),
        "rows_with_field": sum(bool(row.fields) for row in anatomy.rows),
        "exact_rows": sum(bool(row.fields) and is_exact(row) for row in anatomy.rows),
        "exact_rows_at_border": sum(
            bool(row.fields) and all(axis.exact_at_border for one in row.fields for axis in one.axes)
            for row in anatomy.rows
        ),
        "no_field": sorted(
            {row.source for row in anatomy.rows if isinstance(row.operation, Unknown)} | fallen - SCORES
        ),
        "scores_are_bounds": bool(fallen & SCORES),
        "no_cost": sorted({row.source for row in anatomy.uncounted}),
    }


def apart(net: Net) -> dict[str, object]:
    """`looked` in a child process, with the growth of its peak memory."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            found = looked(net)
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"[:500], "trace": traceback.format_exc()[-1500:]}
        found["peak_gib"] = round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20, 3)
        with os.fdopen(writing, "w") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": "the process died", "peak_gib": None}  # type: ignore[no-any-return]


def begins_a_bound(anatomy: Anatomy, row: Row) -> bool:
    """Its field is only a bound, and those of what it reads are exact."""
    return not is_exact(row) and all(is_exact(one) for one in anatomy.before(row))


def is_masked_bound(row: Row) -> bool:
    """A softmax whose mask was not seen through: scores over too many pairs stay bounds behind it."""
    return isinstance(row.operation, Softmax) and row.operation.masked and not is_exact(row)


def is_exact(row: Row) -> bool:
    return all(axis.exact for one in row.fields for axis in one.axes)


def exact_share(found: dict[str, dict[str, object]], where: str = "exact_rows") -> float:
    """Of the rows with a field."""
    exact, rows = (sum(int(one[key]) for one in found.values()) for key in (where, "rows_with_field"))  # type: ignore[call-overload]
    return exact / rows  # type: ignore[no-any-return]


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    nets = list(all_nets("--all-timm" in sys.argv[1:]))
    for net in nets:  # what is imported late is there before the first fork
        if net.name in WARMING:
            looked(net)
    found = {}
    for place, net in enumerate(nets, start=1):
        found[f"{net.library}/{net.name}"] = one = apart(net)
        print(f"{place}/{len(nets)} {net.library}/{net.name}: {one.get('error') or one.get('seconds')}", flush=True)
    whole = {name: one for name, one in found.items() if "error" not in one}
    failed = {name: one["error"] for name, one in found.items() if "error" in one}
    no_field = {name: one["no_field"] for name, one in whole.items() if one["no_field"]}
    no_cost = {name: one["no_cost"] for name, one in whole.items() if one["no_cost"]}
    slow = {name: one["seconds"] for name, one in whole.items() if one["seconds"] > TARGET_S}  # type: ignore[operator]
    large = {name: one["peak_gib"] for name, one in whole.items() if one["peak_gib"] > TARGET_GIB}  # type: ignore[operator]
    good = [name for name in whole if name not in no_field and name not in no_cost]
    convolutional = {
        name: one
        for name, one in whole.items()
        if name.startswith("torchvision/") and not name.partition("/")[2].startswith(ATTENDING)
    }
    libraries = sorted({net.library for net in nets})
    write(
        "zoo_all_timm" if "--all-timm" in sys.argv[1:] else "zoo",
        "Nets that fieldcraft inspect looks at without an operation that it has no rule for; seconds and memory",
        {
            "nets": len(nets),
            "by_library": {
                one: {
                    "nets": sum(name.startswith(f"{one}/") for name in found),
                    "looked_at": sum(name.startswith(f"{one}/") for name in whole),
                    "without_unknown": sum(name.startswith(f"{one}/") for name in good),
                }
                for one in libraries
            },
            "target_share": TARGET_SHARE,
            "share_with_every_field": (len(whole) - len(no_field)) / len(nets),
            "share_with_every_cost": (len(whole) - len(no_cost)) / len(nets),
            "share_with_both": len(good) / len(nets),
            "target_exact_rows_of_torchvisions_convolutional_nets": TARGET_EXACT,
            "exact_rows_of_torchvisions_convolutional_nets": exact_share(convolutional),
            "exact_rows_of_all": exact_share(whole),
            "exact_rows_at_border_of_torchvisions_convolutional_nets": exact_share(
                convolutional, "exact_rows_at_border"
            ),
            "exact_rows_at_border_of_all": exact_share(whole, "exact_rows_at_border"),
            "nets_with_every_row_exact": sum(one["exact_rows"] == one["rows_with_field"] for one in whole.values()),
            "scores_of_attention_are_bounds": sorted(name for name, one in whole.items() if one["scores_are_bounds"]),
            "not_looked_at": failed,
            "rows_without_a_field_rule": no_field,
            "rows_without_a_cost_rule": no_cost,
            "traced_on_a_real_input": sorted(name for name, one in whole.items() if one["how"] == "real"),
            "target_s": TARGET_S,
            "slower": slow,
            "slower_in_processor_seconds": {
                name: one["processor_seconds"]
                for name, one in whole.items()
                if one["processor_seconds"] > TARGET_S  # type: ignore[operator]
            },
            "processor_seconds": summary([one["processor_seconds"] for one in whole.values()]),  # type: ignore[misc]
            "seconds": summary([one["seconds"] for one in whole.values()]),  # type: ignore[misc]
            "target_gib": TARGET_GIB,
            "larger": large,
            "peak_gib": summary([one["peak_gib"] for one in whole.values()]),  # type: ignore[misc]
            "each": {name: {key: value for key, value in one.items() if key != "trace"} for name, one in found.items()},
        },
    )


if __name__ == "__main__":
    main()
