"""Does the label survive a change of the image? A probe trained with changed copies must not do worse without them.

Each draw takes a subsample and filters of its own, adds one changed copy to every training sample, both counting half
as an augmentation that is applied to every second sample, and compares, sample by sample, with a probe trained on the
originals alone. Samples that judge are never changed and never trained on. A change survives when the lower end of
the gain's interval lies above the margin of loss, and when the probe still reads the label off changed samples; where
an interval holds the margin, or the probe knows too little to lose anything, the data cannot tell.
With a few hundred of many samples any copies help, wrong ones too: a change is allowed by no fewer than `TRUSTED`
samples or half of them. Where time is too short for that, what every plan asks for is tried alone, on more samples.

Hurts: the probe sees edges and colours in four quarters of the frame. What only a deep network would see (the
right way up of a cell, a mirrored letter in a page) it cannot lose.
Source: non-inferiority by a margin fixed beforehand, CPMP/EWP/2158/99 of the European Medicines Agency; the probe as
in `probe.py`.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fieldcraft.fingerprint.changes import Change, changes_for
from fieldcraft.fingerprint.closed_form import crossfit
from fieldcraft.fingerprint.goal import Goal, goal_of
from fieldcraft.fingerprint.paired import Interval, paired_interval
from fieldcraft.fingerprint.probe import PIECE, SIDE, Probe, draw_probe, probe_images, resized
from fieldcraft.fingerprint.subsample import evened, whole_folds
from fieldcraft.records.deep_facts import Survives, Symmetry, Transform
from fieldcraft.records.fact import Fact
from fieldcraft.records.streams import stream_seed

MARGIN = 0.025
"""Loss that counts as none, in deviations of one right-or-wrong answer: 1.25 points at an accuracy of one half, 0.55 at
95 %. In these units a point weighs the more, the nearer the probe is to being right always."""
LEAST_MARGIN = 0.005
KEPT = 0.75
"""What the probe must still read off changed samples, as a share of what it reads off untouched ones."""
LEAD = 4
"""Margins that the probe must be better than guessing, for a loss to be seen at all."""
COPIES = 0.5
"""Share of the training weight that changed copies have."""
FILTERS, CELLS = 24, 2
"""Of the probe: few, so that what the copies take away is missed."""
FINE = 2 * SIDE
"""Shorter side of the images that are turned, shifted, scaled and blurred, before they are brought to the probe's."""
FOLDS = 4
DRAWS = 12
AIMED_DRAWS, SHORT_DRAWS, LEAST_DRAWS = 6, 4, 3
MOST_SAMPLES, LEAST_SAMPLES = 3000, 200
TRUSTED, TRUSTED_SHARE = 700, 0.5
"""Samples of a draw from which on a change can be allowed; of small sets, a share of the training samples. Of CIFAR-10
upside-down copies cost 5 points with 3,000 samples, 3 with 800, 2 with 500 and, in some draws, nothing with 300."""
LOOKING, BETWEEN_PIXELS = 2.0, 1.55
"""What the probe without changes, and a change between pixels, take: times a change of whole pixels."""
SAFE = 0.8
"""Share of the time that draws are planned for."""
ALWAYS_ASKED: tuple[Transform, ...] = ("flip-horizontal", "flip-vertical", "quarter-turns", "translation")
"""Changes that a plan asks for however short its courses are; of gray images, small rotations as well."""
FEWEST = 40
"""Samples without which nothing is tried."""
PILOT = 200

Rows = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float64]


