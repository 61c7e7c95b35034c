"""Do the tips for segmentation hold? Arms that differ in one thing, trained alike on the same folds, seed by seed.

Hippocampus (MSD): pair p is fold p of nnU-Net's five (52 of 260 cases), 16 of the others validate. ISBI 2012 membranes:
pairs alternate between two layouts of the one volume with labels, slices 19-30 to test and 1-12 to learn from (14-17
validate), and its mirror image. All arms of a pair share cases, patches, order and seed, steps, batch, rate and loss;
the plan is the one that `fieldcraft plan` drafts, with another network. Differences are paired, with t intervals over
pairs. The placebo is the base arm again from another seed: what chance alone makes of a pair.

Small networks, and steps that a core takes in a minute: what holds at convergence may differ. Each training and each
measurement is a line of build/segmentation_claims/trainings.jsonl, so that an interrupted run goes on; the result is
written anew after each.
Usage: python benchmarks/segmentation_claims.py [PAIRS [MINUTES]] (hippocampus and ISBI 2012 in FIELDCRAFT_DATA)
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.torch import load_file, save_file
from scipy.special import softmax
from sklearn.model_selection import KFold

import fieldcraft as fc
from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.mask_network import build_mask_network
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.data.dataset import ReadOptions
from fieldcraft.data.splits import Parts
from fieldcraft.plan.masks import Atrous, DeepMedic, PatchInput, UNet
from fieldcraft.plan.schema import Averaging, Network, Plan
from fieldcraft.plan.toml import read_plan, to_toml
from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.prediction.masks.calibrated import calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.components import filtered
from fieldcraft.prediction.masks.crf_search import Predicted, _words, candidates, fit_crf
from fieldcraft.prediction.masks.crf_tiles import tiled_marginals
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.rand import Membranes, best_threshold, rand_score
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.records.masks import ComponentRule, ScoreSettings
from fieldcraft.tips.masks import costs
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.journal import Journal
from fieldcraft.train.loop import Job, Surroundings, train
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.masks.rung import Built, asker, built, mask_regime
from fieldcraft.verbs.masks.samples import MaskSamples, ready_masks
from fieldcraft.verbs.measure import training_step
from fieldcraft.verbs.prepare import prepare
from result import summary, write

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.setdefault("FIELDCRAFT_DATA", str(ROOT.parent / "shared" / "data")))
BUILD = ROOT / "build" / "segmentation_claims"
TRAININGS = BUILD / "trainings.jsonl"
RUNG = "net"  # one name for all arms: they draw the same patches in the same order
PLACEBO, PLACEBO_SEED = "placebo", 1000
HELD_OUT, VALIDATED = 5, 16
REACH = 0.05  # of the steps: how far back averages of weights reach, as the tip has it
ROUNDS = 4  # of step times a pair
SIDE = 288  # of ISBI patches: a multiple of 32 and of 3, whole slices are seen in one piece
RIM_PX = 2.0  # of boundary IoU of cells: 2 % of a slice's diagonal would be 14 pixels, most of a small cell
FIELD = 51  # voxels that a second pathway of factor 3 sees
MEASURES = ("dice", "iou", "hd95_mm", "boundary_iou", "surface_dice")
OVERLAP = {"hd95_mm": "dice", "surface_dice": "dice", "boundary_iou": "iou"}  # what each is compared with
LARGEST = "largest_"  # before a measure: of the largest piece of each class, as hippocampi come one by one
LESS_IS_BETTER = ("hd95_mm", f"{LARGEST}hd95_mm", "membrane_hd95")
CRF_CASES = 8
CRF_ARMS = ("skips", "no skips")


# ---------------------------------------------------------------- arms


def unet(width: int, axes: int, levels: int, *, kernel: int = 3, depth: int = 2) -> UNet:
    return UNet(
        widths=tuple(width * 2**level for level in range(levels)),
        depths=(depth,) * levels,
        decoder_depth=depth,
        kernels=((kernel,) * axes,) * levels,
        strides=((2,) * axes,) * (levels - 1),
    )


def atrous(stride: int) -> Atrous:
    """Five stages to a stride; rates as the tip has them, within the map of a patch."""
    sixth = max(1, SIDE // stride // 6)
    return Atrous(
        widths=(8, 16, 32, 32, 32),
        depths=(1,) * 5,
        output_stride=stride,
        rates=(sixth, 2 * sixth, 3 * sixth),
        activation="leaky-relu",
    )


def pathways(widths: Sequence[int], *factors: int) -> DeepMedic:
    return DeepMedic(
        widths=tuple(widths), kernel=(3, 3), factors=factors, joined=(24, 24), norm="instance", activation="leaky-relu"
    )


def parameters(network: Network, axes: int, classes: int) -> int:
    assert isinstance(network, UNet | DeepMedic | Atrous)
    net = build_mask_network(network, channels=1, spatial=axes, classes=classes)
    return sum(one.numel() for one in net.parameters())


def one_pathway_like(two: DeepMedic) -> DeepMedic:
    """As many weights in one pathway as in two, by its widths."""
    layers, wanted = len(two.widths), parameters(two, 2, 2)
    tried = [pathways((w + 1,) * k + (w,) * (layers - k)) for w in range(4, 40) for k in range(layers)]
    return min(tried, key=lambda one: abs(parameters(one, 2, 2) - wanted))


TWO = pathways((8,) * 8, 3)
VOLUME, SLICE = unet(8, 3, 4), unet(8, 2, 5)
HIPPOCAMPUS: Mapping[str, Network] = {
    "skips": VOLUME,
    PLACEBO: VOLUME,
    "no skips": replace(VOLUME, skips=False),
    "batch norm": replace(VOLUME, norm="batch"),
    "group norm": replace(VOLUME, norm="group"),
    "three 3x3x3": replace(unet(4, 3, 4, depth=3), downsample="max-pool"),
    "one 7x7x7": replace(unet(4, 3, 4, depth=1, kernel=7), downsample="max-pool"),
}
ISBI: Mapping[str, Network] = {
    "skips": SLICE,
    PLACEBO: SLICE,
    "no skips": replace(SLICE, skips=False),
    "stride 4": atrous(4),
    "stride 8": atrous(8),
    "stride 16": atrous(16),
    "stride 32": atrous(32),
    "two pathways": TWO,
    "one pathway": one_pathway_like(TWO),
}


@dataclass(frozen=True)
class Contrast:
    """An arm against another, and the claim that it is about."""

    claim: str
    arm: str
    against: str


CONTRASTS: Mapping[str, tuple[Contrast, ...]] = {
    "hippocampus": (
        Contrast("placebo", PLACEBO, "skips"),
        Contrast("skips improve boundaries more than overlap", "skips", "no skips"),
        Contrast("three 3x3x3 against one 7x7x7", "three 3x3x3", "one 7x7x7"),
        Contrast("instance norm against batch norm at batch 2", "skips", "batch norm"),
        Contrast("group norm against batch norm at batch 2", "group norm", "batch norm"),
    ),
    "isbi": (
        Contrast("placebo", PLACEBO, "skips"),
        Contrast("skips improve boundaries more than overlap", "skips", "no skips"),
        *(
            Contrast(f"atrous at stride {fine} against pooling to {coarse}", f"stride {fine}", f"stride {coarse}")
            for fine in (4, 8)
            for coarse in (16, 32)
        ),
        Contrast("two pathways against one", "two pathways", "one pathway"),
    ),
}


# ---------------------------------------------------------------- sets


@dataclass(frozen=True, eq=False)
class Set:
    """A data set with its arms."""

    name: str
    source: Path
    reader: str | None
    axes: int
    steps: int
    shorter: Mapping[str, int]
    """Steps of arms that cost many times as much and are compared with each other alone."""
    arms: Mapping[str, Network]
    settings: ScoreSettings
    parts: Callable[[Sequence[str], int], Parts]
    """From names and the number of a pair."""

    def steps_of(self, arm: str) -> int:
        """Of the training of an arm."""
        return self.shorter.get(arm, self.steps)


def fold(names: Sequence[str], pair: int) -> Parts:
    """nnU-Net's folds: over sorted names."""
    order = np.argsort(np.array(names))
    rest, test = list(KFold(HELD_OUT, shuffle=True, random_state=12345).split(order))[pair % HELD_OUT]
    mixed = np.random.default_rng(pair).permutation(rest)
    validation, kept = mixed[:VALIDATED], mixed[VALIDATED:]
    return Parts(*(np.sort(order[one]).astype(np.int64) for one in (kept, validation, test)))


