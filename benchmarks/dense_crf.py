"""The dense CRF: how fast, how near to comparing all pairs, and what last steps do to a plain voxel classifier's masks.

Speed and nearness: real images; logits are the blurred truth with noise, since a network is not what is measured here.
Time is that of the processor on one thread, beside the wall clock. Effect: boosting on filters at several scales (no
network) gives real logits; a temperature, the CRF and the rules for components are then sought on validation by
cross-fitting. One run, so intervals are over cases alone.
Usage: python benchmarks/dense_crf.py (needs hippocampus and ISBI 2012 in FIELDCRAFT_DATA; about two minutes)
"""

import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude, gaussian_laplace
from scipy.special import softmax
from sklearn.ensemble import HistGradientBoostingClassifier

from fieldcraft.prediction.masks.calibrated import calibrate_voxels, drawn_voxels
from fieldcraft.prediction.masks.components import fit_components
from fieldcraft.prediction.masks.crf_search import NEAR_WEIGHTS, Predicted, candidates, fit_crf
from fieldcraft.prediction.masks.dense_crf import SHIPPED, exact_marginals, marginals
from fieldcraft.prediction.masks.pair import MaskPair
from fieldcraft.prediction.masks.score import score_case
from fieldcraft.records.masks import ScoreSettings
from result import summary, write

DATA = Path(os.environ.get("FIELDCRAFT_DATA", "../shared/data"))
REPEATS = 5
SCALES = (0.7, 1.5, 3.0, 6.0)
MEMBRANES = ScoreSettings(membrane=1)


def volumes(count):
    import nibabel

    folder = DATA / "msd_hippocampus"
    for path in sorted((folder / "labelsTr").glob("hippo*.nii.gz"))[:count]:
        truth = nibabel.load(path)
        image = np.asarray(nibabel.load(folder / "imagesTr" / path.name).dataobj, dtype=np.float32)
        yield (
            path.name[:15],
            image,
            np.asarray(truth.dataobj).astype(np.int64),
            tuple(map(float, truth.header.get_zooms())),
        )


def slices(numbers):
    folder = DATA / "isbi2012_membrane" / "train"
    for number in numbers:
        image = np.asarray(Image.open(folder / "image" / f"{number}.png").convert("L"), dtype=np.float32)
        cells = np.asarray(Image.open(folder / "label" / f"{number}.png").convert("L")) > 127
        yield f"slice {number}", image, (~cells).astype(np.int64), (1.0, 1.0)


def made_up_logits(truth, classes, rng):
    soft = np.stack([gaussian_filter((truth == one).astype(np.float32), 1.0) for one in range(classes)])
    return (np.log(np.clip(soft, 1e-3, 1)) + rng.normal(0, 1, soft.shape)).astype(np.float32)


def timed(function):
    function()
    cpu, wall = [], []
    for _ in range(REPEATS):
        start, clock = time.process_time(), time.perf_counter()
        function()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - clock)
    return {"processor_s": summary(cpu), "wall_s_with_other_work_running": summary(wall)}


def speed():
    rng = np.random.default_rng(0)
    found = {}
    for (_, image, truth, spacing), classes, settings in (
        (next(volumes(1)), 3, ScoreSettings()),
        (next(slices([0])), 2, MEMBRANES),
    ):
        logits = made_up_logits(truth, classes, rng)
        pair = MaskPair(name="", truth=truth, predicted=logits.argmax(axis=0), spacing=spacing)
        names = [str(one) for one in range(classes)]
        found["x".join(map(str, image.shape))] = {
            "crf": timed(lambda logits=logits, image=image, spacing=spacing: marginals(logits, image[None], spacing)),
            "all_measures": timed(lambda pair=pair, names=names, s=settings: score_case(pair, names, s)),
        }
    return found


def crop(image, truth, side, rng):
    """One with more than one class."""
    while True:
        at = tuple(slice(low, low + side) for low in (rng.integers(0, full - side) for full in image.shape))
        if len(np.unique(truth[at])) > 1:
            return at


