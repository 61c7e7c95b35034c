"""Do the tips for segmentation hold? Arms that differ in one thing, trained alike on the same folds, seed by seed.

Hippocampus (MSD), anterior and posterior as one class: pair p is fold p of nnU-Net's five (52 of 260 cases), 16 of the
others validate. ISBI 2012 membranes: pairs alternate between two layouts of the one volume with labels, slices 19-30 to
test and 1-12 to learn from (14-17 validate), and its mirror image. All arms of a pair share cases, patches, order and
seed, steps, batch, rate and loss; the plan is the one that `fieldcraft plan` drafts, with other patches and another
network. Differences are paired, with t intervals over pairs. The placebo is the base arm again from another seed: what
chance alone makes of a pair.

Small networks, and steps that half a core takes in a minute: what holds at convergence may differ. With both classes of
hippocampus such a training ends before or after it tells them apart, as chance has it; hence the one class. Some end
before the foreground passes one half anywhere; hence a threshold that is fixed on validation (found needed after a look
at the first pairs), and the likeliest class beside it.

Each training and each measurement is a line of build/segmentation_claims/trainings.jsonl, and the result is written
anew after each, so that an interrupted run goes on.
Usage: python benchmarks/segmentation_claims.py [PAIRS [MINUTES [SET ...]]] (both in FIELDCRAFT_DATA)
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from safetensors.torch import load_file, save_file

from fieldcraft.build.clipping import build_clipping
from fieldcraft.build.optimiser import build_optimiser
from fieldcraft.plan.schema import Plan
from fieldcraft.plan.toml import read_plan
from fieldcraft.prediction.masks.ask import Logits
from fieldcraft.prediction.masks.calibrated import calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.crf_search import Predicted, candidates, fit_crf, in_words
from fieldcraft.prediction.masks.crf_tiles import tiled_marginals
from fieldcraft.tips.masks import costs
from fieldcraft.train.clock import Clock
from fieldcraft.train.course import Course
from fieldcraft.train.engine import engine
from fieldcraft.train.journal import Journal
from fieldcraft.train.loop import Job, Surroundings, train
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.masks.rung import Built, asker, built, mask_regime
from fieldcraft.verbs.masks.samples import MaskSamples
from fieldcraft.verbs.measure import training_step
from result import summary, write
from segmentation_arms import (
    BASE,
    BUILD,
    CONTRASTS,
    LATE,
    NO_SKIPS,
    PLACEBO,
    RUNG,
    SETS,
    SKIPS,
    Set,
    of_arm,
    opened,
    parameters,
)
from segmentation_scores import (
    Scores,
    difference,
    likeliest,
    likes,
    means,
    moved,
    rand_at_threshold,
    relative,
    scored,
)

TRAININGS = BUILD / "trainings.jsonl"
PLACEBO_SEED = 1000
ROUNDS = 3  # of step times a pair
FIELD = 51  # voxels that a second pathway of factor 3 sees
CRF_CASES = 6


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
            validate=None,
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


def reopened(what: Set, pair: int, arm: str) -> tuple[MaskSamples, dict[int, Logits], dict[int, Logits]]:
    """What trained weights say of validation and of test."""
    one = opened(what)
    samples = one.of_pair(pair)
    plan = of_arm(one.plan, what.arms[arm], what.steps_of(arm), pair)
    network = built(plan.ladder.rungs[0], plan, samples, engine(plan.execution), name=RUNG)
    network.net.load_state_dict(load_file(weights_path(what.name, pair, arm)))
    validation, test = (said(network, plan, samples, rows) for rows in rows_of(samples))
    return samples, validation, test


def held(what: Set, pair: int, arm: str) -> dict[str, object]:
    """The scores of a training at the threshold of validation.

    Short trainings are ill calibrated: some never give the rarer class one half.
    """
    samples, validation, test = reopened(what, pair, arm)
    at = likes(validation, samples, what.thin)
    return {"scores": scored(likeliest(moved(test, at)), samples, what.settings), "at": at}


def crf_likeliest(what: Set, pair: int, arm: str) -> dict[str, object]:
    """What the CRF makes of the fold where the likeliest class is taken."""
    samples, validation, test = reopened(what, pair, arm)
    return refined(what, pair, samples, validation, test)


def crf(what: Set, pair: int, arm: str) -> dict[str, object]:
    """The same, beginning with the threshold that validation likes."""
    samples, validation, test = reopened(what, pair, arm)
    at = likes(validation, samples, what.thin)
    return refined(what, pair, samples, moved(validation, at), moved(test, at))


def refined(
    what: Set, pair: int, samples: MaskSamples, validation: Mapping[int, Logits], test: Mapping[int, Logits]
) -> dict[str, object]:
    """By the CRF that validation likes best; and whether validation would have kept it."""
    seen = dict(list(validation.items())[:CRF_CASES])
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
    best = next(one for one in tried if in_words(one, what.settings.unit) == told_of.chosen)
    before = scored(likeliest(test), samples, what.settings)
    began = time.process_time()
    said_by_crf = {
        row: tiled_marginals(said_of / warmth, samples.store.image(row), samples.case(row).geometry.spacing, best)
        for row, said_of in test.items()
    }
    each = (time.process_time() - began) / len(test)
    after = scored(likeliest(said_by_crf), samples, what.settings)
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


Task = tuple[tuple[object, ...], Callable[[], dict[str, object]]]


def tasks(pairs: int, sets: Sequence[Set]) -> Iterator[Task]:
    """Pair by pair, so that a run that is stopped has whole pairs; what takes longest and matters least comes last."""
    each = [(what, pair) for pair in range(pairs) for what in sets]
    for what, pair in each:
        for arm in what.arms:
            if arm not in LATE:
                yield task("training", training, what, pair, arm)
                yield task("held", held, what, pair, arm)
        yield task("crf", crf, what, pair, BASE)
        yield task("crf likeliest", crf_likeliest, what, pair, BASE)
        yield ("pace", what.name, pair, ""), lambda what=what, pair=pair: pace(what, pair)
    for what, pair in each:
        for arm in set(LATE) & what.arms.keys():
            yield task("training", training, what, pair, arm)
            yield task("held", held, what, pair, arm)
    yield from (task("crf", crf, what, pair, NO_SKIPS) for what, pair in each)


def task(kind: str, do: Callable[[Set, int, str], dict[str, object]], what: Set, pair: int, arm: str) -> Task:
    return (kind, what.name, pair, arm), lambda: do(what, pair, arm)


def at_half(kept: Kept, name: str, arm: str) -> Scores:
    """By pair, where the likeliest class is taken."""
    lines = kept.of("training", name, arm)
    return {
        pair: {measure: value for measure, value in line["scores"].items() if measure not in ("rand", "threshold")}
        for pair, line in lines.items()
    }


def at_threshold(kept: Kept, name: str, arm: str) -> Scores:
    """By pair, at the threshold of validation; the Rand score at one of its own."""
    trained_ones = kept.of("training", name, arm)
    found = {}
    for pair, line in kept.of("held", name, arm).items():
        scores = {measure: value for measure, value in line["scores"].items() if measure != "rand_at_half"}
        own = trained_ones[pair]["scores"]
        found[pair] = scores | ({"rand": own["rand"]} if "rand" in own else {})
    return found


def of_set(what: Set, kept: Kept) -> dict[str, object]:
    one = opened(what)
    half, held_out = (
        {arm: scores for arm in what.arms if (scores := of(kept, what.name, arm))} for of in (at_half, at_threshold)
    )
    parts = one.of_pair(0).parts
    return {
        "classes": list(one.samples.dataset.targets.names),
        "cases": {"train": len(parts.train), "validation": len(parts.validation), "test": len(parts.test)},
        "rate": one.plan.ladder.rungs[-1].lr,
        "patch": list(one.samples.sample.patch),
        "batch": one.plan.batch.size,
        "arms": {
            arm: {
                "steps": what.steps_of(arm),
                "parameters": parameters(what.arms[arm], what.axes, one.samples.outputs),
                "multiply_adds_a_patch": sum(
                    macs for macs, _, _ in costs(what.arms[arm], one.samples.sample, one.samples.outputs)
                ),
                "step_over_base": step_ratio(kept, what.name, arm),
                "pairs": len(held_out[arm]),
                "scores": means(held_out[arm]),
                "scores_where_the_likeliest_class_is_taken": means(half[arm]),
            }
            for arm in held_out
        },
        "contrasts": {
            pair.claim: {
                "arm": pair.arm,
                "against": pair.against,
                "pairs": sorted(held_out[pair.arm].keys() & held_out[pair.against].keys()),
                "step_over_step": step_ratio(kept, what.name, pair.arm, pair.against),
                "difference": difference(held_out[pair.arm], held_out[pair.against]),
                "difference_where_the_likeliest_class_is_taken": difference(half[pair.arm], half[pair.against]),
                **(relative(held_out[pair.arm], held_out[pair.against]) if pair.claim == SKIPS else {}),
            }
            for pair in CONTRASTS[what.name]
            if pair.arm in held_out and pair.against in held_out
        },
        "crf": {
            f"{arm}, {begins}": of_crf(lines)
            for arm in (BASE, NO_SKIPS)
            for kind, begins in (("crf", "at the threshold of validation"), ("crf likeliest", "likeliest class"))
            if (lines := kept.of(kind, what.name, arm))
        },
    }


def of_crf(lines: Mapping[int, Mapping[str, object]]) -> dict[str, object]:
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


def step_ratio(kept: Kept, name: str, arm: str, against: str = BASE) -> dict[str, object] | None:
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
        rounded(
            {
                **{what.name: of_set(what, kept) for what in SETS if kept.of("held", what.name, BASE)},
                "two_pathways_on_hippocampus": two_pathways_on_hippocampus(),
            }
        ),
    )


def rounded(found: object) -> object:
    """Five significant digits are more than the differences have."""
    match found:
        case float():
            return float(f"{found:.5g}")
        case dict():
            return {name: rounded(one) for name, one in found.items()}
        case list():
            return [rounded(one) for one in found]
        case _:
            return found


def main(pairs: str = "5", minutes: str = "inf", *names: str) -> None:
    BUILD.mkdir(parents=True, exist_ok=True)
    began, kept = time.monotonic(), Kept.read()
    for key, task in tasks(int(pairs), [what for what in SETS if not names or what.name in names]):
        if key in kept.lines:
            continue
        if time.monotonic() - began > 60 * float(minutes):
            told("out of time; run it again to go on")
            break
        start = time.monotonic()
        kept.add(key, task())
        told(f"{' '.join(map(str, key))}: {time.monotonic() - start:.0f} s {kept.lines[key].get('scores', '')}")
        report(kept)
    report(kept)


if __name__ == "__main__":
    main(*sys.argv[1:])
