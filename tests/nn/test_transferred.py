import pytest
import torch
from torch import nn

from fieldcraft.nn.blocks.image_view import ImageView
from fieldcraft.nn.linear_probe import LinearProbe, linear_probe
from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.nn.networks.transferred import AT_ONCE, Transferred, parts, pooled
from fieldcraft.nn.thawing import Thawing, in_turn


def made(**changes: object) -> Transferred:
    torch.manual_seed(0)
    return Transferred(nn.Identity(), CifarResNet(1, depth=8).body, 64, 5, **changes)  # type: ignore[arg-type]


def running_means(net: nn.Module) -> list[torch.Tensor]:
    return [part.running_mean.clone() for part in net.modules() if isinstance(part, nn.BatchNorm2d)]


# ---------------------------------------------------------------- the network


def test_the_head_sees_what_the_body_tells() -> None:
    net = made().eval()
    x = torch.rand(3, 3, 16, 16)
    assert torch.allclose(net(x), net.head(net.body(x).mean(dim=(2, 3))))


def test_maps_tokens_and_vectors_are_pooled() -> None:
    assert torch.equal(pooled(torch.arange(8.0).view(1, 2, 2, 2)), torch.tensor([[1.5, 5.5]]))
    assert torch.equal(pooled(torch.arange(6.0).view(1, 3, 2)), torch.tensor([[2.0, 3.0]]))
    assert torch.equal(pooled(torch.ones(1, 2)), torch.ones(1, 2))


def test_large_batches_pass_in_parts_and_tell_the_same() -> None:
    net = made().eval()
    x = torch.rand(AT_ONCE + 3, 3, 8, 8)
    with torch.no_grad():
        whole = net(x)
    assert torch.allclose(whole, net(x), atol=1e-6)


def test_kept_statistics_stay_in_training() -> None:
    net = made().train()
    before = running_means(net)
    net(torch.rand(8, 3, 16, 16))
    assert all(map(torch.equal, before, running_means(net)))
    assert net.training and net.head.training


def test_adapted_statistics_follow_the_images_once_they_learn() -> None:
    net = made(adapt_statistics=True)
    before = running_means(net)
    for weight in net.body.parameters():
        weight.requires_grad_(False)
    net.train()(torch.rand(8, 3, 16, 16))
    assert all(map(torch.equal, before, running_means(net)))
    for weight in net.body.parameters():
        weight.requires_grad_(True)
    net.train()(torch.rand(8, 3, 16, 16))
    assert not any(map(torch.equal, before, running_means(net)))


# ---------------------------------------------------------------- its parts


def test_parts_go_from_input_to_output() -> None:
    body = CifarResNet(1, depth=8).body
    found = parts(body)
    assert len(found) == 4 and found[0][0] is body.stem.conv.weight
    assert [weight for part in found for weight in part] == list(body.parameters())


def test_a_wrapper_is_looked_into() -> None:
    inside = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4), nn.Linear(4, 4))
    assert len(parts(nn.Sequential(inside))) == 3
    assert len(parts(nn.Sequential(nn.Linear(4, 4), inside))) == 2


def test_loose_weights_go_with_the_first_part() -> None:
    body = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    body.register_parameter("token", nn.Parameter(torch.zeros(2)))
    found = parts(body)
    assert len(found) == 2 and found[0][0] is body.token


# ---------------------------------------------------------------- thawing


def test_parts_thaw_from_the_output_to_the_input() -> None:
    net = made()
    pieces = parts(net.body)
    thaw = Thawing(net, in_turn(pieces, first=0.1, last=0.4))
    learning = []
    for share in (0.0, 0.1, 0.2, 0.3, 0.4):
        thaw.at(share + 1e-9)
        learning.append([all(weight.requires_grad for weight in piece) for piece in pieces])
    assert learning == [[place >= 4 - count for place in range(4)] for count in range(5)]
    thaw.at(0.0)
    assert not any(weight.requires_grad for weight in net.body.parameters())
    assert all(weight.requires_grad for weight in net.head.parameters())


def test_a_part_that_never_thaws_and_one_that_never_froze() -> None:
    net = made()
    thaw = Thawing(net, in_turn(parts(net.body)[:1], first=1.0, last=1.0))
    thaw.at(0.999)
    assert not net.body.stem.conv.weight.requires_grad
    assert net.body.stage1_block1.conv1.weight.requires_grad


def test_frozen_parts_are_not_moved_by_an_optimiser_that_has_momentum() -> None:
    net = made()
    solver = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    thaw = Thawing(net, in_turn(parts(net.body), first=0.5, last=0.5))
    for share in (0.6, 0.0):
        thaw.at(share)
        before = net.body.stem.conv.weight.detach().clone()
        solver.zero_grad()
        net(torch.rand(4, 3, 8, 8)).square().sum().backward()
        solver.step()
        assert torch.equal(before, net.body.stem.conv.weight) == (share < 0.5)


def test_the_order_of_thawing_is_checked() -> None:
    with pytest.raises(ValueError, match="first <= last"):
        in_turn((), first=0.5, last=0.4)


# ---------------------------------------------------------------- the probe


