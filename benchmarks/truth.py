"""Are the receptive fields right? The arithmetic against the pixels that have a gradient, over the zoo.

Each net is traced by `fieldcraft.anatomy`, and its weights made positive and its non-linear parts linear
(`tests/zoo/oracle.py`), so that a pixel has a gradient exactly when some path leads from it to the unit. For leaf
modules spread over the depth (`--rows`, 4) and for three units along the axis (first, middle, last) the hull of the
pixels with a gradient is compared with the interval of the arithmetic. One axis at a time, the last.

Convolutional nets get a long narrow input where they take one, so that fields end inside of it; others their own size.
Those of table C1 (Araujo, Norris and Sim 2019) are built thin (the structure stays), and the largest transformers as a
smaller net of their family or with fewer blocks (`SMALLER`, said in the result). Nets for text are asked about their
tokens, each as a number that its embedding repeats. Claims:
inside: the truth lies inside of the interval of the full field, always (the oracle leaves gates and norms over the map
out, but keeps ASPP's image pooling, which the local field leaves out).
equal: where the row is said to be exact and the interval of the local field touches no edge of the input, truth and
interval are equal. Units whose field the edge cuts are counted apart (edge, edge_equal), where the row is said to be
exact at the border, too; `cut` of them are not: taps in the padding are holes that an interval does not know of, and
pixels that a stride leaves over are seen by nobody.

Run: python benchmarks/truth.py [--rows N] [--seconds S] [LIBRARY | LIBRARY/NET ...]; --add keeps the nets of the last
result. Ctrl-C or a termination writes what was compared by then.
"""

import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from tests.zoo.linear import Linearised
from tests.zoo.oracle import double_by_default, first_tensor, hull, positive_copy, profile
from tests.zoo.slim import NETS
from torch import Tensor, nn

from fieldcraft.anatomy.fields import fields_of, followed, intervals_in, unit_dimension
from fieldcraft.anatomy.inputs import as_inputs
from fieldcraft.anatomy.trace import Traced, trace
from fieldcraft.errors import InspectError
from result import RESULTS, write
from zoo_nets import Net, monai_nets, own_nets, timm_nets, timm_shape, torchvision_nets, transformers_nets


@dataclass(frozen=True)
class Smaller:
    """A net of the same family, or with fewer blocks or a smaller image."""

    name: str = ""
    depth: int | None = None
    side: int | None = None

    def build(self, name: str) -> nn.Module:
        """The smaller net in place of `name`."""
        import timm

        said = {"depth": self.depth, "img_size": self.side}
        told = {key: value for key, value in said.items() if value is not None}
        return timm.create_model(self.name or name, pretrained=False, **told)  # type: ignore[no-any-return]


LONG, NARROW = 704, 64
DEEP = ((16, 16, 160), (32, 32, 160))
"""For nets over volumes, the first that they take."""
CLIPS = {"r3d_18": (3, 8, 48, 160), "mc3_18": (3, 8, 48, 160), "r2plus1d_18": (3, 8, 48, 160)} | dict.fromkeys(
    ("swin3d_t", "swin3d_s", "swin3d_b"), (3, 8, 56, 448)
)
SMALLER: dict[str, Smaller] = {
    "aimv2_1b_patch14_224": Smaller(depth=4),
    "cait_m36_384": Smaller("cait_xxs24_224", depth=4),
    "deepseek_vit_412m": Smaller(depth=4, side=224),
    "dm_nfnet_f0": Smaller("nfnet_l0"),
    "legacy_senet154": Smaller("legacy_seresnet18"),
    "mambaout_base": Smaller("mambaout_femto"),
    "mvitv2_base": Smaller("mvitv2_tiny"),
    "naflexvit_base_patch16_gap": Smaller(depth=4),
    "nest_base": Smaller("nest_tiny"),
    "nextvit_base": Smaller("nextvit_small"),
    "pit_b_224": Smaller("pit_ti_224"),
    "qwen3_vit_88m": Smaller(depth=4, side=224),
    "rdnet_base": Smaller("rdnet_tiny"),
    "samvit_base_patch16": Smaller(depth=4, side=320),
    "sequencer2d_l": Smaller("sequencer2d_s"),
    "swin_base_patch4_window7_224": Smaller("swin_tiny_patch4_window7_224"),
    "swinv2_base_window8_256": Smaller("swinv2_tiny_window8_256"),
    "swinv2_cr_base_224": Smaller("swinv2_cr_tiny_224"),
    "tnt_b_patch16_224": Smaller("tnt_s_legacy_patch16_224", depth=4),
    "tresnet_l": Smaller("tresnet_m"),
    "twins_pcpvt_base": Smaller("twins_pcpvt_small"),
    "visformer_small": Smaller("visformer_tiny"),
    "vit_base_mci_224": Smaller(depth=4),
    "vitamin_base_224": Smaller("vitamin_small_224"),
    "xcit_large_24_p8_224": Smaller("xcit_nano_12_p16_224", depth=4),
}
"""What is built for nets of timm that are too large for double precision on two cores."""
SECONDS = 60
"""Of processor time for one net; then it is not compared."""
MEMORY = 7 * 2**30
"""For one net, bytes."""
COUNTED = ("units", "inside", "claimed", "equal", "edge", "edge_equal", "cut")
LIBRARIES = ("C1", "torch", "torchvision", "monai", "transformers", "timm")


