import importlib.util
import os
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from fieldcraft.build.network import build_network
from fieldcraft.build.optimiser import Pace, build_optimiser
from fieldcraft.build.pretrained.bodies import body_of, features_of, wants_of
from fieldcraft.build.pretrained.candidates import candidates
from fieldcraft.build.pretrained.published import akamaster, deep_compression
from fieldcraft.build.pretrained.read import digest, read_tensors
from fieldcraft.build.pretrained.take_over import Pixels, paces, thawing
from fieldcraft.errors import MissingExtraError, WeightsError
from fieldcraft.nn.networks.cifar_resnet import CifarResNet
from fieldcraft.nn.networks.transferred import Transferred, parts
from fieldcraft.plan import schema
from fieldcraft.plan.schema import AdamW, Initialisation, Pretrained, RmsProp, Sgd, Tuning

PIXELS = Pixels(mean=(120.0,) * 3, std=(60.0,) * 3, full_scale=255.0)
needs_torchvision = pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="needs torchvision")
needs_timm = pytest.mark.skipif(importlib.util.find_spec("timm") is None, reason="needs timm")


def resnet(depth: int = 20, seed: int = 0) -> CifarResNet:
    torch.manual_seed(seed)
    return CifarResNet(10, depth=depth)


def foreign(net: CifarResNet) -> dict[str, Tensor]:
    """The state as akamaster's training leaves it."""
    found = {}
    for name, value in net.state_dict().items():
        for stage in (1, 2, 3):
            for block in range(1, 20):
                name = name.replace(f"body.stage{stage}_block{block}.", f"layer{stage}.{block - 1}.")
        name = name.replace("body.stem.conv", "conv1").replace("body.stem.norm", "bn1").replace("norm", "bn")
        found[f"module.{name.replace('classifier', 'linear')}"] = value
    return found


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    path = tmp_path / "resnet20.th"
    torch.save({"state_dict": foreign(resnet()), "best_prec1": 91.7}, path)
    return path


def planned(path: Path, **changes: object) -> Pretrained:
    one = candidates([path])[0]
    found = Pretrained(
        weights=one.file, digest=one.digest, family=one.family, model=one.model, height=one.wants.height,
        width=one.wants.width, order=one.wants.order, mean=one.wants.mean, std=one.wants.std,
        full_scale=one.wants.full_scale,
    )  # fmt: skip
    return replace(found, **changes)


def built(
    network: Pretrained,
    *,
    pixels: Pixels | None = PIXELS,
    outputs: int = 4,
    channels: int = 3,
    read_weights: bool = True,
) -> Transferred:
    net = build_network(
        network, shape=(channels, 24, 24), outputs=outputs, initialisation=Initialisation(whiten=True), seed=3,
        name="pretrained", pixels=pixels, read_weights=read_weights,
    )  # fmt: skip
    assert isinstance(net, Transferred)
    return net


# ---------------------------------------------------------------- reading


def test_every_format_gives_the_same_tensors(tmp_path: Path, checkpoint: Path) -> None:
    state = resnet().state_dict()
    save_file(foreign(resnet()), tmp_path / "a.safetensors")
    np.savez(tmp_path / "b.npz", **{name: value.numpy() for name, value in foreign(resnet()).items()})
    torch.save(foreign(resnet()), tmp_path / "c.pth")
    for path in (checkpoint, *(tmp_path / name for name in ("a.safetensors", "b.npz", "c.pth"))):
        found = read_tensors(path)
        assert {akamaster(name) for name in found} == set(state)
        assert all(torch.equal(value, state[akamaster(name)]) for name, value in found.items())


class Trap:
    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, ("sprung",)