def test_the_probe_finds_the_minimum() -> None:
    """At the minimum the gradient of loss and penalty is zero, and standardised features have the penalty's scale."""
    torch.manual_seed(1)
    features = 30 * torch.randn(200, 4) + 7
    targets = (features[:, 0] + features[:, 1] > 14).long()
    found = linear_probe(features, targets, (features, targets), nn.functional.cross_entropy, 2, penalties=(0.01,))
    standard = ((features - features.mean(0)) / features.std(0, correction=0)).double()
    weight = found.weight.double().requires_grad_(True)
    loss = nn.functional.cross_entropy(standard @ weight.T + found.bias.double(), targets)
    (loss + 0.005 * weight.square().sum()).backward()
    assert weight.grad is not None and weight.grad.abs().max() < 1e-4


def test_held_samples_choose_the_penalty() -> None:
    torch.manual_seed(2)
    features, held = torch.randn(120, 60), torch.randn(400, 60)
    noise = torch.randint(0, 2, (120,)), torch.randint(0, 2, (400,))
    lost = linear_probe(features, noise[0], (held, noise[1]), nn.functional.cross_entropy, 2)
    sure = linear_probe(
        features, (features[:, 0] > 0).long(), (held, (held[:, 0] > 0).long()), nn.functional.cross_entropy, 2
    )
    assert lost.penalty == 1.0 > sure.penalty


def test_a_feature_that_never_changes_does_no_harm() -> None:
    features = torch.cat((torch.randn(50, 1), torch.full((50, 1), 3.0)), dim=1)
    found = linear_probe(features, features[:, :1], (features, features[:, :1]), nn.functional.mse_loss, 1)
    assert torch.isfinite(found.weight).all() and float(found.weight[0, 1]) == pytest.approx(0.0, abs=1e-6)


def test_the_head_starts_as_the_probe() -> None:
    net = made().eval()
    x = torch.rand(6, 3, 8, 8)
    probe = LinearProbe(torch.randn(5, 64), torch.randn(5), torch.randn(64), torch.rand(64) + 0.5, 0.1, 0.0)
    net.start_from(probe)
    wanted = ((net.features(x) - probe.mean) / probe.scale) @ probe.weight.T + probe.bias
    assert torch.allclose(net(x), wanted, atol=1e-5)


# ---------------------------------------------------------------- the view


def shown(view: ImageView, pixels: torch.Tensor, *, mean: float = 100.0, std: float = 50.0) -> torch.Tensor:
    channels = pixels.shape[1]
    view.see((mean,) * channels, (std,) * channels, 255.0)
    return view((pixels - mean) / std)


def test_colours_reach_the_weights_as_they_want_them() -> None:
    pixels = torch.randint(0, 256, (2, 3, 4, 4)).float()
    rgb = ImageView(3, (4, 4), order="rgb", mean=(0.1, 0.2, 0.3), std=(0.5, 0.6, 0.7))
    wanted = (pixels / 255 - torch.tensor([0.1, 0.2, 0.3])[:, None, None]) / torch.tensor([0.5, 0.6, 0.7])[
        :, None, None
    ]
    assert torch.allclose(shown(rgb, pixels), wanted, atol=1e-5)
    bgr = ImageView(3, (4, 4), order="bgr", mean=(104, 117, 123), std=(1, 1, 1), full_scale=255.0)
    wanted = pixels.flip(1) - torch.tensor([104.0, 117.0, 123.0])[:, None, None]
    assert torch.allclose(shown(bgr, pixels), wanted, atol=1e-3)


def test_gray_and_colour_are_turned_into_each_other() -> None:
    gray = torch.randint(0, 256, (2, 1, 4, 4)).float()
    repeated = shown(ImageView(1, (4, 4), order="rgb", mean=(0, 0, 0), std=(1, 1, 1)), gray)
    assert torch.allclose(repeated, (gray / 255).expand(-1, 3, -1, -1), atol=1e-6)
    luminance = shown(ImageView(3, (4, 4), order="gray", mean=(0,), std=(1,)), gray.expand(-1, 3, -1, -1))
    assert torch.allclose(luminance, gray / 255, atol=1e-6)


@pytest.mark.parametrize("size", [(4, 6), (9, 8), (3, 12)])
def test_constant_images_stay_constant_at_every_size(size: tuple[int, int]) -> None:
    view = ImageView(3, size, order="rgb", mean=(0, 0, 0), std=(1, 1, 1))
    found = shown(view, torch.full((1, 3, 6, 8), 51.0))
    assert found.shape == (1, 3, *size) and torch.allclose(found, torch.tensor(0.2), atol=1e-6)


def test_how_images_come_in_travels_with_the_state() -> None:
    one, other = (ImageView(3, (4, 4), order="rgb", mean=(0, 0, 0), std=(1, 1, 1)) for _ in range(2))
    one.see((1, 2, 3), (4, 5, 6), 255)
    other.load_state_dict(one.state_dict())
    x = torch.rand(1, 3, 4, 4)
    assert torch.equal(one(x), other(x)) and set(one.state_dict()) == {"pixel_scale", "pixel_shift"}


def test_views_that_cannot_be_had_are_refused() -> None:
    with pytest.raises(ValueError, match="5 channels"):
        ImageView(5, (4, 4), order="rgb", mean=(0, 0, 0), std=(1, 1, 1))
    with pytest.raises(ValueError, match="needs 3"):
        ImageView(3, (4, 4), order="rgb", mean=(0,), std=(1,))