def layout(names: Sequence[str], pair: int) -> Parts:
    """Slices in their order; a slice is dropped between parts. Odd pairs are mirrored."""
    order = np.array(sorted(range(len(names)), key=lambda row: int("".join(filter(str.isdigit, names[row])))))
    order = order[::-1] if pair % 2 else order
    return Parts(*(np.sort(one).astype(np.int64) for one in (order[:12], order[13:17], order[18:])))


SETS = (
    Set(
        "hippocampus", DATA / "msd_hippocampus", None, 3, 160, dict.fromkeys(("three 3x3x3", "one 7x7x7"), 100),
        HIPPOCAMPUS, ScoreSettings(), fold,
    ),
    Set(
        "isbi", DATA / "isbi2012_membrane" / "train", "image-masks", 2, 120, {}, ISBI,
        ScoreSettings(membrane=0, boundary_mm=RIM_PX), layout,
    ),
)  # fmt: skip


def planned(one: Set) -> Plan:
    """What `fieldcraft plan` says of the set, drafted once; with the patch and the steps of this benchmark."""
    path = BUILD / f"{one.name}.toml"
    if not path.exists():
        found = fc.draft(one.source, budget="5m", evidence=False)
        path.write_text(to_toml(found.plan, found.decisions))
    plan = read_plan(path).plan
    assert isinstance(plan.input, PatchInput)
    patch = plan.input if one.axes == 3 else replace(plan.input, patch=(SIDE, SIDE))
    return replace(
        plan,
        input=patch,
        batch=replace(plan.batch, size=2),
        averaging=Averaging(decay=round(1 - 1 / (REACH * one.steps), 4)),
    )


