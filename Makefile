# The few commands a person types. Each one is a call of uv; what it does is in drydock/ and tests/.
# A machine needs git, make, Docker and some Python 3.9 or later (or uv): the rest is fetched into the cache folder.

.DEFAULT_GOAL := help
SHELL := /bin/sh

cache := $(or $(DRYDOCK_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/drydock)
uv_version := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' drydock/pinned/uv.txt)
uv_folder := $(cache)/tools/uv/$(uv_version)
# uv from PATH where that is the pinned version, otherwise our own.
ifeq ($(shell uv --version 2>/dev/null | cut -d' ' -f2),$(uv_version))
uv := uv
else
uv := $(uv_folder)/bin/uv
need_uv := $(uv)
endif
# `uv run` brings .venv in step with uv.lock first; --locked refuses when uv.lock is not in step with pyproject.toml.
run := $(uv) run --locked

.PHONY: help up down status doctor test test-slow e2e check bench lint format

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(need_uv) ## start everything; more: make up ARGS="--mode parity --detach"
	@$(run) drydock up $(ARGS)

down: $(need_uv) ## stop everything, keep the images; all of it: make down ARGS=--all
	@$(run) drydock down $(ARGS)

status: $(need_uv) ## what runs, and is it well
	@$(run) drydock status

doctor: $(need_uv) ## is this machine fit: each line says ok or the remedy
	@$(run) drydock doctor

test: $(need_uv) ## unit, integration and manifest tests; a part: make test ARGS=tests/unit
	@$(run) pytest --numprocesses 3 --dist worksteal -m "not slow" $(ARGS)

test-slow: $(need_uv) ## the experiments without a cluster: load scenarios, killed workers, generated input
	@$(run) pytest --numprocesses 3 --dist worksteal -m slow $(ARGS)

e2e: $(need_uv) ## the tests on compose, and on kind in parity mode
	@$(run) pytest tests/compose $(ARGS)
	@$(run) drydock up --detach --mode parity
	@$(run) pytest tests/e2e $(ARGS)

check: $(need_uv) ## can the manifests keep what the drills promise: needs no cluster
	@$(run) drydock check $(ARGS)

bench: $(need_uv) ## requests/s against bare FastAPI, and seconds from an edit to the changed answer
	@$(run) python -m bench.throughput
	@$(run) python -m bench.inner_loop

lint: $(need_uv) ## ruff and mypy
	@$(run) ruff check
	@$(run) ruff format --check
	@$(run) mypy

format: $(need_uv) ## what ruff can put right by itself
	@$(run) ruff check --fix
	@$(run) ruff format

# Made beside its place and moved there, so that an interrupted attempt leaves nothing that looks finished.
# The folder carries the version, so a younger drydock/pinned/uv.txt, as in every new clone, is no reason to fetch it again.
$(uv_folder)/bin/uv: | drydock/pinned/uv.txt
	@echo "uv $(uv_version) is not on PATH: putting it into $(uv_folder)"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "make: needs Python 3.9 or later, or uv $(uv_version) on PATH (docs.astral.sh/uv)" >&2; exit 1; }
	@rm -rf "$(uv_folder)" "$(uv_folder).new" && mkdir -p "$(dir $(uv_folder))"
	@python3 -m venv "$(uv_folder).new" || { echo "make: install python3-venv, or uv $(uv_version) (docs.astral.sh/uv)" >&2; exit 1; }
	@"$(uv_folder).new/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r drydock/pinned/uv.txt
	@mv "$(uv_folder).new" "$(uv_folder)" && touch "$@"
