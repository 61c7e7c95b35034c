"""Networks of masks averaged at the end of their ladder."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.verbs.masks.made_masks import pictures, plan

from fieldcraft.build.network import build_network
from fieldcraft.data.splits import Parts
from fieldcraft.plan.schema import Plan
from fieldcraft.prediction.masks.model import MaskModel, load_mask_model, mean_logits
from fieldcraft.prediction.saved import save_model, weights_together
from fieldcraft.prediction.spec import MemberSpec, read_spec
from fieldcraft.records.results import Candidate
from fieldcraft.train.run_folder import RunFolder
from fieldcraft.verbs.candidates import Judged
from fieldcraft.verbs.fit import fit
from fieldcraft.verbs.masks.ensemble import able_to_take_part
from fieldcraft.verbs.masks.judge import MaskJudge
from fieldcraft.verbs.run import Run


def averaging(steps: int) -> Plan:
    """A small U-Net three times, after one that has learnt nothing."""
    known = plan((16, 16), steps=steps)
    first = replace(known.ladder.rungs[0], lr=0.005)
    copies = (replace(first, name=f"small-{number}", copy_of="small") for number in (2, 3))
    rungs = (replace(first, name="raw", steps=1), first, *copies)
    return replace(known, ladder=replace(known.ladder, rungs=rungs, climb="always", ensemble="if-better"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("averages")
    return fit(pictures(folder / "discs"), averaging(40), out=folder / "run")


def picture(run: Run, kind: str, name: str) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(run.path.parent / "discs" / kind / f"{name}.png"))


def alone(run: Run, name: str) -> MaskModel:
    """The network of one rung as a model of its own."""
    network = run.plan.ladder.rungs[0].network
    net = build_network(
        network, shape=(1, 16, 16), outputs=3, initialisation=run.plan.initialisation, seed=0, name="x", masks=True
    )
    net.load_state_dict(load_file(run.folder.rungs / name / "model.safetensors"))
    spec = replace(read_spec(run.folder.network), network=network, members=())
    return MaskModel(spec, net.eval())


def dice(run: Run, models: list[MaskModel]) -> npt.NDArray[np.float64]:
    """Of the mean of some models, for each validation picture."""
    scores = []
    for name in (run.folder.splits / "validation.txt").read_text().split():
        image, truth = picture(run, "images", name)[None], picture(run, "masks", name) // 100
        each = [one.logits(image, (1.0, 1.0)) for one in models]
        found = np.mean([np.exp(one) / np.exp(one).sum(axis=0) for one in each], axis=0).argmax(axis=0)
        overlaps = [
            2 * ((found == place) & (truth == place)).sum() / ((found == place).sum() + (truth == place).sum())
            for place in (1, 2)
        ]
        scores.append(np.mean(overlaps))
    return np.array(scores)


def test_repetitions_of_a_network_that_is_as_good_as_any_are_averaged(run: Run) -> None:
    """What was decided is what comes out when it is worked out again from the files, picture by picture."""
    each = {name: dice(run, [alone(run, name)]) for name in ("raw", "small", "small-2", "small-3")}
    values = {one.name: one.validation for one in run.results.candidates}
    assert {name: score.mean() for name, score in each.items()} == pytest.approx(
        {name: values[name] for name in each}, abs=1e-6
    )
    lost = each["small"] - each["raw"]
    assert lost.mean() > lost.std(ddof=1) / len(lost) ** 0.5
    beaten = max(values["raw"], values["mean-shape"])
    ordered = sorted(("small", "small-2", "small-3"), key=lambda name: -values[name])
    members = [name for name in ordered if name == "small" or values[name] > beaten]
    together = dice(run, [alone(run, name) for name in members]).mean()
    if together > values["small"]:
        assert values["ensemble"] == pytest.approx(together, abs=1e-6)
        assert [one.name for one in run.results.candidates[-1].members] == members
        assert {one.weight for one in run.results.candidates[-1].members} == {1 / len(members)}
        assert run.results.winner == "ensemble"
        assert "An average of" in run.folder.report.read_text()
    else:
        assert "ensemble" not in values
        assert any("no average is returned" in note for note in run.results.notes)


def judged(**values: tuple[float, ...]) -> tuple[list[Judged], MaskJudge]:
    """Candidates with the Dice of one class on each case; `_2` and the like are repetitions, `null` is a baseline."""
    count = len(next(iter(values.values())))
    parts = Parts(train=np.arange(0), validation=np.arange(count), test=np.arange(0))
    cases = SimpleNamespace(parts=parts, group=str, dataset=SimpleNamespace(ids=[str(one) for one in range(count)]))
    record = Candidate(name="", kind="rung", validation=0.0, noise=0.0, seconds=1.0, sample="all")
    made = [
        Judged(
            candidate=replace(
                record, name=name, kind="baseline" if name == "null" else "rung", validation=float(np.mean(each)),
                copy_of=name.partition("_")[0] if "_" in name else "",
            ),
            outputs=np.array(each)[:, None],
        )
        for name, each in values.items()
    ]  # fmt: skip
    return made, MaskJudge(plan=plan((16, 16), steps=1), samples=cases)  # type: ignore[arg-type]


def names(found: list[Judged]) -> list[str]:
    return [one.candidate.name for one in found]


def test_unlucky_repetitions_take_part_and_failed_ones_do_not() -> None:
    made, judge = judged(
        null=(0.6, 0.5, 0.7, 0.6), small=(0.80, 0.81, 0.82, 0.83), large=(0.90, 0.91, 0.92, 0.93),
        large_2=(0.895, 0.905, 0.915, 0.925), large_3=(0.91, 0.92, 0.93, 0.94), large_4=(0.8, 0.7, 0.6, 0.9),
    )  # fmt: skip
    assert judge.compare(made[-2].outputs, made[-3].outputs).better, "the lucky one is better by more than noise"
    assert names(able_to_take_part(made, judge)) == ["large_3", "large", "large_2"]


def test_kinds_that_are_about_as_good_take_part_together() -> None:
    made, judge = judged(null=(0.6, 0.5, 0.7, 0.6), small=(0.80, 0.95, 0.82, 0.93), large=(0.90, 0.85, 0.92, 0.85))
    assert names(able_to_take_part(made, judge)) == ["large", "small"]


def test_what_is_saved_is_the_mean_of_its_members(run: Run, tmp_path: Path) -> None:
    names, weights = ("small", "small-3"), (0.75, 0.25)
    network = run.plan.ladder.rungs[0].network
    members = (
        MemberSpec(name=name, weight=weight, network=network) for name, weight in zip(names, weights, strict=True)
    )
    spec = replace(read_spec(run.folder.network), network=None, members=tuple(members))
    each = {name: load_file(run.folder.rungs / name / "model.safetensors") for name in names}
    tmp_path.mkdir(exist_ok=True)
    save_model(RunFolder(tmp_path), spec, weights=weights_together(each))
    image = picture(run, "images", "00")[None]
    said = [alone(run, name).logits(image, (1.0, 1.0)) for name in names]
    shares = sum(weight * np.exp(one) / np.exp(one).sum(axis=0) for weight, one in zip(weights, said, strict=True))
    model = load_mask_model(tmp_path)
    assert np.exp(model.logits(image, (1.0, 1.0))) == pytest.approx(shares, abs=1e-5)
    assert model.on(torch.device("cpu")).predicted(image).mask.shape == image.shape[1:]


def test_logits_of_one_model_alone_give_its_probabilities() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 4, 5)).astype(np.float32)
    shares = np.exp(logits) / np.exp(logits).sum(axis=0)
    assert np.exp(mean_logits([logits], [1.0])) == pytest.approx(shares, abs=1e-6)
