"""Are the receptive fields right? The arithmetic against the pixels that have a gradient, over the zoo.

Each net is traced by `fieldcraft.anatomy`, and its weights made positive and its non-linear parts linear
(`tests/zoo/oracle.py`), so that a pixel has a gradient exactly when some path leads from it to the unit. For leaf
modules spread over the depth (`--rows`, 4) and for three units along the axis (first, middle, last) the hull of the
pixels with a gradient is compared with the interval of the arithmetic. One axis at a time, the last.

Convolutional nets get a long narrow input where they take one, so that fields end inside of it; others their own size.
Those of table C1 (Araujo, Norris and Sim 2019) are built thin (the structure stays). Nets for video that attend or pool
to a fixed size are left out: their passes in double precision take too long on two cores. Claims:
inside: the truth lies inside of the interval of the full field, always (the oracle leaves gates and norms over the map
out, but keeps ASPP's image pooling, which the local field leaves out).
equal: where the row is said to be exact and the interval of the local field touches no edge of the input, truth and
interval are equal.

Run: python benchmarks/truth.py [--rows N] [LIBRARY | LIBRARY/NET ...]; --add keeps the nets of the last result.
"""

import json
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from tests.zoo.linear import Linearised
from tests.zoo.oracle import double_by_default, first_tensor, hull, positive_copy, profile
from tests.zoo.slim import NETS
from torch import Tensor, nn

from fieldcraft.anatomy.fields import axes_of, fields_of, followed, intervals_of, unit_dimension
from fieldcraft.anatomy.inputs import Input, as_inputs
from fieldcraft.anatomy.trace import Traced, trace
from fieldcraft.errors import InspectError
from result import RESULTS, write
from zoo_nets import Net, monai_nets, own_nets, timm_nets, torchvision_nets, transformers_nets

LONG, NARROW = 704, 64
CLIP = (3, 8, 48, 160)
LONGEST_S = 40
"""For one net; then it is not compared."""
LIBRARIES = ("C1", "torch", "torchvision", "monai", "transformers", "timm")
VIDEO = ("r3d_18", "mc3_18", "r2plus1d_18")
LEFT_OUT = ("s3d", "mvit", "swin3d")


@dataclass(frozen=True)
class Case:
    """One net and the shape that it is asked about."""

    name: str
    net: Net
    shape: tuple[int, ...]


def cases(libraries: Sequence[str]) -> Iterator[Case]:
    for name, slim in NETS.items() if "C1" in libraries else ():
        net = Net("C1", name, lambda slim=slim: slim.build(width=0.03), (3, slim.narrow, LONG * 2))  # type: ignore[misc]
        yield Case(f"C1/{name}", net, (3, slim.narrow, LONG * 2))
    for net in (*own_nets(), *torchvision_nets(), *monai_nets(), *transformers_nets(), *timm_nets()):
        if net.library in libraries and isinstance(net.inputs, tuple) and not net.name.startswith(LEFT_OUT):
            yield Case(f"{net.library}/{net.name}", net, CLIP if net.name in VIDEO else net.inputs)


