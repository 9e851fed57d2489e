# Each target sets up all that it needs: git, make and Python 3.11 or newer with venv are enough.
# The targets about the stack need Debian and Go 1.25 or newer too, to make the collector once a machine.
# ARGS goes through to the command: make test ARGS='-k recorder -x', make demo ARGS='--plain'.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
RUN := .venv/bin/python
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check --no-input
SOURCES := otel_stream instrumentation stack dashboards tests benchmarks examples
LOCK := $(RUN) -m uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras \
	--generate-hashes --no-annotate --no-emit-package otel-stream --quiet \
	--custom-compile-command 'make lock'

export UV_PYTHON_DOWNLOADS := never

.DEFAULT_GOAL := help
.PHONY: help setup demo collector stack demo-stack test test-stack check format fuzz bench bench-stack dashboards docs wheel lock clean

help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1 \2/p' $(MAKEFILE_LIST) | awk '{ printf "%s %-11s", $$1, $$2; $$1 = $$2 = ""; print }'

setup: .venv/ready ## Make the development environment (.venv)

demo: .venv/ready ## Run the main job against a local server and draw it
	@$(RUN) examples/demo.py $(ARGS)

collector: .venv/ready ## Find or make the collector and its back ends, once a machine
	@$(RUN) -m stack get

stack: .venv/ready ## Run a collector with Jaeger, Prometheus and InfluxDB until Ctrl-C
	@$(RUN) -m stack run $(ARGS)

demo-stack: .venv/ready ## Send the demo through such a stack and show what arrived where
	@$(RUN) -m stack demo $(ARGS)

test: .venv/ready ## Run the tests
	$(RUN) -m pytest $(ARGS)

test-stack: .venv/ready ## Run the long tests of the stack
	$(RUN) -m pytest -m slow_stack $(ARGS)

check: .venv/ready ## Lint, format check, types, docstrings of tests
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) -m basedpyright
	$(RUN) -m interrogate --config pyproject.toml --quiet tests

format: .venv/ready ## Format the code and mend what ruff can mend
	$(RUN) -m ruff check --fix .
	$(RUN) -m ruff format .

fuzz: .venv/ready ## Put at least a million mutated events through the recorder
	$(RUN) -m tests.fuzz $(ARGS)

bench: .venv/ready ## Measure our cost beside others' and write docs/performance.md
	$(RUN) benchmarks/run.py $(ARGS)

bench-stack: .venv/ready ## Measure what the collectors sustain and write docs/fleet.md
	@$(RUN) -m stack.measured.capacity

dashboards: .venv/ready ## Write Grafana's dashboards and Prometheus's rules into collector-config/
	$(RUN) -m dashboards $(ARGS)

docs: .venv-docs/ready ## Build the documentation into site/
	.venv-docs/bin/python -m zensical build --clean

wheel: .venv/ready ## Build the wheel into dist/
	rm -rf dist
	$(RUN) -m hatchling build --target wheel

lock: .venv/ready ## Renew the lock files
	$(LOCK) --upgrade --group dev --output-file requirements-dev.lock
	$(LOCK) --upgrade --group test --resolution lowest-direct --output-file requirements-oldest.lock
	$(RUN) -m uv pip compile docs/requirements.in --upgrade --universal --python-version 3.11 \
		--generate-hashes --no-annotate --quiet --custom-compile-command 'make lock' \
		--output-file docs/requirements.lock

clean: ## Remove what the targets made
	rm -rf .venv .venv-docs build dist site .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(wildcard $(SOURCES)) -name __pycache__ -prune -exec rm -rf {} +

.venv/ready: requirements-dev.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Setting up .venv with the libraries of requirements-dev.lock: once, about a minute.'
	@$(PYTHON) -m venv --clear .venv
	@$(RUN) $(PIP_INSTALL) --require-hashes -r requirements-dev.lock
	@$(RUN) $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-docs/ready: docs/requirements.lock
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv-docs
	.venv-docs/bin/python $(PIP_INSTALL) --require-hashes -r docs/requirements.lock
	@touch $@
