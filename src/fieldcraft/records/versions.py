"""Schema versions of everything written to disk, and how older documents are brought forward."""

from collections.abc import Callable, Mapping
from typing import Any

from fieldcraft.errors import FieldcraftError

Document = dict[str, Any]
Migration = Callable[[Document], Document]

CURRENT: Mapping[str, int] = {
    "plan": 1,
    "facts": 1,
    "network": 1,
    "provenance": 1,
    "journal": 1,
    "splits": 1,
    "baseline": 2,
    "candidate": 1,
    "results": 1,
    "ledger": 1,
    "table-encoder": 1,
    "image-cache": 1,
    "case-cache": 1,
    "memory-kills": 1,
    "checkpoint": 2,
    "metrics": 1,
    "predictions": 1,
    "thumbnails": 1,
    "masks": 1,
    "inspection": 1,
    "reference-steps": 1,
    "audit": 1,
    "label-issues": 1,
    "proof": 1,
    "evidence": 1,
    "proof-setting": 1,
    "proof-trial": 1,
    "proof-clock": 1,
    "proof-arm": 1,
    "proof-layout": 1,
}
"""The version that this fieldcraft writes, by kind of document."""

MIGRATIONS: Mapping[tuple[str, int], Migration] = {
    ("baseline", 1): lambda document: {**document, "columns": []},  # all of them
    ("checkpoint", 1): lambda document: {key: document[key] for key in document if key != "lr_scale"},  # journalled
}
"""(kind, version) -> the step that turns a document of that version into one of the next."""


def stamp(kind: str, document: Document) -> Document:
    """The document with its kind's current schema version as the first entry."""
    return {"schema": CURRENT[kind], **document}


def bring_forward(kind: str, document: Document, origin: str) -> Document:
    """The document as the current version has it, without the version entry.

    Raises: FieldcraftError when it has no version or comes from a newer fieldcraft; `origin` names the file.
    """
    version = document.get("schema")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise FieldcraftError(f"{origin} has no `schema` version (a whole number from 1), so it is not a {kind} file.")
    if version > CURRENT[kind]:
        raise FieldcraftError(
            f"{origin} was written by a newer fieldcraft ({kind} schema {version}; this one reads up to "
            f"{CURRENT[kind]}): pip install --upgrade fieldcraft."
        )
    body = {key: value for key, value in document.items() if key != "schema"}
    for step in range(version, CURRENT[kind]):
        body = MIGRATIONS[kind, step](body)
    return body
