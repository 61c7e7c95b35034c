import pytest
import torch
from torch import nn

from fieldcraft.nn.networks.encoded import EncodedUNet
from fieldcraft.nn.networks.unet import Encoder, UNet


def test_behind_a_unets_own_encoder_it_is_the_unet() -> None:
    torch.manual_seed(0)
    net = UNet(1, 3, widths=(4, 6, 8), strides=[2, (2, 1)], attention=True, norm="batch", activation="relu").eval()
    other = EncodedUNet(
        net.encoder, 3, widths=(4, 6, 8), reductions=[1, 2, (4, 2)], attention=True
    ).eval()  # fmt: skip
    other.decoder.load_state_dict(net.decoder.state_dict())
    other.head.load_state_dict(net.heads[0].state_dict())
    x = torch.randn(2, 1, 24, 18)
    torch.testing.assert_close(other(x), net(x))


@pytest.mark.parametrize("spatial", [1, 2, 3])
def test_any_size_comes_back_and_every_weight_learns(spatial: int) -> None:
    torch.manual_seed(0)
    encoder = Encoder(
        2, spatial=spatial, widths=(4, 8), kernels=(3, 3), strides=(3, 2), depths=(1, 1), activation="silu"
    )  # fmt: skip
    net = EncodedUNet(encoder, 3, spatial=spatial, widths=(4, 8), reductions=(3, 6), norm="instance", activation="silu")
    size = (11, 13, 7)[:spatial]
    made = net(torch.randn(2, 2, *size))
    assert made.shape == (2, 3, *size)
    (made**2).sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in net.parameters())


@pytest.mark.parametrize("name", ["resnet10t", "convnext_atto"])
def test_timms_encoders_serve_whether_they_round_up_or_down(name: str) -> None:
    timm = pytest.importorskip("timm")
    encoder = timm.create_model(name, pretrained=False, features_only=True, in_chans=1)
    info = encoder.feature_info
    net = EncodedUNet(encoder, 2, widths=info.channels(), reductions=info.reduction(), depth=1, skips=False).eval()
    assert net(torch.randn(1, 1, 45, 70)).shape == (1, 2, 45, 70)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="a multiple of the one before"):
        EncodedUNet(nn.Identity(), 2, widths=(4, 4), reductions=(4, 6))
    with pytest.raises(ValueError, match="two maps or more"):
        EncodedUNet(nn.Identity(), 2, widths=(4,), reductions=(4,))
