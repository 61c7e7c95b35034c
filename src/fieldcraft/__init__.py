"""Deep-learning know-how that runs. `import fieldcraft as fc`; nothing heavy is imported before it is used."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fieldcraft.data.dataset import ReadOptions
    from fieldcraft.data.open import open_data
    from fieldcraft.errors import FieldcraftError
    from fieldcraft.inspection.explain import explain
    from fieldcraft.inspection.rewrite import rewrite
    from fieldcraft.plan.schema import Plan
    from fieldcraft.plan.toml import read_plan
    from fieldcraft.prediction.load import load
    from fieldcraft.train.lightning_module import FieldcraftModule
    from fieldcraft.verbs.audit import audit
    from fieldcraft.verbs.doctor import doctor
    from fieldcraft.verbs.draft import draft
    from fieldcraft.verbs.estimators import FieldcraftClassifier, FieldcraftRegressor
    from fieldcraft.verbs.evidence import evidence, keep_evidence
    from fieldcraft.verbs.fingerprint import facts_of
    from fieldcraft.verbs.fit import fit
    from fieldcraft.verbs.function_trial import Trained
    from fieldcraft.verbs.inspect import inspect
    from fieldcraft.verbs.labels import labels
    from fieldcraft.verbs.prove import prove
    from fieldcraft.verbs.prove_function import prove_function
    from fieldcraft.verbs.run import Run

__all__ = [
    "FieldcraftClassifier",
    "FieldcraftError",
    "FieldcraftModule",
    "FieldcraftRegressor",
    "Plan",
    "ReadOptions",
    "Run",
    "Trained",
    "audit",
    "doctor",
    "draft",
    "evidence",
    "explain",
    "facts_of",
    "fit",
    "inspect",
    "keep_evidence",
    "labels",
    "load",
    "open_data",
    "prove",
    "prove_function",
    "read_plan",
    "rewrite",
]

_HOMES = {
    "FieldcraftClassifier": "fieldcraft.verbs.estimators:FieldcraftClassifier",
    "FieldcraftError": "fieldcraft.errors:FieldcraftError",
    "FieldcraftModule": "fieldcraft.train.lightning_module:FieldcraftModule",
    "FieldcraftRegressor": "fieldcraft.verbs.estimators:FieldcraftRegressor",
    "Plan": "fieldcraft.plan.schema:Plan",
    "ReadOptions": "fieldcraft.data.dataset:ReadOptions",
    "Run": "fieldcraft.verbs.run:Run",
    "Trained": "fieldcraft.verbs.function_trial:Trained",
    "doctor": "fieldcraft.verbs.doctor:doctor",
    "audit": "fieldcraft.verbs.audit:audit",
    "draft": "fieldcraft.verbs.draft:draft",
    "evidence": "fieldcraft.verbs.evidence:evidence",
    "explain": "fieldcraft.inspection.explain:explain",
    "facts_of": "fieldcraft.verbs.fingerprint:facts_of",
    "fit": "fieldcraft.verbs.fit:fit",
    "inspect": "fieldcraft.verbs.inspect:inspect",
    "keep_evidence": "fieldcraft.verbs.evidence:keep_evidence",
    "labels": "fieldcraft.verbs.labels:labels",
    "load": "fieldcraft.prediction.load:load",
    "open_data": "fieldcraft.data.open:open_data",
    "prove": "fieldcraft.verbs.prove:prove",
    "prove_function": "fieldcraft.verbs.prove_function:prove_function",
    "read_plan": "fieldcraft.plan.toml:read_plan",
    "rewrite": "fieldcraft.inspection.rewrite:rewrite",
}
"""Where each public name lives."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fieldcraft' has no attribute {name!r}; it has {', '.join(__all__)}.")
    module, _, attribute = _HOMES[name].partition(":")
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    return __all__