def of_arm(plan: Plan, network: Network, steps: int, seed: int) -> Plan:
    rung = replace(plan.ladder.rungs[-1], name=RUNG, network=network, steps=steps, cool_downs=())
    return replace(plan, seed=seed, ladder=replace(plan.ladder, rungs=(rung,)))


@dataclass(frozen=True, eq=False)
class Opened:
    """A set that was read."""

    what: Set
    plan: Plan
    samples: MaskSamples

    def of_pair(self, pair: int) -> MaskSamples:
        """Parted as a pair has it."""
        return replace(self.samples, parts=self.what.parts(self.samples.dataset.ids, pair))


@cache
def opened(what: Set) -> Opened:
    plan = planned(what)
    found = prepare(what.source, ReadOptions(kind=what.reader), seed=0, plan=plan)
    samples = ready_masks(found.dataset, found.parts, plan, BUILD / "cache", found.digest)
    return Opened(what, plan, samples)


# ---------------------------------------------------------------- training


def trained(plan: Plan, samples: MaskSamples) -> tuple[Built, float]:
    """The house's loop over all planned steps, outside of any run, no looks at validation; and processor seconds."""
    rung, machine = plan.ladder.rungs[0], engine(plan.execution)
    network = built(rung, plan, samples, machine, name=rung.name)
    with TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch))
        job = Job(
            rung=rung.name,
            net=network.net,
            optimiser=build_optimiser(network.net, plan.optimiser, rung.lr),
            regime=mask_regime(plan, samples, network.net, machine),
            batches=samples.batches(plan, machine.device, network.wants, name=rung.name),
            course=Course.of(rung, plan.schedule, []),
            seed=plan.seed,
            decay=plan.averaging.decay,
            micro=plan.batch.micro,
            clip=build_clipping(network.net, plan.clipping),
            higher=True,
            validate=lambda shadow: 0.0,
            names=lambda rows: tuple(samples.ids("train")[row] for row in rows),
        )
        began = time.process_time()
        outcome = train(
            job,
            Surroundings(
                engine=machine,
                journal=Journal(folder.journal),
                checkpoint=folder.checkpoints / "net.safetensors",
                hooks=(),
                clock=Clock(budget_s=None, started=time.monotonic()),
                reserve_s=0.0,
                stop=lambda: False,
                say=told,
            ),
        )
        spent = time.process_time() - began
    assert outcome.steps == rung.steps, f"{outcome.steps} of {rung.steps} steps: arms must take as many"
    network.net.load_state_dict(outcome.weights)
    return network, spent


