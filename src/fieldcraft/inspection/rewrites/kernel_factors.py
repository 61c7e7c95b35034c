"""Factors of 3 whose composition is near a larger kernel.

In one dimension, with as many channels in as out, the kernel is a square matrix polynomial: its zeros are shared out
between the factors, which is exact (Gohberg, Lancaster and Rodman 1982, "Matrix Polynomials", chapter 4). Elsewhere few
kernels have exact factors and the problem has local minima: factors are split off by alternating least squares, and
all are fitted together by L-BFGS from there, from near the identity, and from chance; the best is kept. Where each
group has one channel, every group has starts of its own, fitted by Levenberg's and Marquardt's steps.
"""

from collections.abc import Sequence
from itertools import accumulate, product
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

ROUNDS = 12
LARGEST = 1024
MOST_MULTIPLY_ADDS = 2**32
"""Of all compositions that one fit may try."""
FEWEST, MOST = 20, 500
"""Steps of a fit, whatever they cost."""
TRIAL = 80
"""Steps after which starts are compared."""
GOOD = 1e-6
"""A relative error below which nothing more is tried."""
FEW = 96
"""Unknowns of a group up to which systems are solved as they are."""
STARTS = 512
"""Of all groups together; each has 8 to 64."""
ILL = 1e10
"""Condition of a matrix from which on it is not solved for."""


