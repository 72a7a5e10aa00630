# Needs Python 3.11+, make and a package registry; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= ../shared/data
# Workers take tests that stand beside each other, which share fixtures, and help each other out at the end.
PYTEST := $(BIN)/python -m pytest -n auto --dist worksteal

.PHONY: demo test check soak replay docs lock bench bench-org bench-scale clean

demo: $(READY)
	$(BIN)/okrsync demo --dir .demo

test: $(READY)
	$(PYTEST)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/check_sizes.py

soak: $(READY)
	$(PYTEST) -m "soak or property" --hypothesis-profile long

# A process that a test starts need not compile everything anew, nor one that is measured: an installed one does not.
test soak bench bench-org bench-scale: export PYTHONDONTWRITEBYTECODE :=

docs: $(READY)
	$(BIN)/python docs/generate.py

replay: $(READY)
	$(BIN)/python bench/replay.py $(DATA)

bench: $(READY)
	$(BIN)/python bench/run.py

bench-scale: $(READY)
	$(BIN)/python bench/scale.py

bench-org: $(READY)
	$(BIN)/python bench/organisation.py

lock: $(READY)
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	  --no-emit-index-url --upgrade -q pyproject.toml --group dev -o requirements.lock

$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .demo .replay
