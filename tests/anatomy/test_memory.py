"""Memory: liveness against a slow simulation, training against what autograd really keeps."""

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torchvision.models as tv
from tests.zoo.aspp import DeepLab
from tests.zoo.lstm import LstmClassifier
from tests.zoo.odd import InPlace, ViewChain
from tests.zoo.unet import UNet
from torch import Tensor, nn

from fieldcraft.anatomy.inputs import Input
from fieldcraft.anatomy.look import look
from fieldcraft.anatomy.memory import kept_for_backward, peak
from fieldcraft.anatomy.trace import Traced, trace


def storage(tensor: Tensor) -> tuple[int, int]:
    whole = tensor.untyped_storage()
    return whole._cdata, whole.nbytes()


def slow_peak(traced: Traced) -> int:
    """At every event: the sizes of all storages that were made by then and are needed at or after it."""
    values, events = traced.capture.values, traced.capture.events
    where = [storage(seen.tensor) for seen in values]
    given = {where[seen.id] for seen in values if seen.origin in ("parameter", "buffer", "constant")}
    most = sum(size for _, size in {where[one] for one in traced.inputs} - given)
    for now in range(len(events)):
        made = {where[one] for event in events[: now + 1] for one in (*event.refs(), *event.outputs)}
        needed = {where[one] for event in events[now:] for one in (*event.refs(), *event.outputs)}
        results = {where[one] for one in traced.outputs} & made
        live = (made & needed) | results | {where[one] for one in traced.inputs}
        most = max(most, sum(size for _, size in live - given))
    return most


SMALL: tuple[tuple[Callable[[], nn.Module], tuple[int, ...]], ...] = (
    (UNet, (1, 16, 16)),
    (InPlace, (1, 9, 9)),
    (ViewChain, (4, 8, 8)),
    (LstmClassifier, (2, 10)),
    (tv.resnet18, (3, 32, 32)),
    (tv.swin_t, (3, 32, 32)),
    (tv.mobilenet_v3_small, (3, 32, 32)),
)


@pytest.mark.parametrize(("make", "shape"), SMALL)
def test_peak_is_that_of_the_slow_simulation(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    traced = trace(make(), [Input(shape=shape)])
    assert peak(traced) == slow_peak(traced)


def test_a_chain_holds_two_maps_beside_the_input() -> None:
    """Input 4 numbers; maps of 8, 16 and 8 numbers, of which two are needed at once."""
    net = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 16), nn.Linear(16, 8))
    assert peak(trace(net, [Input(shape=(4,))])) == 4 * (4 + 8 + 16)


