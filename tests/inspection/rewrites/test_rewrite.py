"""The verb: never in place, one clear message for what cannot be done, fixes planned from findings, files."""

import copy
import runpy
from pathlib import Path

import pytest
import torch
from tests.inspection.rewrites.nets import SIZE, images, shaken
from torch import nn
from torchvision.models import resnet18

from fieldcraft.errors import InspectError
from fieldcraft.inspection.export import export
from fieldcraft.inspection.rewrite import only_where_found, plan_fixes, rewrite
from fieldcraft.inspection.rewrites import ALL
from fieldcraft.inspection.rewrites.interface import Options
from fieldcraft.records.finding import Finding, Severity

torch.set_num_threads(1)


def finding(code: str, *layers: str) -> Finding:
    return Finding(code=code, name="made-up", severity=Severity.WARNING, subject="net", remedy="none", layers=layers)


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.name)
def test_the_module_itself_stays_as_it_was(one: object) -> None:
    net = shaken(resnet18(num_classes=4), 1).train()
    net.layer1.eval()
    calls: list[int] = []
    net.fc.register_forward_hook(lambda *_: calls.append(1))
    state = {key: value.clone() for key, value in net.state_dict().items()}
    kinds, flags = [type(part) for part in net.modules()], [part.training for part in net.modules()]
    hooks = [len(part._forward_hooks) for part in net.modules()]
    parts = list(net.modules())
    try:
        rewrite(net, one.name, SIZE, unsafe=True)  # type: ignore[attr-defined]
    except InspectError as error:
        assert "nothing fits" in str(error)
    after = list(net.modules())
    assert all(a is b for a, b in zip(parts, after, strict=True))
    assert kinds == [type(part) for part in after] and flags == [part.training for part in after]
    assert hooks == [len(part._forward_hooks) for part in after]
    for key, value in net.state_dict().items():
        assert torch.equal(value, state[key]), key


def test_every_rewrite_has_a_page_and_a_name_of_its_own() -> None:
    assert len({one.name for one in ALL}) == len(ALL)
    for one in ALL:
        assert all(word in one.card for word in ("What it does:", "Weights:", "Cost:", "Source:"))
        assert ("Safe" in one.card) == one.safe and ("Unsafe" in one.card) == (not one.safe)


def test_messages() -> None:
    net = resnet18()
    with pytest.raises(InspectError, match="did you mean drop-bias"):
        rewrite(net, "drop-biass", SIZE)
    with pytest.raises(InspectError, match="unsafe=True"):
        rewrite(net, ["fold-norm", "group-norm"], SIZE)
    with pytest.raises(InspectError, match="drop-bias looks for a convolution"):
        rewrite(net, "FC001", SIZE)
    with pytest.raises(InspectError, match=r"did you mean layer1\.0"):
        rewrite(net, "fold-norm", SIZE, options=Options(only=("layer1.00",)))


def test_only_named_layers_are_changed_and_several_rewrites_are_made_in_order() -> None:
    net = shaken(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4)), 1)
    one = rewrite(net, "fold-norm", SIZE, options=Options(only=("2",)))
    assert [type(part).__name__ for part in one.module] == ["Conv2d", "BatchNorm2d", "Conv2d", "Identity"]
    both = rewrite(net, ["FC033", "FC001"], SIZE)
    assert both.names == ("drop-bias", "fold-norm") and both.safe


def test_a_module_without_numbers_is_rewritten_as_well() -> None:
    with torch.device("meta"):
        net = resnet18()
    made = rewrite(net, "fold-norm", SIZE)
    assert made.difference is None and made.after.parameters < made.before.parameters


def test_fixes_are_planned_from_findings() -> None:
    found = [finding("FC022"), finding("FC033", "layer1.0.conv1"), finding("FC001"), finding("FC099")]
    assert plan_fixes(found) == ("drop-bias", "fold-norm")
    assert plan_fixes(found, unsafe=True) == ("drop-bias", "fold-norm", "group-norm")
    assert only_where_found(Options(), found, "fold-norm").only == ("layer1.0.conv1",)


def test_a_python_file_makes_the_module_again(tmp_path: Path) -> None:
    net = shaken(resnet18(num_classes=4), 1, biases=False)
    made = rewrite(net, ["fold-norm", "squeeze-excitation"], SIZE, unsafe=True)
    written = export(
        made, tmp_path / "net.py", SIZE, source="torchvision.models:resnet18", arguments={"num_classes": 4}
    )
    assert [one.name for one in written] == ["net.py", "net.safetensors"]
    again = runpy.run_path(str(written[0]))["make"]()
    torch.testing.assert_close(again(images(1)), copy.deepcopy(made.module).eval()(images(1)))


def test_an_exported_program_takes_any_batch(tmp_path: Path) -> None:
    net = shaken(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU()), 1).train()
    made = rewrite(net, "fold-norm", SIZE)
    (written,) = export(made, tmp_path / "net.pt2", SIZE)
    program = torch.export.load(written).module()
    torch.testing.assert_close(program(images(1, 5, *SIZE)), net.eval()(images(1, 5, *SIZE)))
    assert made.module.training
    with pytest.raises(InspectError, match=r"\.py or \.pt2"):
        export(made, tmp_path / "net.onnx", SIZE)
    with pytest.raises(InspectError, match="source="):
        export(made, tmp_path / "net.py", SIZE)
