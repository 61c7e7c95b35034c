import pytest
import torch

from fieldcraft.nn.blocks.drop_path import drop_path, linear_shares
from fieldcraft.nn.blocks.residual import PreActResidual, Residual
from fieldcraft.nn.networks.staged import ResNet


def test_rows_are_kept_whole_and_the_mean_stays() -> None:
    torch.manual_seed(0)
    branch = torch.rand(4_000, 3, 2) + 0.5
    found = drop_path(branch, 0.3, training=True)
    kept = (found != 0).flatten(1)
    assert torch.equal(kept.all(1), kept.any(1))
    assert float(kept.all(1).float().mean()) == pytest.approx(0.7, abs=0.03)
    torch.testing.assert_close(found[kept.all(1)], branch[kept.all(1)] / 0.7)
    assert float(found.mean()) == pytest.approx(float(branch.mean()), rel=0.05)


def test_without_a_share_or_in_evaluation_it_is_the_identity() -> None:
    branch = torch.rand(5, 2)
    assert drop_path(branch, 0.0, training=True) is branch
    assert drop_path(branch, 0.9, training=False) is branch
    with pytest.raises(ValueError, match="share < 1"):
        drop_path(branch, 1.0, training=True)


def test_shares_grow_in_proportion_to_depth() -> None:
    assert linear_shares(0.4, (1, 0, 3)) == ((0.1,), (), pytest.approx((0.2, 0.3, 0.4)))
    assert linear_shares(0.4, (0, 0)) == ((), ())


@pytest.mark.parametrize("block", [Residual, PreActResidual])
def test_a_dropped_sample_passes_by_the_branch(block) -> None:
    torch.manual_seed(0)
    module = block(4, norm="group", drop_path=0.5).train()
    x = torch.rand(64, 4, 3, 3)
    found, plain = module(x), x  # a rectifier leaves x, which is not negative, as it is
    same = (found == plain).flatten(1).all(1)
    assert 0 < int(same.sum()) < 64
    assert not torch.equal(module.eval()(x), plain)


def test_it_adds_no_weights_and_none_of_it_is_in_evaluation() -> None:
    torch.manual_seed(0)
    plain = ResNet((1, 8, 8), 3, widths=(4, 8), depths=(2, 1))
    dropping = ResNet((1, 8, 8), 3, widths=(4, 8), depths=(2, 1), drop_path=0.3)
    dropping.load_state_dict(plain.state_dict())
    x = torch.randn(6, 1, 8, 8)
    assert torch.equal(plain.eval()(x), dropping.eval()(x))
    shares = [part.drop_path for part in dropping.modules() if isinstance(part, Residual)]
    assert shares == pytest.approx([0.1, 0.2, 0.3])