@dataclass(frozen=True)
class Case:
    """One net and the shape that it is asked about."""

    name: str
    net: Net
    inputs: object
    less: Smaller | None = None


def cases(libraries: Sequence[str]) -> Iterator[Case]:
    for name, slim in NETS.items() if "C1" in libraries else ():
        net = Net("C1", name, lambda slim=slim: slim.build(width=0.03), (3, slim.narrow, LONG * 2))  # type: ignore[misc]
        yield Case(f"C1/{name}", net, (3, slim.narrow, LONG * 2))
    for net in (*own_nets(), *torchvision_nets(), *monai_nets(), *transformers_nets(), *timm_nets()):
        if net.library in libraries:
            yield _case(net)


def _case(net: Net) -> Case:
    less = SMALLER.get(net.name) if net.library == "timm" else None
    if less is None:
        return Case(f"{net.library}/{net.name}", net, CLIPS.get(net.name, net.inputs))
    made = Net(net.library, net.name, lambda: less.build(net.name), net.inputs)
    own = timm_shape(less.name) if less.name else net.inputs
    return Case(f"{net.library}/{net.name}", made, (3, less.side, less.side) if less.side else own, less)


def _long(inputs: object) -> tuple[tuple[int, ...], ...]:
    """Long narrow inputs in place of an image or a volume, the first that the module takes."""
    if not isinstance(inputs, tuple) or len(set(inputs[1:])) != 1:
        return ()
    return {3: ((inputs[0], NARROW, LONG),), 4: tuple((inputs[0], *sizes) for sizes in DEEP)}.get(len(inputs), ())


def compared(case: Case, rows: int) -> dict[str, object]:
    """Units compared, how many lie inside, how many are equal where that is claimed; and what is wrong."""
    module = case.net.make()
    for inputs in _long(case.inputs):
        with suppress(InspectError, IndexError):  # tensors without numbers have no bounds to go beyond
            return _compared(module, inputs, case.less, rows)
    return _compared(module, case.inputs, case.less, rows)


