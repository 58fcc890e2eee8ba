# `make sweep` and `make test` set up everything they need in .venv, once.
PYTHON ?= python3
SWEEP ?= reduction_ratio
VENV := .venv
# What is imported is compiled then: of Ray, MLflow and torch most never is.
INSTALL := $(VENV)/bin/python -m pip install --no-compile --quiet --disable-pip-version-check -c constraints.txt
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: sweep test test-all bench lint clean

sweep: $(VENV)/installed
	@$(VENV)/bin/senet-lab sweep $(SWEEP)

test: $(VENV)/installed-dev
	@$(PYTEST) -m 'not long'

# Clusters that go away, disks that fill, dozens of kills, most of Ray: three times as long.
test-all: $(VENV)/installed-dev
	@$(PYTEST)

# BENCH: options, e.g. make bench BENCH="--only networks,se --rounds 9"
bench: $(VENV)/installed
	@$(VENV)/bin/python -m benchmarks.run $(BENCH)

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

$(VENV)/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "senet-lab needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@test -x $(VENV)/bin/python || { echo "Creating $(VENV) ..."; $(PYTHON) -m venv $(VENV); }
	@echo "Installing senet-lab and what it needs (once; a few minutes) ..."
	@$(INSTALL) -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing the test tools (once) ..."
	@$(INSTALL) -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV)
