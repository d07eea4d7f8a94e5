# PaperDesk: `make run` sets everything up and runs a first session; `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run test lint adapter bench

help: ## show this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

setup: ## make $(VENV) with all that a session needs
	@PYTHON="$(PYTHON)" VENV="$(VENV)" .make/setup.sh run

setup-dev: ## the same with the tools for tests and lint
	@PYTHON="$(PYTHON)" VENV="$(VENV)" .make/setup.sh dev

run: setup ## run a session: `make run ARGS="--help"` shows the options
	@$(VENV)/bin/paperdesk run $(ARGS)

test: setup-dev ## run all tests: `make test ARGS="-m 'not slow'"` leaves out the slow ones
	@$(VENV)/bin/python -m pytest -q $(ARGS)

lint: setup-dev ## ruff, mypy --strict, the rooms' import rules
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy -p paperdesk
	@$(VENV)/bin/mypy tests
	@$(VENV)/bin/lint-imports --no-logo

adapter: setup-dev ## train the shipped adapter again (about an hour on two cores; goes on where it was stopped)
	@$(VENV)/bin/paperdesk train desk --out build/adapter $(ARGS)
	@mkdir -p agents/models/shipped
	@cd build/adapter && cp adapter.gguf card.json exercises.json.gz ../../agents/models/shipped/

bench: setup-dev ## run the benchmarks
	@$(VENV)/bin/python -m benchmarks $(ARGS)
