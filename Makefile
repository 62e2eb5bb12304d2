# `make up` and `make test` prepare all they need: the virtual environment here, the toolchain in a per-user cache.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
STACK ?= staging
BIN := .venv/bin

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Another environment: make up STACK=prod. More: $(BIN)/mainstay --help"

.PHONY: up
up: .venv/ready ## deploy staging to the embedded cluster (builds what is missing)
	@$(BIN)/mainstay up $(STACK)

.PHONY: preview
preview: .venv/ready ## show what `make up` would change
	@$(BIN)/mainstay preview $(STACK)

.PHONY: render
render: .venv/ready ## print the manifests of staging; needs no cluster
	@$(BIN)/mainstay render $(STACK)

.PHONY: down
down: .venv/ready ## remove the embedded cluster and everything deployed to it
	@$(BIN)/mainstay cluster stop --delete

.PHONY: test
test: .venv/ready ## all tests: unit, policies, engine on an embedded cluster
	@$(BIN)/mainstay cluster prepare
	@$(BIN)/pytest

.PHONY: test-data
test-data: .venv/ready ## slow tests with the real Keycloak, promtool, amtool and the example product (minutes)
	@tests/data/packages.sh
	@# Some clocks run sixty times faster there: no more at once than there are cores.
	@$(BIN)/pytest --numprocesses=2 --durations=15 tests/data tests/slo

.PHONY: bench
bench: .venv/ready ## measure and rewrite docs/performance.md
	@$(BIN)/python -m tests.bench

.PHONY: lint
lint: .venv/ready ## ruff and pyright (strict)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/basedpyright

.PHONY: lock
lock: .venv/ready ## renew requirements.lock after a change in pyproject.toml
	@$(BIN)/pip install --quiet pip-tools
	@$(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --extra dev --strip-extras --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file requirements.lock pyproject.toml

# Built beside and moved into place last, so that an interrupted run leaves no half environment called ready.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is $$($(PYTHON) -V 2>&1); Mainstay needs Python 3.11 or newer (make PYTHON=python3.12 …)." >&2; exit 1; }
	@start=$$SECONDS; trap 'kill $$ticker 2>/dev/null' EXIT; \
	  (while sleep 5; do echo "  preparing .venv: $$((SECONDS - start)) s (about 60 s the first time)"; done) & ticker=$$!; \
	  echo "preparing .venv (Python packages, pinned by hash)"; \
	  $(PYTHON) -m venv --clear .venv; \
	  $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock; \
	  $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .; \
	  touch .venv/ready; echo "prepared .venv in $$((SECONDS - start)) s"
