import numpy as np
import pytest
import torch
from scipy import stats

from fieldcraft.data.loader import Batches
from fieldcraft.data.mixing import MIXES, Mixer, beta
from fieldcraft.data.order import Order, evened
from fieldcraft.plan.schema import Augment


def mixer(mixup: float = 0.0, cutmix: float = 0.0) -> Mixer:
    return Mixer(mixup=mixup, cutmix=cutmix, classes=4, seed=1, name="a")


def drawn(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(MIXES, count, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def batch(count: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(2)
    return torch.randn(count, 3, 6, 7, generator=random), torch.randint(0, 4, (count,), generator=random)


def test_mixup_is_the_slow_one() -> None:
    inputs, targets = batch()
    draws = drawn(8)
    mixed, soft = mixer(mixup=0.4).mixed(inputs, targets, draws)
    order = draws[2].argsort()
    for place in range(8):
        share, other = float(beta(draws[1], 0.4)[place]), int(order[place])
        torch.testing.assert_close(mixed[place], share * inputs[place] + (1 - share) * inputs[other])
        wanted = torch.zeros(4)
        wanted[targets[place]] += share
        wanted[targets[other]] += 1 - share
        torch.testing.assert_close(soft[place], wanted)


def test_cutmix_pastes_one_rectangle_and_counts_its_pixels() -> None:
    inputs, targets = batch()
    draws = drawn(8)
    mixed, soft = mixer(cutmix=1.0).mixed(inputs, targets, draws)
    order = draws[2].argsort()
    for place in range(8):
        other = int(order[place])
        kept = (mixed[place] == inputs[place]).all(0)
        pasted = (mixed[place] == inputs[other]).all(0)
        assert (kept | pasted).all()
        if other != place:
            rows, columns = torch.where(~kept)
            area = 0 if not len(rows) else (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
            assert int((~kept).sum()) == int(area)
            share = 1 - int(area) / 42
            wanted = torch.zeros(4)
            wanted[targets[place]] += share
            wanted[targets[other]] += 1 - share
            torch.testing.assert_close(soft[place], wanted)


def test_with_both_each_takes_about_half() -> None:
    inputs, targets = torch.randn(400, 1, 8, 8), torch.zeros(400, dtype=torch.int64)
    draws = drawn(400)
    mixed, soft = mixer(mixup=1.0, cutmix=1.0).mixed(inputs, targets, draws)
    assert torch.allclose(soft[:, 0], torch.ones(400))
    pasted = ((mixed == inputs) | (mixed == inputs[draws[2].argsort()])).flatten(1).all(1)
    assert torch.equal(pasted, draws[0] < 0.5)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_have_the_beta_distribution(alpha: float) -> None:
    found = beta(torch.rand(5_000, dtype=torch.float64, generator=torch.Generator().manual_seed(7)), alpha)
    assert stats.kstest(found.numpy(), stats.beta(alpha, alpha).cdf).pvalue > 1e-3


def test_labels_are_blended_too_and_no_mixing_leaves_all_alone() -> None:
    inputs, _ = batch()
    labels = torch.eye(4).repeat(2, 1)
    mixed, soft = mixer().mixed(inputs, labels, drawn(8))
    assert torch.equal(mixed, inputs) and torch.equal(soft, labels)


def test_batches_mix_the_same_at_the_same_step_and_only_in_training() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 3), dtype=np.uint8)
    made = Batches.of_images(
        pixels, np.arange(40), torch.arange(40) % 4, mean=[100.0] * 3, std=[50.0] * 3, augment=Augment(cutmix=1.0),
        batch=16, device=torch.device("cpu"), channels_last=True, seed=0, name="a", classes=4,
    )  # fmt: skip
    one, again, plain = made.training_batch(3), made.training_batch(3), next(iter(made.evaluation_batches(16)))
    assert torch.equal(one.inputs, again.inputs) and torch.equal(one.targets, again.targets)
    assert one.targets.shape == (16, 4) and torch.allclose(one.targets.sum(1), torch.ones(16))
    assert one.inputs.is_contiguous(memory_format=torch.channels_last)
    assert plain.targets.dtype == torch.int64


@pytest.mark.parametrize(("power", "wanted"), [(1.0, [90, 9, 1]), (0.0, [33, 34, 33]), (0.5, [70, 22, 8])])
def test_classes_are_drawn_by_their_size_to_a_power(power: float, wanted: list[int]) -> None:
    classes = np.repeat([0, 1, 2], [90, 9, 1])
    places = evened(classes, power, np.random.default_rng(0))
    counts = np.bincount(classes[places])
    assert len(places) == 100 and np.abs(counts - wanted).max() <= 1
    for one in range(3):  # within a class all come equally often, or one apart
        times = np.bincount(places, minlength=100)[classes == one]
        assert times.max() - times.min() <= 1


def test_an_evened_order_is_a_function_of_the_step() -> None:
    rows, classes = np.arange(100, 200), np.repeat([0, 1], [95, 5])
    order = Order(rows, 10, 0, "a", classes=classes, power=0.0)
    far = order.at(25)
    assert np.array_equal(far, Order(rows, 10, 0, "a", classes=classes, power=0.0).at(25))
    seen = np.concatenate([order.at(step) for step in range(10)])
    assert (classes[seen - 100] == 1).sum() == 50
