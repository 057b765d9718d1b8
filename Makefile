# Two commands matter to a newcomer: `make run` and `make test`. Needs Python 3.11 or newer with pip, and make.
PYTHON ?= python3
BIN := .venv/bin
# One more than there are processors: many tests wait for a database, a browser or another process.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: run test check check-types check-rest format bench lock clean

run: .venv/run.stamp  ## ranking, Wuhan's standing, then the page and the API on 127.0.0.1:8000
	$(BIN)/greenfin rank --year 2022 --format table
	$(BIN)/greenfin standing wuhan --year 2022 --format table
	$(BIN)/greenfin serve --host 127.0.0.1 --port 8000

test: .venv/dev.stamp  ## all tests; PostgreSQL and Chromium ones run where those are installed
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/dev.stamp  ## lint, types, contracts, unused code
	@$(MAKE) --no-print-directory -j 2 check-types check-rest

check-types: .venv/dev.stamp
	$(BIN)/mypy

check-rest: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/vulture

format: .venv/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/peers.stamp  ## one script a workload; each prints the ratio to a named peer and the peak memory
	@for script in benchmarks/bench_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

lock:  ## renew the lock files from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header -q -c requirements.lock -o requirements-dev.lock
	uv pip compile --group pyproject.toml:bench --universal --python-version 3.11 --generate-hashes --no-header -q -o requirements-bench.lock

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "greenfin needs Python 3.11 or newer; found " + sys.version.split()[0] + ". Try: make run PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev.stamp: requirements-dev.lock .venv/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# The peers that benchmarks run beside us need versions of their own, so they live in an environment of their own.
.venv/peers.stamp: requirements-bench.lock .venv/dev.stamp
	$(BIN)/python -m venv .venv/peers
	.venv/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
