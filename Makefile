# deadband: `make help` lists what can be asked for.

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench torture clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SEEDS ?= 10000
FROM ?= 1
KILLS ?= 100

help:  ## Show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 16

setup: $(STAMP)  ## Create .venv and install deadband with its tools; does nothing when up to date

$(STAMP): pyproject.toml hatch_build.py $(wildcard kernel/*)
	@python=; \
	for each in python3.13 python3.12 python3.11 python3; do \
	    if $$each -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        python=$$each; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "deadband needs Python 3.11 or newer, and none of python3.13, python3.12, python3.11," >&2; \
	    echo "python3 on PATH is. Install one, then run make setup again." >&2; \
	    exit 1; \
	fi; \
	test -x $(BIN)/python || $$python -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev]'
	@touch $@

run: setup  ## Run the embedded backtest
	$(BIN)/deadband run

test: setup  ## Run all tests on two processes
	$(BIN)/python -m pytest -n 2

check: setup  ## Check format, lint, types, import contracts and generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/make_docs.py --check
	$(BIN)/python tools/make_session_table.py --check

bench: setup  ## Measure speed; results go to benchmarks/results
	$(BIN)/python benchmarks/run_all.py

torture: setup  ## Break everything at random: SEEDS=10000 FROM=1 KILLS=100
	$(BIN)/python -m benchmarks.torture --seeds $(SEEDS) --from $(FROM) --kills $(KILLS)

clean:  ## Remove .venv, the compiled kernel and every cache
	rm -rf $(VENV) build dist htmlcov .coverage .hypothesis .import_linter_cache .mypy_cache \
	    .pytest_cache .ruff_cache src/deadband/optimize/_kernel*.so src/deadband/optimize/_kernel*.pyd
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
