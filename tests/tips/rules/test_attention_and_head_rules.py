"""FC024 to FC027: long sequences, positions, heads that read the whole map."""

import pytest
import torch
from tests.tips.rules.seen import findings, only
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import get_model

from fieldcraft.records.finding import Severity
from fieldcraft.tips.rules import fixed_input_size, heavy_head, no_position, quadratic_attention


class Attend(nn.Module):
    """Attention written out."""

    def __init__(self, width: int, causal: bool = False) -> None:
        super().__init__()
        self.qkv, self.causal = nn.Linear(width, 3 * width), causal

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).chunk(3, -1)
        scores = query @ key.transpose(-1, -2) / x.shape[-1] ** 0.5
        if self.causal:
            hidden = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).triu(1)
            scores = scores.masked_fill(hidden, float("-inf"))
        return x + scores.softmax(-1) @ value


class Fused(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.qkv(x).unsqueeze(1).chunk(3, -1)
        return x + F.scaled_dot_product_attention(query, key, value).squeeze(1)


class Words(nn.Module):
    """Embeddings, then attention; positions as told."""

    def __init__(self, positions: str, causal: bool = False) -> None:
        super().__init__()
        self.words, self.kind = nn.Embedding(100, 16), positions
        self.table = nn.Parameter(torch.zeros(1, 32, 16)) if positions == "learned" else None
        self.attend = Attend(16, causal)

    def forward(self, words: Tensor) -> Tensor:
        x = self.words(words)
        if self.table is not None:
            x = x + self.table
        if self.kind == "sinusoidal":
            places = torch.arange(x.shape[1], device=x.device)[:, None]
            x = x + torch.sin(places / 10 ** torch.linspace(0, 4, 16, device=x.device))
        return self.attend(x)


class Patches(nn.Module):
    def __init__(self, padding: int) -> None:
        super().__init__()
        size = 8 + 2 * padding
        self.patches, self.attend = nn.Conv2d(3, 16, size, stride=8, padding=padding), Attend(16)

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(self.patches(x).flatten(2).transpose(1, 2)).mean(1)


def test_many_tokens():
    found = only(quadratic_attention.RULE, Attend(8), (4096, 8))
    assert found.severity is Severity.WARNING
    assert found.numbers["tokens"] == 4096
    assert found.numbers["scores_mib"] == 4096**2 * 4 / 2**20


def test_a_fused_call_is_information():
    assert only(quadratic_attention.RULE, Fused(8), (4096, 8)).severity is Severity.INFO


def test_few_tokens():
    assert not findings(quadratic_attention.RULE, Attend(8), (1024, 8))
    for name in ("vit_b_16", "swin_t"):
        with torch.device("meta"):
            net = get_model(name)
        assert not findings(quadratic_attention.RULE, net, (3, 224, 224))


@pytest.mark.parametrize(("net", "shape"), [(Words("none"), "32:int64"), (Patches(0), (3, 64, 64))])
def test_no_positions_and_the_order_does_not_matter(net: nn.Module, shape: object):
    found = only(no_position.RULE, net, shape)
    assert found.severity is Severity.WARNING
    if isinstance(net, Words):
        words, order = torch.randint(0, 100, (1, 32)), torch.randperm(32)
        torch.testing.assert_close(net(words)[:, order], net(words[:, order]))


@pytest.mark.parametrize(
    ("net", "shape"),
    [
        (Words("learned"), "32:int64"),
        (Words("sinusoidal"), "32:int64"),
        (Words("none", causal=True), "32:int64"),
        (Patches(1), (3, 64, 64)),
        (Attend(16), (32, 16)),  # bare: its input may have positions
    ],
)
def test_positions_of_all_kinds(net: nn.Module, shape: object):
    assert not findings(no_position.RULE, net, shape)


@pytest.mark.parametrize("name", ["vit_b_16", "swin_t", "swin_v2_t", "maxvit_t"])
def test_vision_transformers_have_positions(name: str):
    with torch.device("meta"):
        net = get_model(name)
    assert not findings(no_position.RULE, net, (3, 224, 224))


def test_vgg16_holds_103_of_138_million_in_one_layer():
    with torch.device("meta"):
        net = get_model("vgg16")
    found = only(heavy_head.RULE, net, (3, 224, 224))
    assert found.numbers["parameters"] == 512 * 7 * 7 * 4096 + 4096
    assert found.layers == ("classifier.0",)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_small", "vit_b_16"])
def test_light_heads(name: str):
    with torch.device("meta"):
        net = get_model(name)
    assert not findings(heavy_head.RULE, net, (3, 224, 224))


def test_a_perceptron_on_images_has_no_head():
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 64), nn.ReLU(), nn.Linear(64, 10))
    assert not findings(heavy_head.RULE, net, (3, 32, 32))


def test_a_convolution_over_the_whole_map_is_a_heavy_head():
    net = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 64, 16), nn.Flatten())
    assert only(heavy_head.RULE, net, (3, 16, 16)).layers == ("1",)


def test_inputs_of_one_size():
    head = nn.Linear(8 * 16 * 16, 10)
    found = only(fixed_input_size.RULE, nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), head), (3, 16, 16))
    assert found.numbers == {"positions": 256}
    assert found.severity is Severity.INFO
    with torch.device("meta"):
        net = get_model("vit_b_16")
    found = only(fixed_input_size.RULE, net, (3, 224, 224))
    assert found.numbers == {"positions": 197}


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "swin_t"])  # VGG pools to 7x7 whatever comes
def test_inputs_of_any_size(name: str):
    with torch.device("meta"):
        net = get_model(name)
    assert not findings(fixed_input_size.RULE, net, (3, 224, 224))
