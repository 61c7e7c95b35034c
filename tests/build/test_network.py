from pathlib import Path

import pytest
import torch
from torch import nn

from fieldcraft.build.network import build_network
from fieldcraft.errors import PlanError
from fieldcraft.nn.blocks.squeeze_excitation import SqueezeExcitation
from fieldcraft.nn.blocks.whitening import WhiteningConv2d
from fieldcraft.plan import schema

PLAIN = schema.Initialisation()
NETWORKS = {
    "linear": schema.Linear(),
    "mlp": schema.Mlp(widths=(16, 16), residual=True, norm="layer", dropout=0.1),
    "cnn": schema.Cnn(widths=(24, 8), depth=2, head="flatten"),
    "resnet": schema.ResNet(widths=(24, 8), depths=(1, 1), norm="group", downsample="stride"),
    "separable": schema.Cnn(widths=(24, 8), depth=2, separable=True, head="pyramid", levels=(1, 2)),
    "gated": schema.ResNet(widths=(24, 8), depths=(1, 1), squeeze_excitation=4, separable=True),
    "pre-activation": schema.ResNet(widths=(24, 8), depths=(1, 0), norm_place="before-convolution"),
}


def build(
    network: schema.Network, shape=(1, 8, 8), outputs=3, initialisation=PLAIN, seed=0, name="small", patches=None
):
    return build_network(
        network, shape=shape, outputs=outputs, initialisation=initialisation, seed=seed, name=name, patches=patches
    )


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("kind", ["default", "he", "xavier", "orthogonal"])
def test_weights_come_from_their_stream_alone(network, kind: str) -> None:
    initialisation = schema.Initialisation(kind=kind, zero_residual=True)
    torch.manual_seed(1)
    state = torch.random.get_rng_state()
    first = build(network, initialisation=initialisation)
    assert torch.equal(state, torch.random.get_rng_state()), "the global stream is left where it was"
    torch.manual_seed(2)
    again = build(network, initialisation=initialisation)
    pairs = zip(first.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    for other in (build(network, seed=1), build(network, name="large")):
        last = [value for key, value in other.state_dict().items() if key.endswith("weight")][-1]
        assert not torch.equal(last, [v for k, v in first.state_dict().items() if k.endswith("weight")][-1])
    assert first(torch.randn(4, 1, 8, 8)).shape == (4, 3)


def test_every_field_of_the_plan_arrives() -> None:
    net = build(
        schema.Cnn(
            widths=(4, 6), depth=2, kernel=5, padding="none", downsample="stride", norm="instance",
            norm_place="after-activation", activation="silu", head="global-max", dropout=0.3,
        ),
        shape=(2, 33, 33),
    )  # fmt: skip
    text = str(net)
    for sign in ("kernel_size=(5, 5)", "stride=(2, 2)", "InstanceNorm2d(6", "SiLU", "GlobalMax", "Dropout(p=0.3"):
        assert sign in text
    assert "padding" not in text and "MaxPool" not in text and not net.stages[0][0].norm_first
    mlp = str(build(schema.Mlp(widths=(5,), norm="none", activation="tanh", dropout=0.2), shape=(7,)))
    assert "in_features=7, out_features=5, bias=True" in mlp and "Tanh" in mlp and "Dropout(p=0.2" in mlp


@pytest.mark.parametrize("name", ["cnn", "resnet", "pre-activation", "separable", "gated"])
def test_whitening_fills_the_first_convolution_and_saved_weights_fit(name: str) -> None:
    whiten = schema.Initialisation(kind="he", whiten=True)
    patches = torch.randn(30, 1, 8, 8)
    net = build(NETWORKS[name], initialisation=whiten, patches=patches)
    first = next(part for part in net.modules() if isinstance(part, nn.Conv2d))
    assert isinstance(first, WhiteningConv2d)
    assert len(first.kept) == 18
    torch.testing.assert_close(first.kept[:9], -first.kept[9:])
    empty = build(NETWORKS[name], initialisation=whiten, seed=5)
    empty.load_state_dict(net.state_dict())
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(empty.eval()(x), net.eval()(x))


def test_gates_and_separable_steps_arrive_and_gates_start_open() -> None:
    net = build(
        schema.ResNet(
            widths=(8, 8), depths=(1, 1), squeeze_excitation=2, separable=True, head="pyramid", levels=(1, 2)
        ),
        initialisation=schema.Initialisation(kind="he"),
    )
    gates = [part for part in net.modules() if isinstance(part, SqueezeExcitation)]
    assert len(gates) == 2
    assert all(not gate.excite.weight.any() and gate.squeeze.weight.any() for gate in gates)
    assert net.classifier.in_features == 8 * 5
    assert sum(part.groups > 1 for part in net.modules() if isinstance(part, nn.Conv2d)) == 5


def test_whitening_leaves_networks_without_convolutions_alone() -> None:
    whiten = schema.Initialisation(whiten=True)
    plain = build(schema.Linear()).state_dict()
    for key, value in (
        build(schema.Linear(), initialisation=whiten, patches=torch.randn(9, 1, 8, 8)).state_dict().items()
    ):
        assert torch.equal(value, plain[key])


@pytest.mark.parametrize(
    ("network", "shape", "message"),
    [
        (schema.Cnn(widths=(4,) * 6), (1, 8, 8), "rung small.*8 x 8 -> 4 x 4"),
        (schema.ResNet(), (30,), r"needs images.*\(30,\)"),
        (schema.Mlp(norm="instance"), (30,), "instance"),
    ],
)
def test_networks_that_do_not_fit_are_refused(network, shape, message: str) -> None:
    with pytest.raises(PlanError, match=message):
        build(network, shape=shape)


MODULE = """
import math
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, shape, outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(math.prod(shape), outputs), nn.Dropout(0.5))
    def forward(self, x):
        return self.net(x)

class Nested:
    Inner = Net

def no_module(shape, outputs):
    return 3

def wrong_size(shape, outputs):
    return Net(shape, outputs + 1)

def fails(shape, outputs):
    raise RuntimeError("on purpose")

def fails_later(shape, outputs):
    return nn.Conv3d(1, 1, 1)

def gives_a_pair(shape, outputs):
    class Pair(nn.Module):
        def forward(self, x):
            return x, x
    return Pair()

value = 3
"""


@pytest.fixture
def own_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    import sys

    (tmp_path / "own_parts_here.py").write_text(MODULE)
    (tmp_path / "own_parts_broken.py").write_text("1 / 0\n")
    (tmp_path / "own_parts_needy.py").write_text("import no_such_package_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "own_parts_here"
    for name in ("own_parts_here", "own_parts_broken", "own_parts_needy"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["Net", "Nested.Inner"])
def test_an_imported_network_is_built_from_its_stream(own_parts: str, name: str) -> None:
    network = schema.Imported(target=f"{own_parts}:{name}")
    state = torch.random.get_rng_state()
    first, again = build(network), build(network)
    assert torch.equal(state, torch.random.get_rng_state())
    assert torch.equal(first.net[1].weight, again.net[1].weight)
    assert not torch.equal(first.net[1].weight, build(network, seed=3).net[1].weight)
    assert all(part.training for part in first.modules())


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("own_parts_here:Nett", "no `Nett`; nearest: Net"),
        ("own_parts_here:Nested.Iner", "own_parts_here:Nested has no `Iner`; nearest: Inner"),
        ("own_parts_here:value", "can be called, but it is a int"),
        ("own_parts_here:no_module", "must return a torch.nn.Module, but it returned a int"),
        ("own_parts_here:wrong_size", r"must give \(n, 3\).*gave \(2, 4\)"),
        ("own_parts_here:fails", "RuntimeError: on purpose.*target\\(shape, outputs\\)"),
        ("own_parts_here:fails_later", "failed on a batch of zeros"),
        ("own_parts_here:gives_a_pair", "gave tuple"),
        ("own_parts_broken:Net", "importing own_parts_broken failed with ZeroDivisionError"),
        ("own_parts_needy:Net", "needs `no_such_package_at_all`"),
        ("no_such_module_at_all:Net", "no module `no_such_module_at_all`"),
        ("torch.no_such_part:Net", "no module `torch.no_such_part`"),
    ],
)
def test_wrong_imports_are_named(own_parts: str, target: str, message: str) -> None:
    with pytest.raises(PlanError, match=message) as caught:
        build(schema.Imported(target=target))
    assert target in str(caught.value)
