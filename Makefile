# Each target is one or two visible lines; `make help` lists them.
PYTHON ?= python3
PORT ?= 8080
FUZZ_INPUTS ?= 100000
BIN := .venv/bin
STAMP := .venv/.installed
TRAINING := .venv-training/.installed
TRAINING_BIN := .venv-training/bin

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

run: build ## set up and serve on 127.0.0.1:$(PORT); keyless on the simulator when no provider key is set
	$(BIN)/python -m gateway serve --port $(PORT)

test: build ## set up and run the tests
	$(BIN)/python -m pytest -n auto --maxprocesses 4 -m "not long"

test-long: build ## those of workers, failing disks and load, a minute more
	$(BIN)/python -m pytest -n auto --maxprocesses 4 -m long

check: build ## ruff, mypy --strict, floor plan, docs
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
	$(BIN)/python -m pytest tests/house

bench: build ## micro-benchmarks of core and translations, then gateway CPU against a bare nginx proxy
	$(BIN)/python -m loadtest.bench_core && $(BIN)/python -m loadtest.bench_understanding && $(BIN)/python -m loadtest.bench_formats && $(BIN)/python -m loadtest.closed_loop

bench-session: build ## an agent's session of 40 turns with and without the memory of prompt caches: what is saved
	$(BIN)/python -m loadtest.bench_session

bench-replay: build ## 100,000 past requests decided again, by two sets of rules
	$(BIN)/python -m loadtest.bench_replay

loadtest: build ## locust against simulator and gateway; fails when added latency p99 is over 20 ms
	$(BIN)/python -m loadtest.run

train: build $(TRAINING) ## rebuild the weights of core/data from core/training/, bit for bit (2 minutes)
	$(TRAINING_BIN)/python -m core.training.train

bench-routing: build $(TRAINING) ## judge tasks and quality predicted from prompts; DATA=folder of parquet files (some 10 minutes)
	$(TRAINING_BIN)/python -m core.training.bench_routing $(DATA)

chaos: build ## faults of providers, populations, load, kills, full disks, some 10 minutes; writes docs/RELIABILITY.md
	$(BIN)/python -m loadtest.chaos

clients: build ## install the real programs that talk to us, then let each do its work (STEELYARD_CLIENTS: where; 3 GB)
	PYTHON=$(PYTHON) tests/clients/programs/install
	$(BIN)/python -m pytest -vv tests/clients/programs/agents.py tests/clients/programs/sdks.py

security: build ## the checks of docs/security.md at their full counts (a few minutes)
	STEELYARD_SECURITY=full $(BIN)/python -m pytest -n 2 --dist loadfile tests/security

fuzz: build ## damaged bytes against every parser, FUZZ_INPUTS=100000 per target in some 5 minutes; the long run: 10000000
	$(BIN)/python -m tests.fuzz --inputs $(FUZZ_INPUTS)

annotate: build ## fail if a line of a nogil block talks to Python
	$(BIN)/python -m loadtest.annotate

build: $(STAMP) ## compile the core in place
	$(BIN)/python setup.py --quiet build_ext --inplace

$(STAMP): deploy/requirements.txt deploy/requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements.txt -r deploy/requirements-dev.txt
	@touch $@

$(TRAINING): deploy/requirements-training.txt
	$(PYTHON) -m venv .venv-training
	$(TRAINING_BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r deploy/requirements-training.txt
	@touch $@

lock: ## rewrite the pinned requirements from pyproject.toml
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 pyproject.toml -o deploy/requirements.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --group dev -c deploy/requirements.txt -o deploy/requirements-dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --universal --python-version 3.11 --group training -c deploy/requirements.txt -o deploy/requirements-training.txt

clean: ## remove everything that can be made again
	rm -rf .venv .venv-training build dist *.egg-info core/*.so core/*_cy.c core/*_cy.html .pytest_cache .mypy_cache .ruff_cache .hypothesis loadtest/out

.PHONY: help run test test-long check train bench bench-routing bench-session bench-replay loadtest chaos fuzz clients security annotate build lock clean