def said(network: Built, plan: Plan, samples: MaskSamples, rows: Sequence[int]) -> dict[int, Logits]:
    asked = asker(network.net, network.wants, plan, samples, engine(plan.execution))
    return {row: asked.logits(samples.image(row), samples.scaling(row)) for row in rows}


def rows_of(samples: MaskSamples) -> tuple[list[int], list[int]]:
    return [int(row) for row in samples.parts.validation], [int(row) for row in samples.parts.test]


# ---------------------------------------------------------------- scores


def mean(values: Sequence[float | None]) -> float:
    return float(np.mean([one for one in values if one is not None]))


def scored(labels: Mapping[int, np.ndarray], samples: MaskSamples, settings: ScoreSettings) -> dict[str, float]:
    """Means over cases of the mean over classes; of membranes as a class too, where there are any."""
    names = samples.dataset.targets.names
    found: dict[str, list[float | None]] = {}
    for row, predicted in labels.items():
        pair = MaskPair(
            name=samples.dataset.ids[row], truth=np.asarray(samples.truth(row)).astype(np.int64),
            predicted=predicted, spacing=samples.case(row).geometry.spacing,
        )  # fmt: skip
        case = score_case(pair, names, settings)
        for measure in MEASURES:
            found.setdefault(measure, []).append(mean([getattr(one, measure) for one in case.classes]))
        if settings.membrane is None:
            largest = score_case(replace(pair, predicted=alone(predicted, len(names), pair.spacing)), names, settings)
            for measure in MEASURES:
                values = [getattr(one, measure) for one in largest.classes]
                found.setdefault(f"{LARGEST}{measure}", []).append(mean(values))
            continue
        found.setdefault("accuracy", []).append(case.accuracy)
        found.setdefault("rand_at_half", []).append(case.rand)
        turned = score_case(replace(pair, truth=1 - pair.truth, predicted=1 - predicted), names, ScoreSettings())
        found.setdefault("membrane_dice", []).append(turned.classes[0].dice)
        found.setdefault("membrane_hd95", []).append(turned.classes[0].hd95_mm)
    return {name: mean(values) for name, values in found.items()}


def alone(predicted: np.ndarray, classes: int, spacing: tuple[float, ...]) -> np.ndarray:
    """The largest piece of each class: what the component filter, which the plan of organs asks for, leaves."""
    rules = [ComponentRule(class_id=one, largest_only=True) for one in range(1, classes)]
    return filtered(predicted, rules, spacing).astype(np.int64)


def likeliest(logits: Mapping[int, Logits]) -> dict[int, np.ndarray]:
    return {row: one.argmax(axis=0).astype(np.int64) for row, one in logits.items()}


def rand_at_threshold(
    validation: Mapping[int, Logits], test: Mapping[int, Logits], samples: MaskSamples
) -> dict[str, float]:
    """The Rand score of cells at the probability of membrane that validation chose."""
    both = [{row: (samples.truth(row) != 0, softmax(one, axis=0)[0]) for row, one in part.items()} for part in
            (validation, test)]  # fmt: skip
    at = best_threshold([Membranes(*one) for one in both[0].values()])
    return {
        "rand": float(np.mean([rand_score(cells, found < at).score for cells, found in both[1].values()])),
        "threshold": at,
    }


# ---------------------------------------------------------------- what is done and kept


