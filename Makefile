# The commands for developers. Each one calls uv; the implementation is in drydock/ and tests/.
# Requirements: git, make, Docker, and Python 3.9 or later (or uv). Everything else is downloaded into the cache folder.

.DEFAULT_GOAL := help
SHELL := /bin/sh

cache := $(or $(DRYDOCK_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/drydock)
uv_version := $(shell sed -n 's/^uv==\([0-9.]*\).*/\1/p' drydock/pinned/uv.txt)
uv_folder := $(cache)/tools/uv/$(uv_version)
# uv from PATH if it is the pinned version, otherwise a copy in the cache folder.
ifeq ($(shell uv --version 2>/dev/null | cut -d' ' -f2),$(uv_version))
uv := uv
else
uv := $(uv_folder)/bin/uv
need_uv := $(uv)
endif
# `uv run` first syncs .venv with uv.lock; --locked fails if uv.lock does not match pyproject.toml.
run := $(uv) run --locked

.PHONY: help up down status doctor test test-slow e2e check bench lint format

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(need_uv) ## start everything; options: make up ARGS="--mode parity --detach"
	@$(run) drydock up $(ARGS)

down: $(need_uv) ## stop everything but keep the images; remove them too: make down ARGS=--all
	@$(run) drydock down $(ARGS)

status: $(need_uv) ## show the components and their health
	@$(run) drydock status

doctor: $(need_uv) ## check this machine, with a remedy for each problem
	@$(run) drydock doctor

test: $(need_uv) ## run unit, integration and manifest tests; some of them: make test ARGS=tests/unit
	@$(run) pytest --numprocesses 4 --dist worksteal -m "not slow" $(ARGS)

test-slow: $(need_uv) ## run the slow tests without a cluster: load scenarios, killed workers, generated input
	@$(run) pytest --numprocesses 3 --dist worksteal -m slow $(ARGS)

e2e: $(need_uv) ## run the tests on compose, and on kind in parity mode
	@$(run) pytest tests/compose $(ARGS)
	@$(run) drydock up --detach --mode parity
	@$(run) pytest tests/e2e $(ARGS)

check: $(need_uv) ## check the manifests for settings that lose requests; needs no cluster
	@$(run) drydock check $(ARGS)

bench: $(need_uv) ## measure requests/s against bare FastAPI, and the seconds from an edit to the changed response
	@$(run) python -m bench.throughput
	@$(run) python -m bench.inner_loop

lint: $(need_uv) ## run ruff and mypy
	@$(run) ruff check
	@$(run) ruff format --check
	@$(run) mypy

format: $(need_uv) ## format the code and apply ruff's fixes
	@$(run) ruff check --fix
	@$(run) ruff format

# Installed into a temporary folder and then moved, so that an interrupted installation is never used.
# The folder's name contains the version, so a newer drydock/pinned/uv.txt, as in every new clone, triggers no download.
$(uv_folder)/bin/uv: | drydock/pinned/uv.txt
	@echo "uv $(uv_version) is not on PATH: installing it into $(uv_folder)"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { echo "make: needs Python 3.9 or later, or uv $(uv_version) on PATH (docs.astral.sh/uv)" >&2; exit 1; }
	@rm -rf "$(uv_folder)" "$(uv_folder).new" && mkdir -p "$(dir $(uv_folder))"
	@python3 -m venv "$(uv_folder).new" || { echo "make: install python3-venv, or uv $(uv_version) (docs.astral.sh/uv)" >&2; exit 1; }
	@"$(uv_folder).new/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r drydock/pinned/uv.txt
	@mv "$(uv_folder).new" "$(uv_folder)" && touch "$@"
