# Everything is kept in this folder, but for the engine, which is built once into the user's cache.
.DEFAULT_GOAL := help
SHELL := /bin/sh

PYTHON ?= python3
PY := .venv/bin/python
STACK := dev
AZURE_CLI := 2.91.0
ATHERIS := 3.0.0
FUZZ_SECONDS ?= 60

# End-to-end tests of what goes wrong.
TORTURED := demanded_tokens killed_deployments planted_state processes runner runner_kills \
  runner_options runner_shards

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PULUMI_HOME := $(CURDIR)/.pulumi-home
export PULUMI_BACKEND_URL := file://$(CURDIR)/.pulumi-state
export PULUMI_CONFIG_PASSPHRASE ?= example
export PULUMI_SKIP_UPDATE_CHECK := true
export PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION := true

# Runs what follows with the engine on the PATH.
WITH_ENGINE = engine=$$($(PY) tools/engine/engine.py) && PATH="$$engine:$$PATH"

.PHONY: help
help: ## Say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

.PHONY: up
up: stack ## Declare the example estate's partners of record, and show them
	@$(WITH_ENGINE) pulumi up --yes --stack $(STACK) --non-interactive --suppress-progress
	@echo; dpor registry show

.PHONY: preview
preview: stack ## Show what `make up` would change, and what has drifted
	@$(WITH_ENGINE) pulumi preview --diff --stack $(STACK) --non-interactive

.PHONY: down
down: stack ## Withdraw what `make up` designated
	@$(WITH_ENGINE) pulumi destroy --yes --stack $(STACK) --non-interactive --suppress-progress

.PHONY: test
test: lint ## Run the linters and all tests
	@$(WITH_ENGINE) DPOR_ENGINE="$$engine" $(PY) -m pytest -n auto --dist worksteal

.PHONY: torture
torture: .venv/installed ## Kill, race and break things on every registry, and say what was survived (two hours)
	@$(WITH_ENGINE) DPOR_ENGINE="$$engine" DPOR_TEST_ALL=1 DPOR_TEST_KILLS=500 \
	  $(PY) -m pytest -v -n auto --dist worksteal tests/faults $(TORTURED:%=tests/e2e/test_%.py) \
	  tests/registry tests/hostile tests/platforms tests/provenance tests/state \
	  tests/declaration/test_declaration_properties.py

.PHONY: test-backends
test-backends: .venv/installed ## Run the other end-to-end tests on every registry and platform (two hours)
	@$(WITH_ENGINE) DPOR_ENGINE="$$engine" DPOR_TEST_ALL=1 \
	  $(PY) -m pytest -v -n auto --dist worksteal tests/e2e $(TORTURED:%=--ignore=tests/e2e/test_%.py)

.PHONY: fuzz
fuzz: .venv/installed .fuzz/atheris-$(ATHERIS) ## Feed what reads untrusted bytes with what coverage guides, for FUZZ_SECONDS each
	@for target in declaration state table token claims config baseline; do \
	  PYTHONPATH=.fuzz/atheris-$(ATHERIS) $(PY) tools/fuzz/fuzz.py $$target $(FUZZ_SECONDS) || exit 1; \
	done

.PHONY: test-az
test-az: .venv/installed .venv.az/$(AZURE_CLI) ## Run the Azure CLI against the Azure stand-in (700 MB, once)
	@DPOR_AZ="$(CURDIR)/.venv.az/bin/az" $(PY) -m pytest tests/azure_stand_in/check_az.py

.PHONY: lint
lint: .venv/installed ## Check style, types and layers
	ruff check .
	ruff format --check .
	mypy
	lint-imports

.PHONY: clean
clean: ## Remove all that was made in this folder, the example's registry too
	rm -rf .venv .venv.az .venv.bench benchmarks/.results .fuzz .dpor .pulumi-state .pulumi-home Pulumi.dev.yaml .mypy_cache .ruff_cache .pytest_cache \
	  .hypothesis .import_linter_cache

.PHONY: bench
bench: .venv/installed .venv.bench/installed ## Measure everything beside what else there is (an hour and a half), and write benchmarks/results.md
	@$(PY) benchmarks/check.py
	@$(PY) benchmarks/engine.py
	@$(PY) benchmarks/growth.py
	@$(PY) benchmarks/cpu.py
	@$(PY) benchmarks/costs.py
	@$(PY) benchmarks/pack.py
	@.venv.bench/bin/python benchmarks/report.py

.PHONY: sbom
sbom: .venv/installed ## List the locked packages with their hashes in sbom.cdx.json (CycloneDX)
	@cyclonedx-py requirements requirements.lock --pyproject pyproject.toml --mc-type library \
	  --output-reproducible --output-file sbom.cdx.json

.PHONY: docs
docs: .venv/installed ## Write what is made from the rules and the schema
	@$(PY) tools/compile_schema.py
	@$(PY) tools/rule_pages.py

.PHONY: lock
lock: ## Bring requirements.lock up to pyproject.toml (needs uv)
	uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --extra dev \
	  --extra azure --custom-compile-command "make lock" pyproject.toml --output-file requirements.lock

.PHONY: stack
stack: .venv/installed .dpor/registry.db
	@mkdir -p .pulumi-state
	@$(WITH_ENGINE) pulumi stack select --create $(STACK) --non-interactive

.dpor/registry.db: | .venv/installed
	@examples/embedded/seed $@

.venv.bench/installed: benchmarks/requirements.txt
	@$(PYTHON) -m venv --clear .venv.bench
	@.venv.bench/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv.az/$(AZURE_CLI):
	@$(PYTHON) -m venv --clear .venv.az
	@.venv.az/bin/python -m pip install --quiet --disable-pip-version-check azure-cli==$(AZURE_CLI)
	@touch $@

.fuzz/atheris-$(ATHERIS):
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --target $@ atheris==$(ATHERIS)

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 …")'
	@echo "Installing the locked packages into .venv" >&2
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
