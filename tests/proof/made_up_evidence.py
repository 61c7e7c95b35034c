"""Made-up evidence: lines as proofs would give them, and the folder of a proof."""

from collections.abc import Sequence
from pathlib import Path

from fieldcraft.plan.schema import ImageInput, Plan, SingleLabel
from fieldcraft.plan.toml import to_toml
from fieldcraft.proof.document import write_proof
from fieldcraft.records.evidence import Estimate, Evidence
from fieldcraft.records.fact import Fact
from fieldcraft.records.facts import Budget, DataFacts, Facts, ImageFacts, MachineFacts, TargetFacts
from fieldcraft.records.files import write_json
from fieldcraft.records.proof import Proof, Word

MADE_UP = {"method": "made up", "sample": "made up"}
PLAN = Plan(task=SingleLabel(), input=ImageInput(height=28, width=28, channels=1))
FACTS = Facts(
    data=DataFacts(
        name="patients-of-dr-x", digest="d" * 32, samples=10, train=6, validation=2, test=2, grouped=False,
        duplicates=Fact(value=0, **MADE_UP),
        target=TargetFacts(
            task="single-label", outputs=2, names=("a", "b"), counts=Fact(value=(5, 5), **MADE_UP),
            imbalance=Fact(value=1.0, **MADE_UP),
        ),
        inputs=ImageFacts(
            height=Fact(value=(28, 28, 28), **MADE_UP), width=Fact(value=(28, 28, 28), **MADE_UP), channels=1,
            depth_bits=8, mean=Fact(value=(0.0,), **MADE_UP), std=Fact(value=(1.0,), **MADE_UP),
        ),
    ),
    machine=MachineFacts(
        processor="made-up", cores=2, memory_mib=1024, free_mib=512, instruction_sets=(), bf16=False, gpu=None,
        gpu_memory_mib=0, tuned_start=False,
    ),
    budget=Budget(seconds=60),
)  # fmt: skip


def line(
    value: float = -0.01,
    *,
    error: float | None = 0.001,
    pairs: int = 8,
    set: str = "a",
    tip: str = "dropout",
    version: str = "v1",
    word: Word = "cannot tell yet",
    proof: str = "",
    name: str = "",
    metric: str = "accuracy",
    level: float | None = 0.9,
    kind: str = "image",
    stage: str = "confirm",
    date: str = "2026-01-31",
    measures: str = "total",
) -> Evidence:
    """One verdict."""
    half = 3 * (error or 0.01)
    effect = Estimate(value=value, low=value - half, high=value + half, error=error, pairs=pairs)
    return Evidence(
        proof=proof or f"proof of {set}", tip=tip, version=version, data=set, name=name, task="single-label", kind=kind,
        samples=1000, facts="f", plan="p", planned=True, metric=metric, higher_is_better=True, effect=effect,
        level=level, word=word, margin=0.002, alpha=0.05, stage=stage, trial_s=20.0, planned_s=60.0, measures=measures,
        equal="minutes", controls=("placebo", "poison"), processor="made-up", cores=2, date=date,
    )  # fmt: skip


def on_sets(values: Sequence[float], word: Word = "cannot tell yet", error: float = 0.001) -> tuple[Evidence, ...]:
    """One line a set."""
    return tuple(line(value, set=f"set {number}", word=word, error=error) for number, value in enumerate(values))


def proof_folder(folder: Path, proof: Proof) -> Path:
    """A folder as a proof leaves it."""
    write_json(folder / "facts.json", "facts", FACTS)
    (folder / "plan.toml").write_text(to_toml(PLAN))
    write_proof(folder / "proof.json", proof)
    return folder
