"""What all tests share: few threads, no restarts of the test process, and where the real data is."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ["FIELDCRAFT_NO_RESTART"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How fast the machine is at the moment says nothing about the code; and the same commit gives the same result twice.
# `make explore` looks for new counterexamples instead, and at twice as many: what it finds becomes an `@example`.
slow_is_fine = [HealthCheck.too_slow]
settings.register_profile("house", deadline=None, suppress_health_check=slow_is_fine, derandomize=True, max_examples=50)
settings.register_profile("explore", deadline=None, suppress_health_check=slow_is_fine, print_blob=True)
settings.load_profile(os.environ.get("FIELDCRAFT_PROPERTIES", "house"))

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would children

ROOT = Path(__file__).resolve().parents[1]
os.environ["FIELDCRAFT_EVIDENCE"] = str(ROOT / "build" / "no-evidence")  # what the user filed decides nothing in a test


@pytest.fixture(autouse=True)
def denormals_as_ever() -> Iterator[None]:
    """What a run asks of the processor is not left to the next test in the same process."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("FIELDCRAFT_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"the real data sets are not here ({folder}); set FIELDCRAFT_DATA to their folder")
    return folder