def _compared(module: nn.Module, inputs: object, less: Smaller | None, rows: int) -> dict[str, object]:
    traced = trace(module, as_inputs(inputs))
    size = traced.capture.values[traced.inputs[0]].shape[1:]
    fields = fields_of(traced)
    events = _spread([one for one in _leaf_events(traced) if fields[one]], rows)
    if not events:
        return {"units": 0}
    truth = _outputs(module, size, [traced.capture.events[one].module for one in events])
    kept = [traced.capture.events[one].outputs[0] for one in events]
    track = [one for one in followed(traced, kept=kept) if one.value == traced.inputs[0]][-1]
    count = dict.fromkeys(COUNTED, 0)
    wrong = []
    for event in events:
        output = traced.capture.events[event].outputs[0]
        path = traced.capture.events[event].module
        source, found = truth[path]
        shape = traced.capture.values[output].shape
        if tuple(found.shape) != shape:
            continue
        dim = unit_dimension(track.local.sights.get(output), shape)
        intervals = intervals_in(track.local, output)
        most = intervals_in(track.full, output)
        everywhere = len(most) != len(intervals)
        axis = fields[event][0].axes[-1]
        for unit in sorted({0, len(intervals) // 2, len(intervals) - 1}):
            real = hull(profile(source, found, track.axis - 2, unit, dim))
            said, full = intervals[unit], most[0 if everywhere else unit]
            inside = real is None or (full is not None and full[0] <= real[0] and real[1] <= full[1])
            interior = said is not None and said[0] > 0 and said[1] < size[-1] - 1
            count["units"] += 1
            count["inside"] += inside
            claim = axis.exact if interior else axis.exact_at_border
            count["claimed" if interior else "edge"] += claim
            count["equal" if interior else "edge_equal"] += claim and real == said
            count["cut"] += axis.exact and not interior and not claim
            if not inside or (claim and real != said):
                wrong.append({"at": path, "unit": unit, "truth": real, "said": said})
    smaller = {"built": asdict(less)} if less else {}
    return {**count, "input": size, **smaller, "wrong": wrong[:5], "when": datetime.now(UTC).date().isoformat()}


def _leaf_events(traced: Traced) -> list[int]:
    """The last event of every leaf module that was called once and makes a map."""
    last: dict[str, int] = {}
    calls: dict[str, int] = {}
    events = traced.capture.events
    for place, event in enumerate(events):
        if event.outputs and len(traced.capture.values[event.outputs[0]].shape) >= 3:
            last[event.module] = place
            calls[event.module] = max(calls.get(event.module, 0), event.call)
    parents = {path.rpartition(".")[0] for path in last if path}
    return [place for path, place in last.items() if path not in parents and not calls[path]]


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


def apart(case: Case, rows: int, seconds: int) -> dict[str, object]:
    """In a child process, so that the memory of one net is not that of the next."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
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
    return (
        json.loads(text) if text else {"error": f"it took more than {seconds} s of processor time in double precision"}
    )  # type: ignore[no-any-return]


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = sys.argv[1:]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    rows = int(given[given.index("--rows") + 1]) if "--rows" in given else 4
    seconds = int(given[given.index("--seconds") + 1]) if "--seconds" in given else SECONDS
    libraries = [one for one in LIBRARIES if one in {name.partition("/")[0] for name in given}] or LIBRARIES
    single = [name for name in given if "/" in name]
    found: dict[str, dict[str, object]] = {}
    if "--add" in given:
        found |= json.loads((RESULTS / "truth.json").read_text())["measured"]["each"]
    with suppress(KeyboardInterrupt):  # what was compared by then is written
        known = {case.name: case for case in cases(libraries)}
        for case in [known[name] for name in single] or known.values():
            began = time.perf_counter()
            found[case.name] = one = apart(case, rows, seconds)
            print(case.name, one, f"{time.perf_counter() - began:.1f} s", flush=True)
    _report(found)


def _report(found: dict[str, dict[str, object]]) -> None:
    whole = {name: one for name, one in found.items() if "error" not in one}
    total = {key: sum(int(one.get(key, 0)) for one in whole.values()) for key in COUNTED}  # type: ignore[call-overload]
    write(
        "truth",
        "Receptive fields by arithmetic against the pixels that have a gradient",
        {
            "nets": len(found),
            "compared": len(whole),
            **total,
            "share_inside": total["inside"] / max(1, total["units"]),
            "share_equal_where_claimed": (total["equal"] + total["edge_equal"])
            / max(1, total["claimed"] + total["edge"]),
            "wrong": {name: one["wrong"] for name, one in whole.items() if one.get("wrong")},
            "not_compared": {name: one["error"] for name, one in found.items() if "error" in one},
            "each": found,
        },
    )


if __name__ == "__main__":
    main()