def symmetry(
    pixels: npt.NDArray[np.generic],
    labels: npt.NDArray[np.generic],
    groups: npt.NDArray[np.generic] | None,
    *,
    seed: int,
    limit_s: float,
    clock: Callable[[], float] = time.monotonic,
) -> Fact[tuple[Symmetry, ...]] | None:
    """Which changes the label survives, or None: too few samples, one class, or too little time.

    Shape: pixels (n, h, w, c) uint8, uint16 or float, of training samples alone; labels int64 (n,) for classes, (n, k)
    of 0 and 1 for labels, float (n, k) for numbers; groups (n,), never torn by a fold.
    Cost: at most `limit_s` seconds; about 1 s a draw of 3,000 samples on one core (2 s for 32 x 32 RGB). What every
    plan asks for takes half of it alone.
    """
    began = clock()
    units = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(labels) < FEWEST or len(np.unique(units)) < FOLDS or len(np.unique(labels, axis=0)) < 2:
        return None
    strata = _strata(labels)
    some = evened(strata, PILOT, np.random.default_rng(stream_seed(seed, "fingerprint", "symmetry")))
    every = changes_for(probe_images(pixels[some], side=FINE))
    gray = pixels.shape[-1] == 1
    asked = tuple(one for one in every if one.transform in ALWAYS_ASKED or (gray and one.transform == "rotation"))

    def once(number: int, most: int, changes: Sequence[Change]) -> _Draw:
        random = np.random.default_rng(stream_seed(seed, "fingerprint", "symmetry", number))
        rows = evened(strata, most, random)
        look = _look(pixels[rows], stream_seed(seed, "filters", "symmetry", number))
        fold = whole_folds(strata[rows], units[rows], FOLDS, random)
        return _draw(look, changes, goal_of(labels[rows]), units[rows], fold)

    least = min(LEAST_SAMPLES, len(labels))
    trusted = max(least, min(TRUSTED, ceil(TRUSTED_SHARE * len(labels))))
    with torch.inference_mode():
        pace = _pace(lambda samples: once(0, samples, asked), len(some), clock)
        changes, most = _affordable(pace, every, asked, began + limit_s - clock(), trusted=trusted, least=least)
        if most < least:
            return None
        draws: list[_Draw] = []
        longest, now = 0.0, clock()
        while len(draws) < DRAWS and now + 1.1 * longest <= began + limit_s:
            draws.append(once(len(draws), most, changes))
            before, now = now, clock()
            longest = max(longest, now - before)
    if len(draws) < LEAST_DRAWS:
        return None
    return Fact(
        value=_verdicts(draws, trusted),
        method=f"{goal_of(labels).measure} of ridge on {FILTERS} whitened patches, with and without changed copies; "
        f"{len(draws)} draws{_left_open(len(every) - len(changes), enough=most >= trusted)}",
        sample=_sample(draws, len(labels)),
    )


@dataclass(frozen=True)
class _Pace:
    """What draws take: seconds for the first few samples, and for each one more."""

    fixed: float
    each: float

    def samples(self, room: float, cost: float) -> int:
        """How many fit into so many seconds, for a draw that costs so many times as much."""
        return min(MOST_SAMPLES, int(FEWEST + (SAFE * room / cost - self.fixed) / self.each))


def _pace(once: Callable[[int], object], pilot: int, clock: Callable[[], float]) -> _Pace:
    """By the cost of two small draws."""
    once(FEWEST)  # the first convolutions of a process are slow
    times = [clock()]
    for samples in (FEWEST, pilot):
        once(samples)
        times.append(clock())
    fixed = times[1] - times[0]
    return _Pace(fixed, max(times[2] - times[1] - fixed, 1e-9) / max(1, pilot - FEWEST))


def _affordable(
    pace: _Pace, every: Sequence[Change], asked: Sequence[Change], room: float, *, trusted: int, least: int
) -> tuple[Sequence[Change], int]:
    """What is tried in so many seconds, and on how many samples a draw; `pace` is that of the changes `asked` for.

    All changes, unless those asked for alone can have samples enough to be allowed, or all of them fewer than `least`.
    """
    most = pace.samples(room / AIMED_DRAWS, _cost(every) / _cost(asked))
    alone = min(trusted, pace.samples(room / SHORT_DRAWS, 1.0))
    return (asked, alone) if most < trusted and (alone >= trusted or most < least) else (every, most)


def _left_open(untried: int, *, enough: bool) -> str:
    """What the facts do not say for want of time."""
    others = "; no time for other changes" if untried else ""
    return others if enough else f"{others}; too few of many samples to allow a change"


def _cost(changes: Sequence[Change]) -> float:
    """Of a draw with these changes, in changes of whole pixels."""
    return LOOKING + sum(BETWEEN_PIXELS if change.between_pixels else 1.0 for change in changes)


@dataclass(frozen=True, eq=False)
class _Seen:
    """A probe trained with one change: its scores, sample by sample."""

    transform: Transform
    untouched: Scores
    changed: Scores


@dataclass(frozen=True, eq=False)
class _Draw:
    """One subsample and set of filters: scores of the probe without changes, of guessing, and with each change."""

    units: Rows
    plain: Scores
    guess: Scores
    seen: tuple[_Seen, ...]


