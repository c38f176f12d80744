# The two commands are `make up` and `make test`. `make help` lists the rest.
SHELL := /bin/sh
PY := .venv/bin/python
.DEFAULT_GOAL := install
.PHONY: help install install-all up telephone test check unit contract conversations browser bench fund-contract own-data-load voice-e2e telephone-load desk-load measure train migrate lock clean

help: ## this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

install: ## both environments, from the hash-pinned locks
	@scripts/install

install-all: ## what telephone lines need too, from then on
	@scripts/install --telephone

up: install ## train what changed, start everything, stop on Ctrl-C
	@exec .venv/bin/hotline up

telephone: install-all ## as `up`, with a telephone line by SIP on this machine
	@scripts/system-packages
	@GJJ_TELEPHONE__LINE=$${GJJ_TELEPHONE__LINE:-sip} exec .venv/bin/hotline up

test: install-all ## everything, from a fresh clone
	@scripts/system-packages
	@.venv/bin/hotline train
	@$(MAKE) --no-print-directory check
	@$(PY) -m pytest

check: install ## format, lint, types, import rules
	@.venv/bin/ruff format --check --quiet . && .venv/bin/ruff check --quiet . && .venv/bin/mypy --no-error-summary && .venv/bin/lint-imports --no-logo >/dev/null && echo "format, lint, types and import rules hold" || { .venv/bin/lint-imports --no-logo | tail -20; exit 1; }

unit: install ## fast tests, sockets closed
	@$(PY) -m pytest tests/unit

contract: install ## one kit per port, every implementation
	@$(PY) -m pytest tests/contract

conversations: install ## whole-chain conversations
	@.venv/bin/hotline train && $(PY) -m pytest tests/conversations

browser: install ## Chromium on the page and the sandbox phone
	@scripts/system-packages && .venv/bin/hotline train && $(PY) -m pytest tests/browser

fund-contract: install ## the core system's contract, tried on the sandbox
	@scripts/check-fund-contract

own-data-load: install ## fifty people on their own data, the core system well and hung
	@.venv/bin/hotline train && $(PY) -m tests.load.own_data

voice-e2e: install-all ## calls by SIP through a real Asterisk, which it sets up first
	@scripts/system-packages
	@scripts/asterisk build
	@HOTLINE_VOICE_E2E=1 $(PY) -m pytest tests/voice_e2e

telephone-load: install-all ## how quickly the telephone answers, and many calls at once
	@scripts/system-packages
	@.venv/bin/hotline train && $(PY) -m tests.load.telephone

desk-load: install ## fifty agents, two thousand open conversations
	@$(PY) -m tests.load.desk

bench: install ## turns per second beside a stock Rasa
	@.venv/bin/hotline bench

measure: install ## how well people are understood, beside baselines
	@.venv/bin/hotline train && .venv/bin/hotline measure

train: install ## publish the knowledge, train Rasa
	@.venv/bin/hotline train

migrate: install ## newest database schema
	@.venv/bin/hotline migrate

lock: ## write both lock files anew
	@scripts/lock

clean: ## remove what was made, keep the environments
	@rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