def test_a_skip_lives_until_it_is_added() -> None:
    class Skip(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            kept = x.repeat(1, 10)
            deep = kept.exp().log().sin()
            return kept + deep

    assert peak(trace(Skip(), [Input(shape=(1,))])) == 4 * (1 + 3 * 10)


def test_relu_in_place_saves_a_map() -> None:
    def net(in_place: bool) -> nn.Module:
        return nn.Sequential(nn.Conv2d(1, 8, 1), nn.ReLU(in_place), nn.Conv2d(8, 1, 1))

    saved = [peak(trace(net(in_place), [Input(shape=(1, 10, 10))])) for in_place in (False, True)]
    assert saved == [4 * 100 * (1 + 8 + 8), 4 * 100 * (1 + 8 + 1)]


def kept_by_autograd(net: nn.Module, given: Tensor) -> int:
    """Bytes of the storages that real autograd saves in a pass in training mode."""
    own = {storage(one)[0] for one in (*net.parameters(), *net.buffers())}
    kept: dict[int, tuple[Tensor, int]] = {}

    def pack(tensor: Tensor) -> Tensor:
        key, size = storage(tensor)
        if key not in own:
            kept.setdefault(key, (tensor, size))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        result = net.train()(given)
    assert result is not None
    return sum(size for _, size in kept.values())


REAL = (
    *((UNet, (1, 16, 16)), (tv.resnet18, (3, 32, 32)), (tv.densenet121, (3, 32, 32)), (tv.swin_t, (3, 32, 32))),
    *((tv.mobilenet_v3_small, (3, 32, 32)), (tv.convnext_tiny, (3, 32, 32)), (tv.shufflenet_v2_x0_5, (3, 32, 32))),
)


@pytest.mark.parametrize(("make", "shape"), REAL)
def test_training_keeps_what_autograd_keeps(make: Callable[[], nn.Module], shape: tuple[int, ...]) -> None:
    """Two samples, since batch norm refuses a map of one pixel with one. Dropout and drop-path included."""
    net = make()
    assert kept_for_backward(net, [Input(shape=shape)], batch=2) == kept_by_autograd(net, torch.zeros(2, *shape))


def test_with_numbers_it_is_the_same() -> None:
    net, inputs = UNet(), [Input(shape=(1, 16, 16))]
    assert kept_for_backward(net, inputs, batch=2, how="real") == kept_for_backward(net, inputs, batch=2)


class Attending(nn.Module):
    """Calls attention with given settings, out of a map of (batch, tokens, 3 x heads x width)."""

    def __init__(self, *, learned: bool = False, heads: int = 2, **settings: Any) -> None:
        super().__init__()
        self.heads, self.settings = heads, settings
        self.into = nn.Linear(8, 24)
        self.bias = nn.Parameter(torch.zeros(16, 16)) if learned else None

    def forward(self, x: Tensor) -> Tensor:
        parts = self.into(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        settings = {key: make(x) if callable(make) else make for key, make in self.settings.items()}
        if self.bias is not None:
            settings["attn_mask"] = self.bias
        found = nn.functional.scaled_dot_product_attention(query, key, value, **settings)
        return found.transpose(1, 2).flatten(2)


def below(x: Tensor) -> Tensor:
    return torch.ones(16, 16, dtype=torch.bool, device=x.device).tril()


ATTENTION: tuple[Callable[[], nn.Module], ...] = (
    Attending,
    lambda: Attending(is_causal=True),
    lambda: Attending(attn_mask=below),
    lambda: Attending(attn_mask=lambda x: below(x).float()),
    lambda: Attending(dropout_p=0.1),
    lambda: Attending(learned=True),
    lambda: Attending(scale=2.0),
    lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
    lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True),
)


@pytest.mark.parametrize("make", ATTENTION)
def test_attention_keeps_what_the_kernel_keeps(make: Callable[[], nn.Module]) -> None:
    """Fused: queries, keys, values, output, log-sum-exp. Dropout and masks that learn: all scores."""
    net = make()
    assert kept_for_backward(net, [Input(shape=(16, 8))], batch=2) == kept_by_autograd(net, torch.zeros(2, 16, 8))


@pytest.mark.parametrize("how", ["torchvision", "timm"])
def test_a_small_vit_keeps_what_autograd_keeps(how: str) -> None:
    if how == "torchvision":
        net: nn.Module = tv.VisionTransformer(32, 4, 2, 2, 16, 32, num_classes=5)
    else:
        timm = pytest.importorskip("timm")
        net = timm.models.VisionTransformer(32, 4, embed_dim=16, depth=2, num_heads=2, num_classes=5)
    ours = look(net, [Input(shape=(3, 32, 32))], batch=2).memory
    assert ours.training == kept_by_autograd(net, torch.zeros(2, 3, 32, 32))
    scores = 2 * 2 * 2 * 65**2 * 4 / 2**20
    assert f"up to {scores:.1f} MiB more" in ours.training_note
    assert not look(UNet(), [Input(shape=(1, 16, 16))]).memory.training_note


def test_one_sample_and_maps_of_one_pixel() -> None:
    """Image pooling of ASPP ends in batch norm over a single pixel, at which torch's training mode refuses."""
    net, shape = DeepLab(), (3, 64, 64)
    inputs = [Input(shape=shape)]
    one, two, three = (kept_for_backward(net, inputs, batch=batch) for batch in (1, 2, 3))
    assert three - two == two - one > 0
    assert two == kept_by_autograd(net, torch.zeros(2, *shape))


def test_frozen_weights_keep_nothing() -> None:
    net = UNet().requires_grad_(False)
    assert kept_for_backward(net, [Input(shape=(1, 16, 16))], batch=1) == 0


def test_callers_that_want_no_gradients_get_the_same_answer() -> None:
    net, inputs = UNet(), [Input(shape=(1, 16, 16))]
    plain = look(net, inputs).memory
    with torch.no_grad():
        assert look(net, inputs).memory == plain
    with torch.inference_mode():
        assert look(net, inputs).memory == plain


class NeedsEvaluation(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            raise RuntimeError("targets are missing")
        return x * 2


def test_what_cannot_be_trained_says_why() -> None:
    memory = look(NeedsEvaluation(), [Input(shape=(3,))]).memory
    assert memory.training is None
    assert memory.training_reason == "the pass in training mode failed: RuntimeError: targets are missing"
    assert memory.inference == 4 * 6


class Drawing(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.dropout(x, 0.5, self.training) * random.random()


def test_module_and_random_numbers_stay_as_they_were() -> None:
    net = nn.Sequential(UNet(), Drawing())
    before = {name: one.clone() for name, one in net.state_dict().items()}
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(3), random.random()
    torch.manual_seed(3)
    random.seed(3)
    look(net, [Input(shape=(1, 16, 16))])
    assert torch.equal(torch.rand(3), expected[0])
    assert random.random() == expected[1]
    assert net.training
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())
    assert all(not one._forward_hooks and not one._forward_pre_hooks for one in net.modules())
    assert all(one.grad is None for one in net.parameters())


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"num_layers": 2, "dropout": 0.3}])
def test_a_few_steps_tell_what_all_steps_of_a_recurrent_layer_keep(
    kind: type[nn.RNNBase], settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = kind(8, 16, batch_first=True, **settings)
            self.head = nn.Linear(32 if "bidirectional" in settings else 16, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.layer(x)[0].tanh())

    quick = kept_for_backward(Net(), [Input(shape=(20, 8))], batch=2)
    monkeypatch.setattr("fieldcraft.anatomy.recurrent.SHORT", 100)
    assert quick == kept_for_backward(Net(), [Input(shape=(20, 8))], batch=2)


@pytest.mark.parametrize("frozen", [False, True])
def test_layers_that_are_alike_share_what_a_step_adds(frozen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = ((8, 8), (8, 8), (8, 12), (12, 12), (12, 12))
            self.layers = nn.ModuleList(nn.LSTM(one, other, batch_first=True) for one, other in sizes)
            self.layers[1].requires_grad_(not frozen)

        def forward(self, x: Tensor) -> Tensor:
            for layer in self.layers:
                found, state = layer(x)
                again, _ = layer(x.transpose(0, 1).contiguous().transpose(0, 1), state)
                x = found if found.shape != x.shape else x + found + again
            return x

    quick = kept_for_backward(Net(), [Input(shape=(20, 8))], batch=2)
    monkeypatch.setattr("fieldcraft.anatomy.recurrent.SHORT", 100)
    assert quick == kept_for_backward(Net(), [Input(shape=(20, 8))], batch=2)