@dataclass(frozen=True, eq=False)
class _Look:
    """A probe and what it sees of one subsample, brought to mean 0 and deviation 1 there."""

    seed: int
    probe: Probe
    fine: Tensor
    coarse: Tensor
    mean: Tensor
    deviation: Tensor
    untouched: Tensor
    """Features of the images as they are, (n, d)."""

    def changed(self, change: Change) -> Tensor:
        """Features of changed copies, (n, d)."""
        seed = stream_seed(self.seed, "change", change.transform)
        if not change.between_pixels:
            return self._features(change.apply(self.coarse, seed))
        pieces = [
            resized(change.apply(piece, stream_seed(seed, "piece", "", number)), SIDE)
            for number, piece in enumerate(torch.split(self.fine, PIECE))
        ]
        return self._features(torch.cat(pieces))

    def _features(self, images: Tensor) -> Tensor:
        return (self.probe(images) - self.mean) / self.deviation


def _look(pixels: npt.NDArray[np.generic], seed: int) -> _Look:
    fine = probe_images(pixels, side=FINE)
    coarse = resized(fine, SIDE)
    probe = draw_probe(coarse, seed=seed, filters=FILTERS, cells=CELLS)
    features = probe(coarse)
    mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
    # What is nearly constant stays small: a change that moves it is not to be taken for the main thing.
    least = 0.1 * float(deviation.square().mean().sqrt()) + 1e-12
    deviation = deviation.clamp(min=least)
    return _Look(seed, probe, fine, coarse, mean, deviation, (features - mean) / deviation)


def _draw(look: _Look, changes: Sequence[Change], goal: Goal, units: Rows, fold: Rows) -> _Draw:
    where = torch.from_numpy(fold)
    plain = crossfit(look.untouched, look.untouched, goal.encoded, where, share=0.0).plain
    seen = []
    for change in changes:
        crossed = crossfit(look.untouched, look.changed(change), goal.encoded, where, share=COPIES)
        seen.append(_Seen(change.transform, _scores(goal, crossed.plain), _scores(goal, crossed.changed)))
    return _Draw(units, _scores(goal, plain), goal.guess.double().numpy(), tuple(seen))


def _scores(goal: Goal, said: Tensor) -> Scores:
    scores: Scores = goal.score(said).double().numpy()
    return scores


def _strata(labels: npt.NDArray[np.generic]) -> Rows:
    """Classes; labels and numbers are taken as they come."""
    strata: Rows = np.zeros(len(labels), np.int64)
    if np.issubdtype(labels.dtype, np.integer) and labels.ndim == 1:
        strata = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return strata


def _verdicts(draws: Sequence[_Draw], trusted: int) -> tuple[Symmetry, ...]:
    enough = len(draws[0].units) >= trusted
    units = [draw.units for draw in draws]
    plain = float(np.concatenate([draw.plain for draw in draws]).mean())
    margin = max(LEAST_MARGIN, MARGIN * (max(0.0, plain) * max(0.0, 1 - plain)) ** 0.5)
    lead = paired_interval([draw.plain - draw.guess for draw in draws], units)
    found = []
    for number, one in enumerate(draws[0].seen):
        gain = paired_interval([draw.seen[number].untouched - draw.plain for draw in draws], units)
        left = paired_interval([draw.seen[number].changed - draw.guess - KEPT * lead.mean for draw in draws], units)
        found.append(
            Symmetry(
                transform=one.transform,
                survives=_survives(gain, left, lead, margin, enough=enough),
                gain=gain.mean,
                low=gain.low,
                high=gain.high,
                margin=margin,
                kept=left.mean / lead.mean + KEPT if lead.mean > 0 else None,
            )
        )
    return tuple(found)


def _survives(gain: Interval, left: Interval, lead: Interval, margin: float, *, enough: bool) -> Survives:
    """`left`: what is read off changed samples beyond guessing and beyond the share that must be kept."""
    if lead.low < LEAD * margin:
        return "cannot-tell"
    if gain.high < -margin or left.high < 0:
        return "no"
    return "yes" if enough and gain.low > -margin and left.mean >= 0 else "cannot-tell"


def _sample(draws: Sequence[_Draw], count: int) -> str:
    taken = len(draws[0].units)
    what = "training samples"
    return (
        f"all {count:,} {what}"
        if taken == count
        else f"{len(draws)} times {taken:,} of {count:,} {what}, classes evened"
    )
