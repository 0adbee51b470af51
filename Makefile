# The two commands are `make run` and `make test`; `make help` lists the others.
# Everything runs in .venv, which is made and kept up to date on the way.

ifndef PYTHON
PYTHON := $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done)
endif
ifeq ($(strip $(PYTHON)),)
$(error No Python 3.11 or newer was found. Install one (Debian: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python)
endif

BOOTSTRAP = $(PYTHON) -m config.bootstrap
.DEFAULT_GOAL := help
.PHONY: help run test races chaos fuzz bench screenshots check format translations openapi manage clean

help: ## list the goals
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' Makefile

run: ## start the whole portal with demo data; PORT=8000 SANDBOX_PORT=9100 HOST=127.0.0.1 move it, Ctrl-C stops it
	@$(BOOTSTRAP) run

test: ## run all tests on servers of their own; ARGS="-k redeem" goes to pytest
	@$(BOOTSTRAP) test $(ARGS)

races: ## redeeming at the same moment as everything else, each race RACES=100 times in a row
	@RACES=$(or $(RACES),100) $(BOOTSTRAP) test tests/api/test_redeem_races.py $(ARGS)

chaos: ## the portal under load while all around it breaks, under 10 minutes; ARGS="--operations 500 --breaks 3 --seed 7"
	@$(BOOTSTRAP) chaos $(ARGS)

bench: ## measure against floors and write docs/benchmarks.md, an hour; ARGS="--short", ARGS="requests delivery"
	@$(BOOTSTRAP) bench $(ARGS)

screenshots: ## take the pictures of docs/images anew, of a portal of their own with the demo data; ARGS=connecting
	@$(BOOTSTRAP) screenshots $(ARGS)

check: ## format, lint, types, import contracts, migrations, translations, docs/openapi.yaml
	@$(BOOTSTRAP) check

format: ## put the code into its form and mend what can be mended
	@$(BOOTSTRAP) format

translations: ## compile the translations
	@$(BOOTSTRAP) translations

openapi: ## write docs/openapi.yaml, the description of the partner API
	@$(BOOTSTRAP) openapi

fuzz: ## try everything at the API, then FUZZ_INPUTS=200000 inputs at every hook and body; ARGS="--max-examples 1000"
	@$(BOOTSTRAP) fuzz $(ARGS)

manage: ## run manage.py in the environment of `make run`; ARGS="provision FILE.json"
	@$(BOOTSTRAP) manage $(ARGS)

clean: ## remove caches and logs; VENV=yes also .venv, DATA=yes also the data and keys of `make run`
	@$(BOOTSTRAP) clean
