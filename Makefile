# Two commands for a fresh machine: `make demo` runs the main job, `make test` every test and check.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check install clean proto

demo: $(VENV)/demo.done
	$(BIN)/cleanroom demo

# Tests of one process run two at a time; rooms of several processes use both cores by themselves.
ROOMS := $(addprefix tests/,benchmarks examples $(addprefix cleanroom/, \
	budget cli flower frames lifecycle room storage tpch transport))

test: $(VENV)/dev.done check
	$(BIN)/python -m pytest -q -n 2 --dist worksteal tests $(addprefix --ignore=,$(ROOMS))
	$(BIN)/python -m pytest -q $(ROOMS)

check: $(VENV)/dev.done
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

install: $(VENV)/demo.done

# Compiles the kernels into the package's cache, which the first query would do otherwise.
KERNELS := from protocols.rep3 import kernels, network_kernels, partition_kernels, shuffle_kernels; from cleanroom.learning import kernels; from cleanroom.learning.trees import kernels, split_kernel

# requirements.lock holds the versions that the tests passed with, on Python 3.11 and Linux.
$(VENV)/demo.done: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[demo]'
	$(BIN)/python -c '$(KERNELS)'
	touch $@

$(VENV)/dev.done: pyproject.toml requirements.lock
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e '.[benchmarks,demo,dev,flower]'
	$(BIN)/python -c '$(KERNELS)'
	touch $@

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