@dataclass(frozen=True)
class Kept:
    """Lines on file, by what they are of."""

    lines: dict[tuple[object, ...], dict[str, object]] = field(default_factory=dict)

    @classmethod
    def read(cls) -> "Kept":
        """All that earlier runs did."""
        text = TRAININGS.read_text() if TRAININGS.exists() else ""
        lines = [json.loads(line) for line in text.splitlines()]
        return cls({tuple(one["key"]): one for one in lines})

    def add(self, key: tuple[object, ...], found: Mapping[str, object]) -> None:
        """A line more, on file at once."""
        self.lines[key] = {"key": list(key), **found}
        with TRAININGS.open("a") as file:
            file.write(json.dumps(self.lines[key]) + "\n")

    def of(self, kind: str, name: str, arm: str) -> dict[int, dict[str, object]]:
        """Lines of an arm by pair."""
        return {key[2]: line for key, line in self.lines.items() if (key[0], key[1], *key[3:]) == (kind, name, arm)}


def weights_path(name: str, pair: int, arm: str) -> Path:
    return BUILD / "weights" / f"{name} {pair} {arm}.safetensors"


def training(what: Set, pair: int, arm: str) -> dict[str, object]:
    """Train an arm on a pair and score it on the pair's fold."""
    one = opened(what)
    samples = one.of_pair(pair)
    seed = pair + (PLACEBO_SEED if arm == PLACEBO else 0)
    plan = of_arm(one.plan, what.arms[arm], what.steps_of(arm), seed)
    network, spent = trained(plan, samples)
    weights_path(what.name, pair, arm).parent.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in network.net.state_dict().items()},
              weights_path(what.name, pair, arm))  # fmt: skip
    validation, test = rows_of(samples)
    logits = said(network, plan, samples, test)
    scores = scored(likeliest(logits), samples, what.settings)
    if what.settings.membrane is not None:
        scores |= rand_at_threshold(said(network, plan, samples, validation), logits, samples)
    return {"scores": scores, "steps": what.steps_of(arm), "seed": seed, "processor_s": round(spent, 1)}


def crf(what: Set, pair: int, arm: str) -> dict[str, object]:
    """What the CRF that validation likes best makes of the fold, and whether validation would have kept it."""
    one = opened(what)
    samples = one.of_pair(pair)
    plan = of_arm(one.plan, what.arms[arm], what.steps_of(arm), pair)
    network = built(plan.ladder.rungs[0], plan, samples, engine(plan.execution), name=RUNG)
    network.net.load_state_dict(load_file(weights_path(what.name, pair, arm)))
    validation, test = rows_of(samples)
    seen = said(network, plan, samples, validation[:CRF_CASES])
    voxels = drawn_voxels(((logits, samples.truth(row)) for row, logits in seen.items()), len(seen), seed=pair)
    warmth = np.float32(calibrate_voxels(voxels, voxels).temperature)
    cases = [
        Predicted(
            name=samples.dataset.ids[row], image=samples.store.image(row), logits=logits / warmth,
            truth=samples.truth(row), spacing=samples.case(row).geometry.spacing, group=samples.group(row),
        )
        for row, logits in seen.items()
    ]  # fmt: skip
    kept, told_of = fit_crf(cases, what.settings, seed=pair)
    tried = candidates(float(np.median([min(case.spacing) for case in cases])))
    best = next(one for one in tried if _words(one) == told_of.chosen)
    logits = said(network, plan, samples, test)
    before = scored(likeliest(logits), samples, what.settings)
    began = time.process_time()
    refined = {
        row: tiled_marginals(said_of / warmth, samples.store.image(row), samples.case(row).geometry.spacing, best)
        for row, said_of in logits.items()
    }
    each = (time.process_time() - began) / len(test)
    after = scored(likeliest(refined), samples, what.settings)
    return {
        "before": before, "after": after, "kept": kept is not None, "because": told_of.because,
        "chosen": told_of.chosen, "processor_s_a_case": each,
    }  # fmt: skip


def pace(what: Set, pair: int) -> dict[str, object]:
    """Processor seconds of a training step of each arm, in turn, on the pair's own patches."""
    one = opened(what)
    samples, steps = one.of_pair(pair), {}
    for arm, network in what.arms.items():
        plan = of_arm(one.plan, network, what.steps, pair)
        machine = engine(plan.execution)
        made = built(plan.ladder.rungs[0], plan, samples, machine, name=RUNG)
        batches = samples.batches(plan, machine.device, made.wants, name=RUNG)
        regime = mask_regime(plan, samples, made.net, machine)
        steps[arm] = training_step(plan, plan.ladder.rungs[0], made.net, batches, machine, regime)
    found: dict[str, list[float]] = {arm: [] for arm in steps}
    for turn in range(ROUNDS + 1):
        for arm, step in steps.items():
            began = time.process_time()
            step()
            if turn:
                found[arm].append(time.process_time() - began)
    return {"processor_s": found}


