# `make demo` shows the tap at work, `make test` checks a change. Both need only Python and make.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
# uv, asking where pip is told to.
UV     := PYTHONPATH=dev $(BIN)/python -m environments

# What Python compiles is kept, whatever the environment says: programs start in half the time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-lowest test-spark mutants lint types format docs \
    schemas constraints dist image base bench soak audit clean clean-cache

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo ## Read a simulated Twilio (or, with credentials, yours) twice, and look at the data
	@$(BIN)/python -m demo

# In their own order: files of few but slow tests would come last otherwise, with one core idle.
PYTEST := $(BIN)/python -m pytest -q -n auto -p tests.distribution --dist loadfile --no-loadscope-reorder

test: lint types ## Check a change: style, types, tests (ARGS=... for a part, as pytest takes it)
	@echo "== pytest"
	@$(PYTEST) $(or $(ARGS),-m "not door")

test-all: lint types ## All that CI does: make test with coverage, and every tool that the tap works with
	@echo "== pytest, with the doors"
	@$(PYTEST) --cov --cov-report=term $(ARGS)

test-lowest: | $(BIN)/uv ## Run the tests with the oldest dependencies that pyproject.toml allows
	@$(UV) venv --quiet --clear --seed --python $(BIN)/python .cache/lowest
	@$(UV) pip install --quiet --python .cache/lowest --resolution lowest-direct --editable . --group test
	@.cache/lowest/bin/python -m pytest -q -n auto -p tests.distribution --dist loadfile -m "not door" $(ARGS)

setup: $(VENV)/.dev ## Install everything for development into .venv
	@echo "Ready: $(BIN)/tap-twilio --help"

lint: $(VENV)/.dev ## Check style and format
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev ## Check types
	@echo "== mypy"
	@$(BIN)/mypy

test-spark: $(VENV)/.dev ## Run the tests of the Spark data source alone; they need Java 17
	@$(BIN)/python -m pytest -q tests/doors/test_spark.py

mutants: $(VENV)/.mutants ## Change the code in small ways: do the unit tests see it? (ARGS="windows pii" for a part)
	@$(BIN)/python dev/scripts/mutants.py $(ARGS)

format: $(VENV)/.dev ## Put code into its form, and mend what can be mended
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format .

docs: $(VENV)/.docs ## Build the site of docs/ into build/docs; any warning is an error
	@$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -d build/doctrees docs build/docs
	@echo "Open build/docs/index.html in a browser"

schemas: $(VENV)/.dev ## Make schemas/ from the OpenAPI documents in FOLDER=...
	@test -n "$(FOLDER)" || { echo "Say where Twilio's OpenAPI documents are: make schemas FOLDER=..." >&2; exit 2; }
	@$(BIN)/python dev/scripts/update_schemas.py "$(FOLDER)"

constraints: $(VENV)/.dev ## Renew constraints.txt, what everything is tested with, and requirements.txt
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.11 --no-header \
	    --no-annotate --group dev --group docs --group mutants --output-file constraints.txt pyproject.toml
	@$(UV) pip compile --quiet --upgrade --universal --python-version 3.13 --no-header --no-annotate \
	    --generate-hashes --constraints constraints.txt --output-file requirements.txt pyproject.toml
	@echo "Wrote constraints.txt, and with hashes what the image installs: requirements.txt"

dist: | $(BIN)/uv ## Build the package, as sdist and wheel, into dist/
	@rm -rf dist
	@$(UV) build --quiet --out-dir dist

image: dist ## Build the image of source-twilio for Airbyte; needs Docker
	@docker build --tag source-twilio \
	    --build-arg VERSION="$$(ls dist/*.whl | cut -d- -f2)" .

base: ## Pin the image's base to what its tag stands for today; needs Docker
	@base=$$(sed -n 's/^FROM \([^@]*\).*/\1/p' Dockerfile) && \
	    digest=$$(docker buildx imagetools inspect "$$base" --format '{{.Manifest.Digest}}') && \
	    sed -i.old "s|^FROM .*|FROM $$base@$$digest|" Dockerfile && rm Dockerfile.old

bench: $(VENV)/.bench ## Measure throughput and memory, other connectors beside it (30 minutes)
	@$(BIN)/python -m benchmarks
	@$(BIN)/python -m benchmarks.plot

soak: $(VENV)/.dev ## Play random trouble for MINUTES=20 and look for anything lost (SEED=... to repeat)
	@$(BIN)/python -m soak --minutes $(or $(MINUTES),20) $(if $(SEED),--seed $(SEED))

audit: $(VENV)/.dev ## Ask for known weaknesses in the dependencies, where that service can be reached
	@$(BIN)/python dev/scripts/audit.py

clean: ## Remove everything that was made in this folder
	@rm -rf $(VENV) .cache build dist mutants output transform/logs transform/target .coverage* .hypothesis \
	    .meltano .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

clean-cache: ## Remove the environments of other tools, which all clones share
	@rm -rf "$${XDG_CACHE_HOME:-$$HOME/.cache}/tap-twilio"

# One environment; a group is installed when first needed, and again when what it says changes.
$(VENV)/.%: pyproject.toml constraints.txt | $(BIN)/uv
	@echo "Installing the tap and its $* tools into $(VENV)"
	@$(UV) pip install --quiet --python $(BIN)/python -c constraints.txt --editable . --group $*
	@touch $@

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or later is needed: make PYTHON=/path/to/python" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip --disable-pip-version-check -qq install -c constraints.txt uv
