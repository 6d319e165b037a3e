# Two commands for a newcomer: `make demo` and `make test`. Everything they need they install into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
PEERS := $(VENV)/.peers-installed
HLEDGER := $(VENV)/.hledger-tried
FUZZ_INPUTS ?= 1000000

.DEFAULT_GOAL := help
.PHONY: help demo test lint types imports unit lock audit bench peers fuzz kill clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "centralpay needs Python 3.11 or newer; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(RUNTIME): $(BIN)/python requirements/runtime.lock pyproject.toml
	@echo "installing pinned dependencies into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/runtime.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.lock requirements/judges.lock
	@echo "installing pinned development tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/dev.lock
	@# Others' readers and sample files; kept apart, because one of the wheels brings a top-level folder named tests.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target $(VENV)/judges -r requirements/judges.lock
	@touch $@

$(HLEDGER): $(BIN)/python
	@# It computes our exported books anew, in tests. No Python package has it: Debian's is unpacked here, not installed, and
	@# where there is no apt those tests are skipped and say so.
	@mkdir -p $(VENV)/hledger
	@cd $(VENV)/hledger && { apt-get download hledger || { apt-get update && apt-get download hledger; }; } >/dev/null 2>&1; \
		dpkg -x hledger_*.deb . >/dev/null 2>&1; rm -f hledger_*.deb; \
		./usr/bin/hledger --version >/dev/null 2>&1 || { rm -rf ./usr; echo "no hledger here: its tests are skipped"; }
	@touch $@

$(PEERS): $(BIN)/python requirements/peers.lock
	@echo "installing other readers and writers of these formats, to measure beside ours, into $(VENV)/peers (once)"
	@$(BIN)/python -m venv --clear $(VENV)/peers
	@$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/peers.lock
	@touch $@

demo: $(RUNTIME) ## a whole payment day on generated files, ends with the proofs
	@$(BIN)/centralpay demo

test: $(DEV) lint types imports unit ## lint, types, import rules and all tests

lint: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(DEV)
	@$(BIN)/mypy

imports: $(DEV)
	@$(BIN)/lint-imports

unit: $(DEV) $(HLEDGER)
	@# Each worker begins with its half in order, and who is done takes from the end of the other's.
	@$(BIN)/pytest -n auto --dist worksteal

lock: $(DEV) ## resolve the lock files anew from pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header requirements/build.in pyproject.toml -o requirements/runtime.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --extra dev requirements/build.in pyproject.toml -o requirements/dev.lock
	@$(BIN)/uv pip compile --quiet --no-deps --generate-hashes --python-version 3.11 --no-header requirements/judges.in -o requirements/judges.lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header requirements/peers.in -o requirements/peers.lock

audit: $(DEV) ## known vulnerabilities in what we pin
	@$(BIN)/pip-audit --require-hashes --disable-pip -r requirements/dev.lock

fuzz: $(DEV) ## a million damaged 835s, then ledger and payouts beside their models, long; more than an hour
	@$(BIN)/python -m tests.fuzz --inputs $(FUZZ_INPUTS)
	@CENTRALPAY_LONG=1 $(BIN)/pytest tests/property/test_ledger_machine.py tests/property/test_payout_machine.py tests/integration/test_payout_races.py

kill: $(DEV) ## kill ingest, release, settlement and returns at 50 random moments each; half an hour
	@CENTRALPAY_LONG=1 $(BIN)/pytest -n auto tests/crash

peers: $(PEERS) ## install others' readers and writers, for the bench only

bench: $(DEV) $(PEERS) ## measure against the budgets; prints tables
	@$(BIN)/python -m bench

clean: ## remove the environment and the demonstration; books in var stay
	@# var is the home of real books, too, where nothing else was said: database, received files, keys.
	rm -rf $(VENV) var/demo .mypy_cache .ruff_cache .pytest_cache .hypothesis
