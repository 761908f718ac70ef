# The two commands of Kindred are `make demo` and `make test`. `make help` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
# The first of these that is Python 3.11 or 3.12 makes the virtual environment.
PYTHONS := $(PYTHON) python3.11 python3.12 python3 python
PEOPLE ?= 2000
COMPANIES ?= 200
SAMPLE := sample
PYTEST_ARGS := -n 2 --dist loadfile --no-loadscope-reorder
SQL := models tests/streams analyses

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Modules are compiled when they are first imported: most of what is installed never is.
export PIP_NO_COMPILE := 1
# The project is this one, whatever the caller has set.
unexport KINDRED_PROJECT_DIR DBT_PROFILES_DIR DBT_PROJECT_DIR DBT_TARGET_PATH DBT_LOG_PATH PYTHONPATH PYTHONHOME

.PHONY: help
help: ## List what can be made
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' \
		| while IFS=$$'\t' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

.PHONY: demo
demo: $(VENV)/.runtime profiles.yml .kindred/privacy.key ## Ten made-up systems in, unified profiles out, in two minutes
	@$(BIN)/kindred sample --people $(PEOPLE) --companies $(COMPANIES) --out $(SAMPLE)
	@$(BIN)/kindred load $(SAMPLE)
	@$(BIN)/kindred build --as-of "$$($(BIN)/python -c \
		'import json, sys; print(json.load(open(sys.argv[1]))["as_of"])' $(SAMPLE)/sample.json)"

.PHONY: test
test: lint ## Lint everything, then run every test but the slow ones
	@$(BIN)/python -m pytest -m "not slow" $(PYTEST_ARGS)

.PHONY: test-all
test-all: lint ## The same with the slow tests: large samples, soak runs
	@$(BIN)/python -m pytest -m "slow or not slow" $(PYTEST_ARGS)

.PHONY: faults
faults: $(VENV)/.dev ## Try every fault and write docs/faults.md; ENGINE=postgres or duckdb tries one
	@KINDRED_WRITE_FAULTS=1 $(BIN)/python -m pytest -m "slow or not slow" $(PYTEST_ARGS) \
		$(if $(ENGINE),tests/python/test_faults_$(ENGINE).py,tests/python/test_faults_duckdb.py tests/python/test_faults_postgres.py)

.PHONY: lint
lint: $(VENV)/.dev ## Lint Python, types and SQL; the tests lint the dbt project itself
	@$(BIN)/ruff check --quiet python tests models bench docs
	@$(BIN)/ruff format --check --quiet python tests bench docs
	@$(BIN)/mypy
	@PYTHONWARNINGS=ignore $(BIN)/sqlfluff lint --processes 2 --disable-progress-bar $(SQL)

.PHONY: clean
clean: ## Remove what runs made: databases, reports, the sample; settings and the key stay
	@rm -rf target logs published reports $(SAMPLE) .pytest_cache .mypy_cache .ruff_cache build
	@rm -rf .tmp ./*.duckdb.tmp
	@rm -f kindred_build.duckdb kindred_build.duckdb.wal ./*.run-lock ./*.run-journal ./*.lock.json .user.yml
	@find python tests models -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: clean-all
clean-all: clean ## The same and the virtual environment
	@rm -rf $(VENV)

profiles.yml:
	@cp profiles.example.yml profiles.yml

# The key that suppressed people are recognised by. Losing it means losing the suppressions, so
# nothing here ever removes or replaces it.
.kindred/privacy.key:
	@mkdir -p .kindred && chmod 700 .kindred
	@umask 077 && $(BIN)/python -c 'import secrets; print(secrets.token_hex(32))' > $@

$(BIN)/python:
	@for python in $(PYTHONS); do \
		if command -v "$$python" > /dev/null && "$$python" -c \
			'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' 2> /dev/null; then \
			echo "Making $(VENV) with $$("$$python" --version)"; \
			"$$python" -m venv $(VENV) && exit 0; \
			rm -rf $(VENV); \
			echo "$$python cannot make a virtual environment: install its venv module (Debian: python3-venv)." >&2; \
			exit 2; \
		fi; \
	done; \
	echo "Kindred needs Python 3.11 or 3.12, and neither is on the PATH." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2; \
	exit 2

$(VENV)/.runtime: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what Kindred needs to run"
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing what developing Kindred needs"
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --quiet --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.runtime $@