def factorised(kernel: Tensor, groups: int, count: int) -> list[Tensor]:
    """Factors, first to be applied first, for a kernel (outputs, inputs / groups, 2 count + 1, ...)."""
    whole = kernel.double().reshape(groups, -1, *kernel.shape[1:])
    found = _one_by_one(whole, count, by_zeros=False)
    if count > 1 and not kernel.is_meta and bool(kernel.any()):
        size = sum(factor[0].numel() * factor.shape[0] // groups for factor in found)
        fit = _fitted_small if size <= FEW else _fitted
        tried = [found, _one_by_one(whole, count, by_zeros=True)]
        if _rounded_error(kernel, tried[1], groups) > GOOD:
            tried.append(fit(kernel.double(), found, groups))
        found = min(tried, key=lambda one: _rounded_error(kernel, one, groups))
    return [factor.to(kernel) for factor in found]


def _rounded_error(kernel: Tensor, factors: Sequence[Tensor], groups: int) -> float:
    """With the numbers that will be stored: factors that cancel one another lose most of theirs."""
    return relative_error(kernel, [factor.to(kernel) for factor in factors], groups)


def composed(factors: Sequence[Tensor], groups: int) -> Tensor:
    """The one kernel that convolutions in a row amount to."""
    axes = factors[0].dim() - 2
    spatial = tuple(range(2, 2 + axes))
    convolve = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    first = factors[0].double()
    whole = first.reshape(groups, -1, *first.shape[1:]).movedim(2, 0).flatten(1, 2)  # (inputs, groups x outputs, ...)
    for factor in factors[1:]:
        whole = convolve(whole, factor.double().flip(spatial), padding=factor.shape[-1] - 1, groups=groups)
    return whole.transpose(0, 1)


def relative_error(kernel: Tensor, factors: Sequence[Tensor], groups: int) -> float:
    """Of the composition, in the root of the sum of squares; 0 without numbers."""
    if kernel.is_meta:
        return 0.0
    exact = kernel.double()
    return float((composed(factors, groups) - exact).norm() / exact.norm().clamp_min(1e-300))


def _fitted(kernel: Tensor, first: list[Tensor], groups: int) -> list[Tensor]:
    """The best of several starts, after more steps."""
    positions = [(5 + 2 * place) ** (kernel.dim() - 2) for place in range(len(first) - 1)]
    each = sum(positions) * kernel.shape[1] * first[-1].numel()
    steps = min(MOST, max(FEWEST, MOST_MULTIPLY_ADDS // each))
    starts = [first]
    if steps > 3 * TRIAL:
        generator = torch.Generator().manual_seed(0)
        starts += [_chance(kernel, first, groups, near, generator) for near in (True, False) * 4]
    best, least = first, relative_error(kernel, first, groups)
    for start in starts:
        found = _descended(kernel, start, groups, min(steps, TRIAL))
        error = relative_error(kernel, found, groups)
        if error < least:
            best, least = found, error
        if least < GOOD:
            return best
    more = _descended(kernel, best, groups, steps - TRIAL) if steps > TRIAL else best
    return more if relative_error(kernel, more, groups) < least else best


def _chance(
    kernel: Tensor, like: list[Tensor], groups: int, near_identity: bool, generator: torch.Generator
) -> list[Tensor]:
    """Random factors, whose composition is as large as the kernel."""
    made = [torch.empty(one.shape, dtype=one.dtype).normal_(generator=generator).to(one.device) for one in like]
    if near_identity:
        centre: tuple[Any, ...] = (..., *[1] * (kernel.dim() - 2))
        for one in made:
            one *= 0.05
            wide = one.shape[0] // groups
            one[centre] += torch.eye(wide, one.shape[1], dtype=one.dtype, device=one.device).repeat(groups, 1)
    scale = (kernel.norm() / composed(made, groups).norm().clamp_min(1e-300)) ** (1 / len(made))
    return [one * scale for one in made]


def _descended(kernel: Tensor, start: list[Tensor], groups: int, steps: int) -> list[Tensor]:
    """L-BFGS on all factors together, which begin equally large."""
    sizes = torch.stack([one.norm() for one in start])
    if not bool((sizes > 0).all()):
        return start
    even = sizes.log().mean().exp()
    flat = torch.cat([(one * even / size).flatten() for one, size in zip(start, sizes, strict=True)]).requires_grad_()
    shapes, total = [one.shape for one in start], (kernel**2).sum()

    def factors() -> list[Tensor]:
        return _apart(flat, shapes)

    search = torch.optim.LBFGS(
        [flat],
        max_iter=steps,
        max_eval=steps + steps // 4,
        history_size=50,
        tolerance_grad=1e-15,
        tolerance_change=1e-16,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        search.zero_grad()
        error = ((composed(factors(), groups) - kernel) ** 2).sum() / total
        error.backward()  # type: ignore[no-untyped-call]
        return error

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call]
    return [one.detach() for one in factors()]


def _fitted_small(kernel: Tensor, first: list[Tensor], groups: int) -> list[Tensor]:
    """For each group the best of several starts."""
    generator = torch.Generator().manual_seed(0)
    starts = [
        first,
        *(
            _chance(kernel, first, groups, place % 2 == 0, generator)
            for place in range(min(64, max(8, STARTS // groups)))
        ),
    ]
    shapes = [(one.shape[0] // groups, *one.shape[1:]) for one in first]
    flat = torch.stack([torch.cat([one.reshape(groups, -1) for one in start], 1) for start in starts])
    target = kernel.reshape(groups, -1).repeat(len(starts), 1)
    found, errors = _levenberg_marquardt(target, flat.flatten(0, 1), shapes)
    best = errors.reshape(len(starts), groups).argmin(0)
    rows = found.reshape(len(starts), groups, -1)[best, torch.arange(groups, device=best.device)]
    return [torch.cat([*one]) for one in zip(*(_apart(row, shapes) for row in rows), strict=True)]


def _apart(flat: Tensor, shapes: Sequence[tuple[int, ...]]) -> list[Tensor]:
    ends = [*accumulate(map(prod, shapes))]
    return [flat[end - prod(shape) : end].reshape(shape) for end, shape in zip(ends, shapes, strict=True)]


def _levenberg_marquardt(target: Tensor, x: Tensor, shapes: Sequence[tuple[int, ...]]) -> tuple[Tensor, Tensor]:
    """Many small systems at once: (systems, numbers) and (systems, unknowns)."""

    def lost(one: Tensor, goal: Tensor) -> Tensor:
        return composed(_apart(one, shapes), 1).flatten() - goal

    residuals = torch.func.vmap(lost)
    slopes = torch.func.vmap(torch.func.jacrev(lost))
    damping = torch.full((len(x), 1), 1e-2, dtype=x.dtype, device=x.device)
    off = residuals(x, target)
    for _ in range(4 * ROUNDS):
        jacobian = slopes(x, target)
        normal, right = jacobian.mT @ jacobian, jacobian.mT @ off[..., None]
        spread = normal.diagonal(dim1=1, dim2=2).mean(1, keepdim=True).clamp_min(1e-12)
        moved = x - torch.linalg.solve(normal + torch.diag_embed((damping * spread).expand_as(x)), right)[..., 0]
        then = residuals(moved, target)
        better = (then**2).sum(1, keepdim=True) < (off**2).sum(1, keepdim=True)
        x, off = torch.where(better, moved, x), torch.where(better, then, off)
        damping = torch.where(better, damping / 4, damping * 4).clamp(1e-12, 1e6)
    return x, (off**2).sum(1)


def _one_by_one(whole: Tensor, count: int, *, by_zeros: bool) -> list[Tensor]:
    factors: list[Tensor] = []
    for _ in range(count - 1):
        inner = _shared_zeros(whole) if by_zeros else None
        whole, outer = _split(whole) if inner is None else (inner, _fit_outer(whole, inner))
        factors.append(outer)
    return [one.flatten(0, 1) for one in (whole, *reversed(factors))]


def _split(whole: Tensor) -> tuple[Tensor, Tensor]:
    """(groups, outputs, inputs, *k) as a kernel of k - 2, then one of 3 from outputs to outputs."""
    groups, outputs = whole.shape[:2]
    axes = whole.dim() - 3
    inside: tuple[Any, ...] = (..., *[slice(1, -1)] * axes)
    centre: tuple[Any, ...] = (..., *[1] * axes)
    inner = whole[inside].clone()
    outer = torch.zeros(groups, outputs, outputs, *[3] * axes, dtype=whole.dtype, device=whole.device)
    outer[centre] = torch.eye(outputs, dtype=whole.dtype, device=whole.device)
    if outputs * inner[0, 0, 0].numel() > LARGEST or whole.is_meta:
        return inner, outer
    for _ in range(ROUNDS):
        outer = _fit_outer(whole, inner)
        inner = _fit_inner(whole, outer)
    return inner, outer


def _fit_outer(whole: Tensor, inner: Tensor) -> Tensor:
    """Least squares for the 3-kernel: a column for each (middle channel, tap), a row for each (input, position)."""
    groups, outputs = whole.shape[:2]
    axes, middle = whole.dim() - 3, inner.shape[1]
    columns = torch.stack([_placed(inner, tap, whole.shape[3:]) for tap in product(range(3), repeat=axes)], 2)
    system = columns.flatten(1, 2).flatten(2)  # (groups, middle * taps, inputs * positions)
    found: Tensor = torch.linalg.lstsq(system.mT, whole.flatten(2).mT).solution
    return found.mT.reshape(groups, outputs, middle, *[3] * axes)


def _fit_inner(whole: Tensor, outer: Tensor) -> Tensor:
    """Least squares for the kernel of k - 2: a row for each (output, position)."""
    groups, _, inputs, *sizes = whole.shape
    middle = outer.shape[2]
    small = [size - 2 for size in sizes]
    turned = outer.transpose(1, 2)  # (groups, middle, outputs, 3...)
    columns = torch.stack([_placed(turned, tap, sizes) for tap in product(*map(range, small))], 2)
    system = columns.flatten(1, 2).flatten(2)
    found: Tensor = torch.linalg.lstsq(system.mT, whole.transpose(1, 2).flatten(2).mT).solution
    return found.mT.reshape(groups, inputs, middle, *small).transpose(1, 2)


def _placed(kernel: Tensor, offset: tuple[int, ...], sizes: torch.Size | list[int]) -> Tensor:
    """The kernel inside of a larger, empty one."""
    room = torch.zeros(*kernel.shape[:3], *sizes, dtype=kernel.dtype, device=kernel.device)
    where: tuple[Any, ...] = (..., *(slice(at, at + size) for at, size in zip(offset, kernel.shape[3:], strict=True)))
    room[where] = kernel
    return room


def _shared_zeros(whole: Tensor) -> Tensor | None:
    """Of square matrix polynomials (groups, m, m, degree + 1), the divisors that have the smallest zeros.

    Scaled so that the rows of a divisor are orthonormal. None in more than one dimension, for other matrices, and
    where the divisor is not well determined.
    """
    if whole.dim() != 4 or whole.shape[1] != whole.shape[2]:
        return None
    m, degree = whole.shape[1], whole.shape[3] - 1
    eye = torch.eye(degree * m, dtype=whole.dtype, device=whole.device)
    found = []
    for kernel in whole:
        lead = kernel[..., -1]
        if not float(torch.linalg.cond(lead)) < ILL:
            return None
        lower = -torch.linalg.solve(lead, kernel[..., :-1].permute(0, 2, 1).reshape(m, -1))
        zeros, vectors = torch.linalg.eig(torch.cat([eye[m:], lower]))
        kept = (degree - 2) * m
        powers = vectors[:, _paired_zeros(zeros, kept)]  # blocks v, v z, v z^2, ...
        if powers.shape[1] < kept or not float(torch.linalg.cond(powers[:kept])) < ILL:
            return None
        rest = torch.linalg.solve(powers[:kept].T, -powers[kept : kept + m].T).T.real
        flat = torch.cat([rest, eye[:m, :m]], 1)
        found.append(torch.linalg.qr(flat.T).Q.T.reshape(m, degree - 1, m).transpose(1, 2))
    return torch.stack(found)


def _paired_zeros(zeros: Tensor, count: int) -> Tensor:
    """The places of so many of the smallest; of complex pairs both or none."""
    taken: list[int] = []
    order = torch.argsort(zeros.abs(), stable=True).tolist()
    for place in order:
        zero = zeros[place]
        if float(zero.imag.abs()) < 1e-12 * float(zero.abs()):
            taken += [place] if len(taken) < count else []
        elif float(zero.imag) > 0 and len(taken) + 2 <= count:
            taken += [place, int((zeros - zero.conj()).abs().argmin())]
    return torch.tensor(taken)
