# Nothing but make and Python 3.11+ (with its venv module) has to be there first: everything else lands in .venv.
# Another Python: make demo PYTHON=python3.12

PYTHON = python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install -qq --no-compile -c constraints.txt
# What pip would do on one core. Some packages bring templates or tests that are no Python: that is no error.
COMPILE = $(BIN)/python -m compileall -qq -j 0 "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" || true

.PHONY: demo test check style types types-of-benchmarks walls pages docs bench explore clean

demo: .venv/installed
	$(BIN)/fieldcraft fit digits --budget 60s --out runs/digits

test: .venv/installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile

# Property tests with new random examples: for a look now and then, not for CI.
explore: .venv/installed-dev
	FIELDCRAFT_PROPERTIES=explore $(BIN)/python -m pytest

# Each part is a target of its own, so that `make -j2 check` does two at a time.
CHECKS = style types types-of-benchmarks walls pages
check: $(CHECKS)
$(CHECKS): .venv/installed-dev

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/codespell

types:
	$(BIN)/mypy --strict

types-of-benchmarks:
	MYPYPATH=benchmarks $(BIN)/mypy --config-file benchmarks/mypy.ini --cache-dir .mypy_cache/benchmarks benchmarks

walls:
	$(BIN)/python -m pytest -q tests/test_walls.py

pages:
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

docs: .venv/installed-dev
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir build/site
	@echo "The front page: $(CURDIR)/build/site/index.html"

# Parts of other benchmarks, and those that want to be told what to measure, or a GPU: their first lines say how.
PARTS = fits.py monai_tutorial.py result.py segmentation_arms.py segmentation_scores.py segmentation_sets.py tutorial.py zoo_nets.py
TOLD = families.py gpu.py gpu_throughput.py learning.py mixed_sizes.py network_parts.py transfer.py
bench: .venv/installed-dev
	@for script in $(filter-out $(addprefix benchmarks/,$(PARTS) $(TOLD)),$(wildcard benchmarks/*.py)); do echo "== $$script"; $(BIN)/python $$script || exit 1; done
	@echo "Left out, as they want to be told what to measure or take hours: $(TOLD)"

clean:
	rm -rf .venv build site .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "fieldcraft needs Python 3.11 or newer; name one: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv .venv || \
	  { rm -rf .venv; echo "Python's venv module is missing (Debian and Ubuntu: apt install python3-venv)."; exit 1; }
	@touch $@

.venv/installed: .venv/made pyproject.toml constraints.txt
	@echo "Installing fieldcraft into .venv; the first time this takes some minutes."
	@$(PIP) -e .
	@$(COMPILE)
	@touch $@

.venv/installed-dev: .venv/made pyproject.toml constraints.txt
	@echo "Installing fieldcraft and its tools into .venv; the first time this takes some minutes."
	@$(PIP) -e '.[dev]'
	@$(COMPILE)
	@touch $@ .venv/installed
