# vUpdate. `make` alone says what there is; everything sets up what it needs, inside the checkout.

.DEFAULT_GOAL := help
.PHONY: help setup demo test check unit e2e ui-test format lock bench clean

SHELL := /bin/bash
MAKEFLAGS += --no-print-directory
export PYTHON

PY := .venv/bin/python
# A test that hangs ends the run, with the stack of each thread.
PYTEST := $(PY) -m pytest -o faulthandler_timeout=300 -o faulthandler_exit_on_timeout=true
FAST := tests/unit tests/contracts tests/attacks

help: ## this list
	@echo "make demo [ARGS=--exit]   a chain of three nodes: build, share, install, update, fail, put back"
	@echo "make test                 all gates and tests that this machine can run"
	@echo
	@echo "make setup                .venv with what the gates and tests need"
	@echo "make check                formatting, lint, types, import arrows, the web page's own checks"
	@echo "make unit [ARGS=...]      the tests that start no processes of ours (ARGS go to pytest)"
	@echo "make e2e  [ARGS=...]      the tests that do"
	@echo "make format               put the sources into their one format"
	@echo "make lock [ARGS=--upgrade]  pin the dependencies anew"
	@echo "make bench                tables of what is measured"
	@echo "make clean                remove all that make made"

setup:
	@scripts/setup --dev

demo:
	@scripts/setup
	@.venv/bin/vupdate demo $(ARGS)

test:
	@scripts/setup --test
	@$(MAKE) gates
	@$(MAKE) page
	@$(PYTEST) $(FAST) tests/e2e $(ARGS)

check: setup gates

unit: setup
	@$(PYTEST) $(FAST) $(ARGS)

e2e: setup
	@$(PYTEST) tests/e2e $(ARGS)

# All gates, also after one has failed.
.PHONY: gates page gate-format gate-lint gate-types gate-imports gate-page
gates:
	@$(MAKE) --keep-going gate-format gate-lint gate-types gate-imports gate-page

gate-format:
	@echo "== format"
	@.venv/bin/ruff format --check --quiet . || { echo "make format puts it right"; exit 1; }

gate-lint:
	@echo "== lint"
	@.venv/bin/ruff check --quiet .

gate-types:
	@echo "== types"
	@$(PY) -m mypy
	@$(PY) -m mypy hatch_build.py

gate-imports:
	@echo "== imports"
	@.venv/bin/lint-imports --no-logo

gate-page:
	@if [ -d ui/node_modules ]; then echo "== web page"; scripts/npm --prefix ui run --silent check; fi

page:
	@if [ -d ui/node_modules ]; then echo "== web page's tests"; scripts/npm --prefix ui run --silent test; fi

format: setup
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

lock:
	@scripts/setup --dev
	@scripts/lock $(ARGS)

bench: setup
	@$(PY) -m tests.bench $(ARGS)

clean:
	rm -rf .venv .cache .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache ui/dist ui/node_modules dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