def long_and_narrow(module: nn.Module, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape to ask about: long and narrow where the module takes that of an image."""
    wanted = (shape[0], NARROW, LONG)
    if len(shape) != 3 or shape[1] != shape[2]:
        return shape
    try:
        trace(module, as_inputs([Input(shape=wanted)]))
    except InspectError:
        return shape
    return wanted


def compared(case: Case, rows: int) -> dict[str, object]:
    """Units compared, how many lie inside, how many are equal where that is claimed; and what is wrong."""
    module = case.net.make()
    size = long_and_narrow(module, case.shape)
    traced = trace(module, as_inputs([Input(shape=size)]))
    events = _spread(_leaf_events(traced), rows)
    if not events:
        return {"units": 0}
    truth = _outputs(module, size, [traced.capture.events[one].module for one in events])
    fields = fields_of(traced)
    track = [one for one in followed(traced, kept=range(len(traced.capture.values))) if one.value == traced.inputs[0]][
        -1
    ]
    axis = len(axes_of(traced)[traced.input_names[0]]) - 1
    count = {"units": 0, "inside": 0, "claimed": 0, "equal": 0}
    wrong = []
    for event in events:
        output = traced.capture.events[event].outputs[0]
        path = traced.capture.events[event].module
        source, found = truth[path]
        shape = traced.capture.values[output].shape
        if tuple(found.shape) != shape:
            continue
        dim = unit_dimension(track.local.sights.get(output), shape)
        intervals = intervals_of(traced, event, 0, axis)
        most = intervals_of(traced, event, 0, axis, policy="full")
        everywhere = len(most) != len(intervals)
        exact = fields[event][0].axes[axis].exact
        for unit in sorted({0, len(intervals) // 2, len(intervals) - 1}):
            real = hull(profile(source, found, track.axis - 2, unit, dim))
            said, full = intervals[unit], most[0 if everywhere else unit]
            inside = real is None or (full is not None and full[0] <= real[0] and real[1] <= full[1])
            interior = said is not None and said[0] > 0 and said[1] < size[-1] - 1
            count["units"] += 1
            count["inside"] += inside
            count["claimed"] += exact and interior
            count["equal"] += exact and interior and real == said
            if not inside or (exact and interior and real != said):
                wrong.append({"at": path, "unit": unit, "truth": real, "said": said})
    return {**count, "input": size, "wrong": wrong[:5]}


def _leaf_events(traced: Traced) -> list[int]:
    """The last event of every leaf module that was called once and makes a map."""
    last: dict[str, int] = {}
    calls: dict[str, int] = {}
    events = traced.capture.events
    for place, event in enumerate(events):
        if event.module and event.outputs and len(traced.capture.values[event.outputs[0]].shape) >= 3:
            last[event.module] = place
            calls[event.module] = max(calls.get(event.module, 0), event.call)
    parents = {path.rpartition(".")[0] for path in last}
    fields = fields_of(traced)
    return [place for path, place in last.items() if path not in parents and not calls[path] and fields[place]]


def _spread(places: list[int], count: int) -> list[int]:
    if len(places) <= count:
        return places
    return [places[round(one * (len(places) - 1) / (count - 1))] for one in range(count)]


def _outputs(module: nn.Module, shape: tuple[int, ...], paths: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
    twin = positive_copy(module)
    source = torch.ones((1, *shape), dtype=torch.float64, requires_grad=True)
    seen: dict[str, Tensor] = {}
    for path in paths:
        twin.get_submodule(path).register_forward_hook(
            lambda module, args, output, path=path: seen.__setitem__(path, first_tensor(output))
        )
    with double_by_default(), torch.enable_grad(), Linearised(local=True):
        twin(source.clone())
    return {path: (source, output) for path, output in seen.items()}


def apart(case: Case, rows: int) -> dict[str, object]:
    """In a child process, so that the memory of one net is not that of the next."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.alarm(LONGEST_S)
        try:
            found = compared(case, rows)
        except Exception as error:
            found = {"error": f"{type(error).__name__}: {error}"[:300]}
        with os.fdopen(writing, "w") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {"error": f"it took longer than {LONGEST_S} s in double precision"}  # type: ignore[no-any-return]


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = sys.argv[1:]
    rows = int(given[given.index("--rows") + 1]) if "--rows" in given else 4
    libraries = [one for one in LIBRARIES if one in {name.partition("/")[0] for name in given}] or LIBRARIES
    single = [name for name in given if "/" in name]
    found: dict[str, dict[str, object]] = {}
    if "--add" in given:
        found |= json.loads((RESULTS / "truth.json").read_text())["measured"]["each"]
    with suppress(KeyboardInterrupt):  # what was compared by then is written
        for case in cases(libraries):
            if single and case.name not in single:
                continue
            began = time.perf_counter()
            found[case.name] = one = apart(case, rows)
            print(case.name, one, f"{time.perf_counter() - began:.1f} s", flush=True)
    _report(found)


def _report(found: dict[str, dict[str, object]]) -> None:
    whole = {name: one for name, one in found.items() if "error" not in one}
    keys = ("units", "inside", "claimed", "equal")
    total = {key: sum(int(one.get(key, 0)) for one in whole.values()) for key in keys}  # type: ignore[call-overload]
    write(
        "truth",
        "Receptive fields by arithmetic against the pixels that have a gradient",
        {
            "nets": len(found),
            "compared": len(whole),
            **total,
            "share_inside": total["inside"] / total["units"],
            "share_equal_where_claimed": total["equal"] / total["claimed"],
            "wrong": {name: one["wrong"] for name, one in whole.items() if one.get("wrong")},
            "not_compared": {name: one["error"] for name, one in found.items() if "error" in one},
            "each": found,
        },
    )


if __name__ == "__main__":
    main()
