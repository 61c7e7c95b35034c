"""A proof as JSON: plain values under a schema version. Ends that are not finite are text, such as "Infinity"."""

import json
import math
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fieldcraft.errors import RunError
from fieldcraft.records.files import write_whole
from fieldcraft.records.proof import Proof
from fieldcraft.records.versions import bring_forward, stamp

PROOF = TypeAdapter(Proof)


def to_json(proof: Proof) -> str:
    """Everything that was found, indented by one; `from_json` gives the same proof again."""
    body = _finite(PROOF.dump_python(proof, mode="json"))
    assert isinstance(body, dict)
    return json.dumps(stamp("proof", body), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, origin: str = "the text") -> Proof:
    """The proof that `to_json` wrote, also an older fieldcraft's; `origin` names the file in errors.

    Raises: RunError when the text is no proof or is damaged; FieldcraftError when a newer fieldcraft wrote it.
    """
    try:
        document = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise RunError(
            f"{origin} is no JSON ({error}), so it holds no proof: give the proof.json of a proof."
        ) from error
    if not isinstance(document, dict):
        raise RunError(f"{origin} holds no proof (an object was expected): give the proof.json of a proof.")
    body = bring_forward("proof", document, origin)
    try:
        return PROOF.validate_python(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "its top"
        raise RunError(
            f"{origin} holds no proof: at {where}: {first['msg'].lower()}. Give the proof.json of a proof, or run "
            "`fieldcraft prove` again: trials that have ended are not repeated."
        ) from error


def write_proof(path: Path, proof: Proof) -> None:
    """Write it to `path`, whole or not at all.

    Raises: RunError when the file cannot be written.
    """
    write_whole(path, to_json(proof))


def read_proof(path: Path) -> Proof:
    """Read what `write_proof` wrote.

    Raises: RunError when there is no such file, or no proof in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: no proof has ended there. Run `fieldcraft prove` first.") from error
    except UnicodeDecodeError as error:
        raise RunError(f"{path} is no text, so it holds no proof: give the proof.json of a proof.") from error
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}.") from error
    return from_json(text, str(path))


def _finite(value: object) -> object:
    """The same with text for numbers that JSON has not; pydantic reads it as the number again."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_finite(one) for one in value]
    return value
