# The verbs of the project, the same for people and for continuous integration.
# `make` alone lists them. Needs: make, and Python 3.11 or newer with its venv module (or uv).

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo demo-images test lint types bench docs clean test-cluster test-cluster-short test-spark test-prism test-airflow test-dagster test-dataflow test-stores test-image test-deploy test-cost soak

VENV := .venv
BIN := $(VENV)/bin
PACKAGES := pipelines splitting validation

# The first interpreter on the PATH that is new enough; `make PYTHON=/path/to/python3.12 demo` overrides it.
CANDIDATES := python3.11 python3.12 python3.13 python3.14 python3 python
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach p,$(CANDIDATES),$(shell $(p) -c '$(NEW_ENOUGH)' >/dev/null 2>&1 && echo $(p))))
UV := $(shell command -v uv 2>/dev/null)

# Worker processes for the tests, and the rows and repeats of the benchmark.
JOBS ?= $(shell expr 1 + $$(getconf _NPROCESSORS_ONLN))
ROWS ?= 8.5M,50M
REPEATS ?= 3
SOAK ?= 50

ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

help:  ## List the verbs (the default)
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.stamp-demo  ## Install, then split 336,776 real flights: LaGuardia is the target
	$(BIN)/python examples/flights/prepare.py
	$(BIN)/targetsplit run examples/flights/flights.yaml -o runs/flights --overwrite
	@echo
	@echo "The run lies in runs/flights; see its tables again with: $(BIN)/targetsplit show runs/flights"

demo-images: $(VENV)/.stamp-demo-images  ## Install, then split 2,200 photos from web and app without near-duplicates
	$(BIN)/python examples/images/prepare.py
	$(BIN)/targetsplit run examples/images/images.yaml -o runs/images --overwrite
	@echo
	@echo "The run lies in runs/images; its report: $(BIN)/targetsplit report runs/images --open"

test: lint types  ## Everything that must pass: lint, types, import contracts, doctests, tests
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --doctest-modules $(PACKAGES) tests

lint: $(VENV)/.stamp-dev  ## Ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.stamp-dev  ## Mypy, strict
	$(BIN)/mypy

docs: $(VENV)/.stamp-dev  ## Run the examples that stand in docstrings and in docs/
	$(BIN)/python -m pytest -q --doctest-modules $(PACKAGES) $(wildcard tests/docs tests/test_docs*.py)

# Each installs what it needs into build/clusters, once, starts it where nobody else can reach it, and stops it.
CLUSTER := $(BIN)/python -m tests.cluster
test-cluster: $(VENV)/.stamp-dev  ## A real Flink cluster that loses task managers and workers: the same bytes
	$(CLUSTER) flink

test-cluster-short: $(VENV)/.stamp-dev  ## The founding case on Flink, a killed task manager, a killed launcher
	TARGETSPLIT_CLUSTER_SHORT=1 $(CLUSTER) flink

soak: $(VENV)/.stamp-dev  ## The demo on Flink again and again, with kills at random: SOAK=50 runs
	TARGETSPLIT_SOAK=$(SOAK) $(CLUSTER) soak

test-spark: $(VENV)/.stamp-dev  ## A standalone Spark cluster: the same bytes
	$(CLUSTER) spark

test-prism: $(VENV)/.stamp-dev  ## Beam's Prism runner: the same bytes
	$(CLUSTER) prism

test-airflow: $(VENV)/.stamp-dev  ## The Airflow DAG, run by Airflow
	$(CLUSTER) airflow

test-dagster: $(VENV)/.stamp-dev  ## The Dagster jobs, run by Dagster
	$(CLUSTER) dagster

test-dataflow: $(VENV)/.stamp-dev  ## The jobs, as Beam would hand them to Dataflow: built, not submitted
	$(CLUSTER) dataflow

test-stores: $(VENV)/.stamp-dev  ## Runs on servers that speak Google's and Azure's storage: the same bytes
	$(CLUSTER) stores

test-image: $(VENV)/.stamp-dev  ## The Dockerfile's steps in a bare Debian; a job on the worker pool of what comes out
	$(CLUSTER) image

test-cost: $(VENV)/.stamp-dev  ## What a run costs, in seconds of processors: embedded, and on Flink
	$(CLUSTER) cost

test-deploy: $(VENV)/.stamp-dev  ## Manifests against schemas, the Dockerfile's linter, the lock in an empty environment
	$(CLUSTER) deploy

bench: $(VENV)/.stamp-bench  ## Measure against plain scripts, 20 minutes: ROWS=8.5M,50M REPEATS=3
	$(BIN)/python benchmarks/run.py --rows $(ROWS) --repeats $(REPEATS)

clean:  ## Remove what was made here: .venv, caches, runs, the demo's and the benchmark's data
	rm -rf $(VENV) build dist runs examples/flights/data examples/images/data benchmarks/data benchmarks/out
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# The environment. Each stamp is newer than what it was made from, so that nothing is installed twice.
$(BIN)/python:
ifdef UV
	rm -rf $(VENV)
	$(UV) venv --quiet --python "$(or $(PYTHON),>=3.11)" $(VENV)
else
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found: install one, or uv, or say make PYTHON=..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { echo "$(PYTHON) has no venv module: install it (Debian: python3-venv)"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
endif

$(VENV)/.stamp-demo: pyproject.toml examples/flights/requirements.txt | $(BIN)/python
	$(INSTALL) --editable . --requirement examples/flights/requirements.txt
	@touch $@

$(VENV)/.stamp-demo-images: pyproject.toml examples/images/requirements.txt | $(BIN)/python
	$(INSTALL) --editable '.[images]' --requirement examples/images/requirements.txt
	@touch $@

$(VENV)/.stamp-dev: pyproject.toml | $(BIN)/python
	$(INSTALL) --editable . --group dev
	@touch $@

$(VENV)/.stamp-bench: pyproject.toml | $(BIN)/python
	$(INSTALL) --editable '.[bench]'
	@touch $@
