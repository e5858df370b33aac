# Two commands do everything on a fresh machine: `make gameday` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
# As many days as fit into the time, at most 1,000: from some 30 on, their spread is worth reading.
REPLICATIONS ?= 1000
WITHIN ?= 45s
# LIVE=0 leaves out the live day on the lab, and what has to be installed for it.
LIVE ?= 1

.PHONY: gameday test lint types layers unit check bench docs lock clean

gameday: $(VENV)/$(if $(filter 0,$(LIVE)),.run,.lab)   ## environment, the flagship day simulated, its report; a live day on the lab
	$(BIN)/gameday warmup
	$(BIN)/gameday run scenarios/region-loss.yaml --replications $(REPLICATIONS) --within $(WITHIN) --jobs $(JOBS) || test $$? -eq 1
	$(if $(filter 0,$(LIVE)),@echo "LIVE=0: no live day was played",sh scripts/live-day.sh $(BIN))

test: $(VENV)/.dev lint types layers unit   ## environment, everything the tests need, all checks and tests

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

layers: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(BIN)/gameday warmup
	$(BIN)/pytest -n $(JOBS) --dist loadfile -q

check: $(VENV)/.run              ## the shipped game days against their reviewed baselines, quick
	$(BIN)/gameday check scenarios --jobs $(JOBS)

bench: $(VENV)/.dev              ## speed, as ratios measured in one run
	$(BIN)/python -m benchmarks

docs: $(VENV)/.dev               ## regenerate the generated pages of docs/reference and the schema
	$(BIN)/python -m gameday.reference docs/reference

lock:                            ## write what everybody installs: the newest versions, tested by the next `make test`
	rm -rf build/lock && mkdir -p build
	PYTHON=$(PYTHON) CONSTRAINTS=/dev/null sh scripts/environment.sh build/lock "[dev]"
	build/lock/bin/python -m pip freeze --exclude-editable > build/constraints.txt
	mv build/constraints.txt constraints.txt

$(VENV)/.run: pyproject.toml constraints.txt scripts/environment.sh
	PYTHON=$(PYTHON) sh scripts/environment.sh $(VENV) ""
	touch $@

$(VENV)/.lab: pyproject.toml constraints.txt scripts/environment.sh
	PYTHON=$(PYTHON) sh scripts/environment.sh $(VENV) "[lab]"
	touch $@ $(VENV)/.run

$(VENV)/.dev: pyproject.toml constraints.txt scripts/environment.sh scripts/system-packages.sh
	sh scripts/system-packages.sh
	PYTHON=$(PYTHON) sh scripts/environment.sh $(VENV) "[dev]"
	touch $@ $(VENV)/.run $(VENV)/.lab

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
