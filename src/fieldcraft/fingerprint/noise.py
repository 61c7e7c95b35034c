"""How far labels can be trusted, and whether more samples would help."""

import numpy as np
import numpy.typing as npt

from fieldcraft.fingerprint.affordable import affordable
from fieldcraft.fingerprint.cloud import Samples, distances
from fieldcraft.fingerprint.floor import floor_of_risk
from fieldcraft.fingerprint.learning_curve import learning_curve
from fieldcraft.fingerprint.looks import looked_at, looks
from fieldcraft.fingerprint.ridges import coded, kernel_out_of_fold, laplace_kernel, linear_out_of_fold, wrong
from fieldcraft.fingerprint.some import folds, some, told
from fieldcraft.records.deep_facts import Noise
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Task

SECONDS_A_THOUSAND, POWER = 0.5, 2.2
LEAST, MOST = 300, 2_000
FOLDS = 5
LEAST_SAMPLES = 100
SKILLED = 1 / 2
"""Of the error of always naming the commonest class: a probe that is wrong more often cannot show that labels are."""


def noise(
    samples: Samples,
    targets: npt.NDArray[np.generic],
    groups: npt.NDArray[np.generic] | None,
    task: Task,
    *,
    seed: int,
    limit_s: float,
) -> Noise | None:
    """Label noise and learning curve by a kernel machine that has not seen the samples it judges, on a subsample.

    `samples`: (n, d) standardised features or (n, height, width, channels) pixels of the training part. The label noise
    is the floor of the risk (`floor_of_risk`), with an interval that begins at 0 where the machine is not much better
    than chance; for regression and multi-label there is none. None: fewer than a hundred samples, one class, one group.
    """
    most = affordable(
        limit_s, samples[:1].size, seconds_a_thousand=SECONDS_A_THOUSAND, power=POWER, least=LEAST, most=MOST
    )
    rows = some(targets, most, seed, "noise")
    if len(rows) < LEAST_SAMPLES:
        return None
    cloud, code = looks(samples, rows, seed), coded(targets[rows], task)
    if code.shape[1] < 2 and task == "single-label":
        return None
    fold = folds(len(rows), None if groups is None else groups[rows], FOLDS, seed)
    if len(np.unique(fold)) < 2:
        return None
    kernel = laplace_kernel(distances(cloud))
    answers, penalty = kernel_out_of_fold(kernel, code, fold)
    missed = wrong(code, answers, task)
    plain = wrong(code, linear_out_of_fold(cloud, code, fold), task)
    sample = told(len(rows), len(targets))
    flexible = 1 - _whole(missed, task) / max(_whole(plain, task), 1e-12)
    curve = learning_curve(kernel, code, task, fold, penalty=penalty, flexible=flexible, seed=seed)
    kept = Fact(value=curve, method=f"kernel ridge regression on {looked_at(samples)}", sample=sample)
    if task != "single-label":
        return Noise(labels=None, labels_95=None, curve=kept)
    best = np.sort(answers, axis=1)
    floor = floor_of_risk(best[:, -1] - best[:, -2], missed)
    skilled = missed.mean() <= SKILLED * (1 - code.mean(axis=0).max())
    labels = Fact(
        value=floor.value,
        method=f"disagreement where kernel ridge on {looked_at(samples)} is most certain; {missed.mean():.1%} overall",
        sample=sample,
    )
    return Noise(labels=labels, labels_95=(floor.low if skilled else 0.0, floor.high), curve=kept)


def _whole(missed: npt.NDArray[np.float64], task: Task) -> float:
    return float(np.sqrt(missed.mean()) if task == "regression" else (missed.sum() + 0.5) / (len(missed) + 1))