def told(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def tasks(pairs: int) -> Iterator[tuple[tuple[object, ...], Callable[[], dict[str, object]]]]:
    """Pair by pair, so that a run that is stopped has whole pairs."""
    for pair in range(pairs):
        for what in SETS:
            for arm in what.arms:
                yield (
                    ("training", what.name, pair, arm),
                    lambda what=what, pair=pair, arm=arm: training(what, pair, arm),
                )
            for arm in CRF_ARMS:
                yield ("crf", what.name, pair, arm), lambda what=what, pair=pair, arm=arm: crf(what, pair, arm)
            yield ("pace", what.name, pair, ""), lambda what=what, pair=pair: pace(what, pair)


# ---------------------------------------------------------------- what it says


def difference(of: Mapping[int, Mapping[str, float]], to: Mapping[int, Mapping[str, float]]) -> dict[str, object]:
    """Of each measure, over the pairs that both have; `reads` is better, worse or undecided by the interval."""
    both = sorted(of.keys() & to.keys())
    measures = [name for name in next(iter(of.values())) if name != "threshold"]
    found: dict[str, object] = {}
    for name in measures:
        values = [of[pair][name] - to[pair][name] for pair in both]
        found[name] = {**summary(values), "reads": reads(values, name)}
    return found


def reads(values: Sequence[float], name: str) -> str:
    ends = summary(values)["mean_95"]
    if ends is None or math.isnan(ends[0]) or ends[0] <= 0 <= ends[1]:
        return "undecided"
    return "better" if (ends[0] > 0) != (name in LESS_IS_BETTER) else "worse"


def error(scores: Mapping[str, float], name: str) -> float:
    """What is missing to the best."""
    return scores[name] if name in LESS_IS_BETTER else 1 - scores[name]


def relative(of: Mapping[int, Mapping[str, float]], to: Mapping[int, Mapping[str, float]]) -> dict[str, object]:
    """By which factor errors shrink, and whether those at boundaries shrink by more than that of Dice.

    log(error / error), so that measures of different units can be compared; below 0 the arm is better.
    """
    both = sorted(of.keys() & to.keys())
    names = [name for name in next(iter(of.values())) if name.removeprefix(LARGEST) in MEASURES]
    logs = {name: [math.log(error(of[pair], name) / error(to[pair], name)) for pair in both] for name in names}
    overlap = {
        name: name.replace(kind, OVERLAP[kind]) for name in names if (kind := name.removeprefix(LARGEST)) in OVERLAP
    }
    beyond = {name: [a - b for a, b in zip(logs[name], logs[to], strict=True)] for name, to in overlap.items()}
    return {
        "log_error_ratio": {name: summary(values) for name, values in logs.items()},
        "beyond_overlap": {f"{name} beyond {overlap[name]}": summary(values) for name, values in beyond.items()},
    }


def scores_of(kept: Kept, name: str, arm: str) -> dict[int, dict[str, float]]:
    return {pair: line["scores"] for pair, line in kept.of("training", name, arm).items()}


def of_set(what: Set, kept: Kept) -> dict[str, object]:
    each = {arm: scores_of(kept, what.name, arm) for arm in what.arms}
    arms = {
        arm: {
            "steps": what.steps_of(arm),
            "parameters": parameters(network, what.axes, len(opened(what).samples.dataset.targets.names)),
            "multiply_adds_a_patch": sum(
                macs for macs, _, _ in costs(network, opened(what).samples.sample, opened(what).samples.outputs)
            ),
            "step_over_base": step_ratio(kept, what.name, arm),
            "scores": {
                name: summary([one[name] for one in each[arm].values()]) for name in next(iter(each[arm].values()))
            },
        }
        for arm, network in what.arms.items()
        if each[arm]
    }
    contrasts = [
        {
            "claim": one.claim, "arm": one.arm, "against": one.against,
            "pairs": sorted(each[one.arm].keys() & each[one.against].keys()),
            "step_over_step": step_ratio(kept, what.name, one.arm, one.against),
            "difference": difference(each[one.arm], each[one.against]),
            **(relative(each[one.arm], each[one.against]) if one.claim.startswith("skips") else {}),
        }
        for one in CONTRASTS[what.name]
        if each[one.arm].keys() & each[one.against].keys()
    ]  # fmt: skip
    plan = opened(what).plan
    return {
        "patch": list(opened(what).samples.sample.patch),
        "batch": plan.batch.size,
        "arms": arms,
        "contrasts": contrasts,
        "crf": {arm: found for arm in CRF_ARMS if (found := of_crf(kept.of("crf", what.name, arm)))},
    }


def of_crf(lines: Mapping[int, Mapping[str, object]]) -> dict[str, object]:
    if not lines:
        return {}
    after = {pair: line["after"] for pair, line in lines.items()}
    before = {pair: line["before"] for pair, line in lines.items()}
    held = {pair: line["after" if line["kept"] else "before"] for pair, line in lines.items()}
    return {
        "pairs": sorted(lines),
        "kept": sum(bool(line["kept"]) for line in lines.values()),
        "chosen": {pair: line["chosen"] for pair, line in lines.items()},
        "as_fitted": difference(after, before),
        "kept_only_if_validation_improves": difference(held, before),
        "processor_s_a_case": summary([line["processor_s_a_case"] for line in lines.values()]),
    }


def step_ratio(kept: Kept, name: str, arm: str, against: str = "skips") -> dict[str, object] | None:
    """Of step times that were taken in turn: one ratio a round."""
    rounds = [line["processor_s"] for line in kept.of("pace", name, "").values()]
    ratios = [a / b for one in rounds for a, b in zip(one[arm], one[against], strict=True)]
    return {key: value for key, value in summary(ratios).items() if key != "values"} if ratios else None


def two_pathways_on_hippocampus() -> dict[str, object]:
    """What the tip says, and how much of the field of a second pathway lies outside of the volumes."""
    text = read_plan(BUILD / "hippocampus.toml")
    tip = next(one for one in text.decisions if one.tip == "two-pathways")
    samples = opened(SETS[0]).samples
    inside = []
    for row in range(len(samples.dataset.ids)):
        sides = samples.case(row).geometry.shape
        axes = [np.minimum(np.arange(n) + FIELD // 2, n - 1) - np.maximum(np.arange(n) - FIELD // 2, 0) + 1
                for n in sides]  # fmt: skip
        inside.append(float(np.prod([one.mean() / FIELD for one in axes])))
    return {"tip": tip.outcome, "because": tip.because, "share_of_the_field_that_is_padding": summary_of_many(inside)}


def summary_of_many(values: Sequence[float]) -> dict[str, object]:
    outside = [1 - one for one in values]
    return {"n": len(outside), "median": float(np.median(outside)), "least": min(outside), "most": max(outside)}


def report(kept: Kept) -> None:
    write(
        "segmentation_claims",
        "do the tips for segmentation hold: paired differences over folds and seeds (95 % t intervals over pairs)",
        {
            **{what.name: of_set(what, kept) for what in SETS if kept.of("training", what.name, "skips")},
            "two_pathways_on_hippocampus": two_pathways_on_hippocampus(),
        },
    )


def main(pairs: float = 5, minutes: float = math.inf) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    began, kept = time.monotonic(), Kept.read()
    for key, task in tasks(int(pairs)):
        if key in kept.lines:
            continue
        if time.monotonic() - began > 60 * minutes:
            told("out of time; run it again to go on")
            break
        start = time.monotonic()
        kept.add(key, task())
        told(f"{' '.join(map(str, key))}: {time.monotonic() - start:.0f} s {kept.lines[key].get('scores', '')}")
        report(kept)
    report(kept)


if __name__ == "__main__":
    main(*(float(argument) for argument in sys.argv[1:]))
