VENV ?= .venv-test
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help venv check format lint types imports test picture readme constraints

help: ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: ## a virtual environment with everything, at the pinned versions
	python3 -m venv $(VENV) && $(BIN)/pip install -q -c constraints.txt -e '.[dev]'

check: lint types imports test ## everything that CI checks, in the present environment

format: ## put the code into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: ## formatting and lint
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: ## mypy --strict
	$(BIN)/mypy

imports: ## who may import whom
	$(BIN)/lint-imports

test: ## all tests
	$(BIN)/python -m pytest

picture: ## docs/screen.svg again, from a run: make picture RUN=nanda113-1
	$(BIN)/python scripts/picture.py $(RUN)

readme: ## keys and subcommands into README.md, from the code
	$(BIN)/python scripts/readme.py

constraints: ## constraints.txt again, from a fresh environment with the newest versions
	scripts/constraints