def test_nothing_is_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"weight": Trap()}}, tmp_path / "trap.pth")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Trap()))
    np.savez(tmp_path / "trap.npz", weight=np.array([Trap()], dtype=object))
    for name in ("trap.pth", "plain.pt", "trap.npz"):
        with pytest.raises(WeightsError, match=name):
            read_tensors(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize("ending", ["safetensors", "npz", "pth"])
def test_what_is_no_checkpoint_is_one_clear_line(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"notes.{ending}"
    path.write_text("these are notes")
    with pytest.raises(WeightsError, match=r"notes\..* is no (checkpoint|safetensors|archive)") as error:
        read_tensors(path)
    assert "\n" not in str(error.value)


def test_other_files_and_empty_ones_are_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    torch.save(["no", "tensors"], tmp_path / "list.pt")
    torch.save({}, tmp_path / "empty.pt")
    for name, why in (("notes.txt", "must end in"), ("list.pt", "holds a list"), ("empty.pt", "no tensors")):
        with pytest.raises(WeightsError, match=why):
            read_tensors(tmp_path / name)
    with pytest.raises(WeightsError, match="no file"):
        read_tensors(tmp_path / "missing.pt")


# ---------------------------------------------------------------- recognising


@pytest.mark.parametrize("depth", [20, 32, 56])
def test_the_depth_is_found_from_the_tensors(tmp_path: Path, depth: int) -> None:
    save_file(foreign(resnet(depth)), tmp_path / "a.safetensors")
    found = candidates([tmp_path / "a.safetensors"])[0]
    blocks = (depth - 2) // 2
    assert (found.family, found.model, found.features) == ("cifar-resnet", str(depth), 64)
    assert (found.parts, found.norms, found.any_size) == (1 + blocks, 1 + 2 * blocks, True)
    assert found.matched == 5 * found.norms


def test_what_fits_nothing_says_how_much_did(tmp_path: Path) -> None:
    state = foreign(resnet())
    save_file({name: value for name, value in state.items() if "layer3" not in name}, tmp_path / "part.safetensors")
    with pytest.raises(WeightsError, match="nearest is cifar-resnet 20, with 65 of its 95 tensors"):
        candidates([tmp_path / "part.safetensors"])
    save_file({"strange": torch.zeros(3)}, tmp_path / "strange.safetensors")
    with pytest.raises(WeightsError, match="with 0 of its 95 tensors in the file's 1"):
        candidates([tmp_path / "strange.safetensors"])


def test_a_folder_gives_all_that_fit_and_names_the_others(tmp_path: Path) -> None:
    for depth in (32, 20):
        save_file(foreign(resnet(depth)), tmp_path / f"net{depth}.safetensors")
    (tmp_path / "broken.pth").write_text("no")
    (tmp_path / "README.md").write_text("about them")
    said: list[str] = []
    assert [one.name for one in candidates([tmp_path], say=said.append)] == ["net20", "net32"]
    assert len(said) == 1 and "broken.pth" in said[0]


def test_folders_without_weights(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no weights"):
        candidates([tmp_path])
    (tmp_path / "broken.pth").write_text("no")
    with pytest.raises(WeightsError, match=r"no file in .* fits"):
        candidates([tmp_path])


def test_names_are_told_apart(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        save_file(foreign(resnet()), tmp_path / folder / "net.safetensors")
    assert [one.name for one in candidates([tmp_path / "a", tmp_path / "b"])] == ["net", "net-2"]


def test_unknown_names_are_one_clear_line() -> None:
    with pytest.raises(WeightsError, match="begin with timm: or torchvision:"):
        candidates(["resnet18"])


@needs_torchvision
def test_misspelt_networks_name_the_nearest() -> None:
    with pytest.raises(WeightsError, match="did you mean `resnet18`"):
        candidates(["torchvision:resnet19"])


@needs_timm
def test_misspelt_networks_of_timm() -> None:
    with pytest.raises(WeightsError, match="timm has no classifier resnet18x"):
        candidates(["timm:resnet18x"])


# ---------------------------------------------------------------- libraries, without any network


@needs_torchvision
def test_weights_of_torchvision_come_from_its_cache_or_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision import models

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"add --download to get them from https://download.pytorch.org"):
        candidates(["torchvision:squeezenet1_1"])
    with pytest.raises(WeightsError, match=r"add --download"):
        candidates(["torchvision:resnet18"])
    name = Path(models.ResNet18_Weights.DEFAULT.url).name
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    torch.save(models.resnet18(weights=None).state_dict(), tmp_path / "hub" / "checkpoints" / name)
    found = candidates(["torchvision:resnet18"])[0]
    assert (found.name, found.features, found.norms, found.parts) == ("resnet18", 512, 20, 6)
    assert found.wants.height == 224 and found.wants.mean == (0.485, 0.456, 0.406) and found.any_size


@needs_torchvision
def test_a_file_may_be_said_to_be_of_a_library_network(tmp_path: Path) -> None:
    from torchvision import models

    torch.manual_seed(0)
    net = models.mobilenet_v3_small(weights=None).eval()
    path = tmp_path / "mine.safetensors"
    save_file(net.state_dict(), path)
    one = candidates([f"torchvision:mobilenet_v3_small={path}"])[0]
    network = Pretrained(
        weights=one.file, digest=one.digest, family=one.family, model=one.model, height=64, width=64,
        mean=one.wants.mean, std=one.wants.std,
    )  # fmt: skip
    body = built(network).eval()
    net.classifier[3] = nn.Identity()
    x = torch.rand(2, 3, 64, 64)
    assert torch.equal(body.body(x), net(x))
    with pytest.raises(WeightsError, match=r"does not fit torchvision:resnet18: 0 of its 100 tensors"):
        candidates([f"torchvision:resnet18={path}"])


@needs_timm
def test_networks_of_timm_are_taken_over(tmp_path: Path) -> None:
    import timm

    torch.manual_seed(0)
    net = timm.create_model("vit_tiny_patch16_224", pretrained=False).eval()
    path = tmp_path / "vit.safetensors"
    save_file(net.state_dict(), path)
    found = candidates([f"timm:vit_tiny_patch16_224={path}"])[0]
    assert (found.features, found.any_size, found.norms) == (192, False, 0) and found.parts >= 12
    with pytest.raises(WeightsError, match="does not take images of 64x64"):
        features_of(body_of("timm", "vit_tiny_patch16_224", 3), 3, (64, 64))


@needs_torchvision
def test_a_network_without_a_linear_map_at_its_end_is_refused() -> None:
    with pytest.raises(WeightsError, match="no linear map"):
        body_of("torchvision", "squeezenet1_0", 3)


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"fieldcraft\[pretrained\]"):
        body_of("timm", "resnet18", 3)


# ---------------------------------------------------------------- taking over


def test_the_body_is_the_one_of_the_file(checkpoint: Path) -> None:
    net, whole = built(planned(checkpoint)).eval(), resnet().eval()
    pixels = torch.randint(0, 256, (3, 3, 32, 32)).float()
    wanted = (pixels / 255 - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[
        :, None, None
    ]
    with torch.no_grad():
        told = net.features((pixels - 120) / 60)
        assert torch.allclose(told, whole.pool(whole.body(wanted)), atol=1e-4)
    assert net.head.out_features == 4


def test_what_gets_saved_weights_needs_neither_file_nor_pixels(checkpoint: Path) -> None:
    network = planned(checkpoint)
    trained = built(network)
    checkpoint.unlink()
    again = built(network, pixels=None, read_weights=False)
    again.load_state_dict(trained.state_dict())
    x = torch.rand(2, 3, 24, 24)
    assert torch.equal(trained.eval()(x), again.eval()(x))
    with pytest.raises(WeightsError, match=r"rung pretrained: .* not there"):
        built(network)


def test_another_file_is_refused(checkpoint: Path) -> None:
    network = planned(checkpoint)
    torch.save(foreign(resnet(seed=1)), checkpoint)
    assert digest(checkpoint) != network.digest
    with pytest.raises(WeightsError, match="not the file that the plan was made with"):
        built(network)


def test_gray_images_are_taken_and_others_are_refused(checkpoint: Path) -> None:
    gray = Pixels(mean=(120.0,), std=(60.0,), full_scale=255.0)
    assert built(planned(checkpoint), pixels=gray, channels=1)(torch.rand(2, 1, 24, 24)).shape == (2, 4)
    with pytest.raises(WeightsError, match="5 channels"):
        built(planned(checkpoint), channels=5)


def test_rates_grow_from_the_input_to_the_head(checkpoint: Path) -> None:
    network = planned(checkpoint, tuning=Tuning(first_rate=0.1))
    net = built(network)
    found, pieces = paces(net, network), parts(net.body)
    each = [{found[weight].share for weight in piece} for piece in pieces]
    assert all(len(one) == 1 for one in each) and each[0] == {0.1}
    steps = [min(after) / min(before) for before, after in zip(each, [*each[1:], {1.0}], strict=True)]
    assert steps == pytest.approx([10 ** (1 / len(pieces))] * len(pieces))
    solver = build_optimiser(net, Sgd(weight_decay=0.1), 0.5, found)
    by_weight = {weight: group for group in solver.param_groups for weight in group["params"]}
    assert len(by_weight) == len(list(net.parameters()))
    assert by_weight[net.head.weight]["share"] == 1.0 and by_weight[net.head.weight]["lr"] == 0.5
    assert by_weight[net.body.stem.conv.weight]["share"] == 0.1  # type: ignore[union-attr]


def test_equal_rates_and_no_thawing_are_plain_training(checkpoint: Path) -> None:
    network = planned(checkpoint)
    net = built(network)
    assert paces(net, network) == {} and thawing(net, network) is None
    assert len(build_optimiser(net, Sgd(), 0.1).param_groups) == 1


@pytest.mark.parametrize("optimiser", [Sgd(), AdamW(), RmsProp()], ids=lambda one: one.kind)
def test_parts_that_thaw_one_after_the_other_are_taken_by_every_optimiser(
    checkpoint: Path, optimiser: schema.Optimiser
) -> None:
    """Also at equal rates: momentum of the parts begins at different steps."""
    network = planned(checkpoint, tuning=Tuning(head_until=0.2, thawed_at=0.8))
    net = built(network)
    found = paces(net, network)
    assert set(found.values()) == {Pace(1.0, place + 1) for place in range(len(parts(net.body)))}
    solver, thaw = build_optimiser(net, optimiser, 1e-3, found), thawing(net, network)
    assert thaw is not None
    first = net.body.stem.conv.weight  # type: ignore[union-attr]
    for step in range(6):
        before = first.detach().clone()
        thaw.at(step / 6)
        solver.zero_grad(set_to_none=True)
        net(torch.rand(4, 3, 24, 24)).square().sum().backward()
        solver.step()
        assert torch.equal(before, first) == (step / 6 < 0.8)


def test_a_body_that_never_learns(checkpoint: Path) -> None:
    network = planned(checkpoint, tuning=Tuning(head_until=1.0, thawed_at=1.0))
    net = built(network)
    thaw = thawing(net, network)
    assert thaw is not None
    thaw.at(0.99)
    assert not any(weight.requires_grad for weight in net.body.parameters())


# ---------------------------------------------------------------- the real checkpoints


@pytest.mark.parametrize(("depth", "published"), [(20, 0.915), (56, 0.926)])
def test_akamaster_is_as_good_as_published(real_data: Path, depth: int, published: float) -> None:
    """On the 1,000 test images at hand, as the page of the data says. No target is ever measured with them."""
    from PIL import Image

    file = next((real_data / "weights" / "akamaster_cifar10_resnet").glob(f"resnet{depth}-*.th"))
    net = CifarResNet(10, depth=depth).eval()
    net.load_state_dict({akamaster(name): value for name, value in read_tensors(file).items()}, strict=False)
    mosaic = np.asarray(Image.open(real_data / "cifar10" / "webp_mosaic" / "batch_50.webp").convert("RGB"))
    tiles = mosaic.reshape(32, 32, 32, 32, 3).transpose(0, 2, 1, 3, 4).reshape(1024, 32, 32, 3)[:1000]
    truth = np.load(real_data / "cifar10" / "labels.npz")["test1000"]
    wants = wants_of("cifar-resnet", str(depth))
    pixels = (torch.from_numpy(tiles / 255).float() - torch.tensor(wants.mean)) / torch.tensor(wants.std)
    with torch.no_grad():
        said = torch.cat([net(part.permute(0, 3, 1, 2)) for part in pixels.split(250)]).argmax(1).numpy()
    assert float((said == truth).mean()) == published


@needs_torchvision
def test_squeezenet_says_what_torchvisions_says(real_data: Path) -> None:
    """The same tensors in another writing of the network, up to the order of additions."""
    from torchvision import models

    from fieldcraft.nn.networks.squeezenet import SqueezeNet

    file = next((real_data / "weights" / "squeezenet_deep_compression").glob("*.npz"))
    tensors = {deep_compression(name): value for name, value in read_tensors(file).items()}
    net = SqueezeNet(1000, rectified=True).eval()
    net.load_state_dict(tensors)
    other = models.squeezenet1_0(weights=None).eval()
    ours = [part for part in net.modules() if isinstance(part, nn.Conv2d)]
    theirs = [part for part in other.modules() if isinstance(part, nn.Conv2d)]
    for one, two in zip(ours, theirs, strict=True):
        two.load_state_dict(one.state_dict())
    x = 60 * torch.randn(2, 3, 130, 131, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(net(x), other(x), rtol=1e-4, atol=1e-4)
