"""predictions.parquet: predictions beside the truth, with the schema version in the file's metadata."""

import json
from io import BytesIO
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from fieldcraft.errors import RunError
from fieldcraft.records.files import write_whole
from fieldcraft.records.versions import bring_forward, stamp

KEY = b"fieldcraft"


def write_predictions(path: Path, frame: pd.DataFrame) -> None:
    """Write the table whole."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    version = json.dumps(stamp("predictions", {})).encode()
    buffer = BytesIO()
    parquet.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), KEY: version}), buffer)
    write_whole(path, buffer.getvalue())


def read_predictions(path: Path) -> pd.DataFrame:
    """Read it back.

    Raises: RunError when it is missing or damaged; FieldcraftError when it comes from a newer version.
    """
    try:
        table = parquet.read_table(path)
    except FileNotFoundError as error:
        raise RunError(f"{path} is missing: let `fieldcraft fit` finish first.") from error
    except (pa.ArrowInvalid, OSError) as error:
        raise RunError(f"{path} is damaged ({error}): delete it and run the same command again.") from error
    bring_forward("predictions", json.loads((table.schema.metadata or {}).get(KEY, b"{}")), str(path))
    return table.to_pandas()