def nearness():
    """Of the parameters that are shipped, and of the search's at its larger weight."""
    tried = {
        "shipped": SHIPPED,
        **{
            f"near {one.near_mm:g}, tone {one.tone:g}": one
            for one in candidates(1.0)
            if one.near_weight == max(NEAR_WEIGHTS)
        },
    }
    found = {}
    for name, cases, classes, side in (("hippocampus", volumes(5), 3, 14), ("isbi", slices(range(5)), 2, 60)):
        rng = np.random.default_rng(0)
        chosen = []
        for _, image, truth, spacing in cases:
            at = crop(image, truth, side, rng)
            chosen.append((image[at][None], made_up_logits(truth[at], classes, rng), spacing))
        for label, crf in tried.items():
            exact = [exact_marginals(logits, image, spacing, crf) for image, logits, spacing in chosen]
            fast = [marginals(logits, image, spacing, crf) for image, logits, spacing in chosen]
            plain = [softmax(logits, axis=0) for _, logits, _ in chosen]
            found[f"{name}, {label}"] = {
                "crf": asdict(crf),
                "side_of_crops": side,
                "mean_absolute_error": summary([float(np.abs(a - b).mean()) for a, b in zip(fast, exact, strict=True)]),
                "the_crf_moved_marginals_by": float(
                    np.mean([np.abs(a - b).mean() for a, b in zip(plain, exact, strict=True)])
                ),
            }
    return found


def filters(image):
    """(voxels, features): what is seen at several scales, and where."""
    tone = (image - image.mean()) / image.std()
    maps = [tone]
    for scale in SCALES:
        maps += [gaussian_filter(tone, scale), gaussian_gradient_magnitude(tone, scale), gaussian_laplace(tone, scale)]
    if image.ndim == 3:
        maps += list(np.meshgrid(*(np.linspace(-1, 1, side) for side in image.shape), indexing="ij"))
    return np.stack(maps, axis=-1).reshape(image.size, -1).astype(np.float32)


def boosted(train, validation, classes, each):
    rng = np.random.default_rng(0)
    features, targets = [], []
    for _, image, truth, _ in train:
        picked = rng.choice(image.size, min(each, image.size), replace=False)
        features.append(filters(image)[picked])
        targets.append(truth.ravel()[picked])
    model = HistGradientBoostingClassifier(max_iter=50, random_state=0, early_stopping=False)
    model.fit(np.concatenate(features), np.concatenate(targets))
    for name, image, truth, spacing in validation:
        logits = np.log(np.clip(model.predict_proba(filters(image)), 1e-6, 1)).T.reshape(classes, *image.shape)
        yield Predicted(name=name, image=image[None], logits=logits.astype(np.float32), truth=truth, spacing=spacing)


def told(refinement):
    return {
        "kept": refinement.kept,
        "because": refinement.because,
        "chosen": refinement.chosen,
        "changes": {name: asdict(one) for name, one in refinement.changes.items()},
    }


def effect():
    found = {}
    every = list(volumes(31))
    for name, train, validation, classes, each, settings in (
        ("hippocampus", every[:15], every[15:], 3, 5000, ScoreSettings()),
        ("isbi", list(slices(range(0, 17, 2))), list(slices(range(18, 23))), 2, 12000, MEMBRANES),
    ):
        cases = list(boosted(train, validation, classes, each))
        half = len(cases) // 2
        parts = [drawn_voxels([(c.logits, c.truth) for c in part], len(part)) for part in (cases[:half], cases[half:])]
        calibration = calibrate_voxels(*parts)
        started = time.process_time()
        _, crf = fit_crf(cases, settings)
        seconds = time.process_time() - started
        _, components = fit_components([c.pair(c.logits.argmax(axis=0)) for c in cases], classes)
        found[name] = {
            "trained_on_cases": len(train),
            "validation_cases": len(cases),
            "temperature": calibration.temperature,
            "ece": [calibration.before.ece, calibration.after.ece],
            "ece_where_contested": [calibration.contested_before.ece, calibration.contested_after.ece],
            "crf": told(crf),
            "crf_search_processor_s": seconds,
            "components": [told(one) for one in components],
        }
    return found


if __name__ == "__main__":
    write(
        "dense_crf",
        "dense CRF on one thread: seconds; mean absolute error of marginals against all pairs; and what last steps do",
        {"speed": speed(), "nearness": nearness(), "effect": effect()},
    )
