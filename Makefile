# Everything a person does with this project, one target each. `make` alone lists them.
#
# Set-up runs only what is out of date: the environment depends on requirements.lock, the installed project
# on pyproject.toml, Azurite on lab/package-lock.json.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
export DAGSTER_DISABLE_TELEMETRY := yes
export PIP_DISABLE_PIP_VERSION_CHECK := 1

BIN := .venv/bin
# For `make soak`: the same seed gives the same data, and MINUTES bounds how long it goes on.
SEED := $(or $(SEED),$(shell date +%s))
MINUTES ?= 10

.PHONY: help setup demo demo-once test lint format bench soak bench-condense bench-whole-path lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.project-installed lab/node_modules/.installed-lock ## Create .venv and install all that the lock files pin

demo: setup ## Run the whole product against the local Azure, with the Dagster UI, until Ctrl-C
	$(BIN)/azmdr demo

demo-once: setup ## Run the demo to its end without a person watching, and check what came out
	$(BIN)/azmdr demo --once

test: lint ## Lint, then run every test, on all cores
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

lint: setup ## Check style, types, who imports whom, and that Dagster can load the definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/dagster definitions validate --workspace workspace.yaml

format: setup ## Put the code into the project's format and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Measure what reconciling costs, on a virtual clock (ARGS=--small for a minute of it)
	$(BIN)/python -m bench.control_plane $(ARGS)

soak: setup ## Run the long random tests (SEED=n to repeat a run, MINUTES=n to bound it)
	SOAK_SEED=$(SEED) SOAK_MINUTES=$(MINUTES) $(BIN)/pytest -m soak --hypothesis-seed=$(SEED)

bench-condense: setup ## Measure the condenser beside others (needs the extra bench for all of them)
	$(BIN)/python -m bench.condense --curves

bench-whole-path: setup ## Measure capture files on their whole way, sensor and runs included, in batches and alone
	$(BIN)/python -m bench.whole_path

lock: .venv/.created ## Resolve pyproject.toml anew and write requirements.lock
	scripts/lock.sh

clean: ## Remove the environment, Azurite and every cache
	rm -rf .venv lab/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.created: scripts/create_venv.sh
	scripts/create_venv.sh
	@touch $@

# Wheels only: building one from source would run code and fetch build tools that no lock pins.
.venv/.locked-installed: requirements.lock .venv/.created
	$(BIN)/pip install --no-deps --require-hashes --only-binary :all: -r requirements.lock
	@touch $@

.venv/.project-installed: pyproject.toml .venv/.locked-installed
	$(BIN)/pip install --no-deps --no-build-isolation --no-index --quiet --editable .
	@touch $@

# The lab writes this file last, so it stands for a whole install.
lab/node_modules/.installed-lock: lab/package-lock.json .venv/.project-installed
	$(BIN)/python -m lab install
	@touch $@
