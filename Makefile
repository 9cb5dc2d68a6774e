# The one door to this project: `make run` to use it, `make test` and `make check` to change it.
# Works with GNU make 3.81 (macOS), as root and as an ordinary user.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# The first Python that is new enough; name another one with PYTHON=/path/to/python3.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
# Installed once for each state of the locks: the stamps carry their checksum.
RUN_STAMP := $(VENV)/run-$(shell cksum requirements.txt | cut -d' ' -f1)
DEV_STAMP := $(VENV)/dev-$(shell cat requirements.txt requirements-dev.txt | cksum | cut -d' ' -f1)
CODE := accounts achievements analytics bench care config core deploy/grafana/boards.py history leaderboards social stats tests webhooks manage.py
# What `check` needs to read the settings as production does; nothing is connected to.
AS_IN_PRODUCTION := DEBUG=0 DEMO=0 SECRET_KEY=$(shell od -An -N48 -tx1 /dev/urandom | tr -d ' \n') \
	PUBLIC_URL=https://laurel.example LIVE_URL=https://live.laurel.example \
	DATABASE_URL=postgres://laurel@127.0.0.1:1/laurel REDIS_URL=redis://127.0.0.1:1/0
# Where the environment has no pip of its own, the one beside PYTHON fills it.
PIP = $$($(BIN)/python -c 'import pip' 2>/dev/null && echo "$(BIN)/python -m pip" || \
	echo "$(PYTHON) -m pip --python $(BIN)/python")
INSTALL = $(PIP) install --quiet --disable-pip-version-check --no-input --require-hashes
LOCK := uv pip compile --universal --generate-hashes --python-version 3.11 --no-annotate --no-header -q
# Tests in parallel, each process with its own PostgreSQL and Valkey: one more than there are cores, since some wait.
TEST_PROCESSES ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
# What wants the machine for itself, since a page that is slow looks like one that fails.
WALKS := tests/browser/test_every_page.py tests/browser/test_studio_walk.py
EVERY_TEST := tests --ignore=tests/faults --ignore=tests/topology $(WALKS:%=--ignore=%)
TESTS ?= $(EVERY_TEST) -m "not slow"

# Each of the many processes that run, and that tests start, would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help run install production env test slow faults restore-drill topology fuzz alarms pages lighthouse check manifests rules boards fix bench bench-scale benchmarks screenshots migrations messages lock audit sbom clients
.DEFAULT_GOAL := help

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(RUN_STAMP) ## Run Laurel with its demo until Ctrl-C (PORT=8000, VAR_DIR=var)
	@exec $(BIN)/python -m config.run

install: $(RUN_STAMP) ## Install what Laurel runs on, and start nothing

production: $(RUN_STAMP) ## Run it as production does, without containers: PgBouncer, RabbitMQ, two Valkeys, nginx (PORT=8443, NAME=localhost, DEMO=1)
	@exec $(BIN)/python -m config.production

# `value`: a `$` in them is theirs, not make's.
env: ## Write deploy/compose/.env with random secrets (HOST=laurel.example.com EMAIL_URL=smtp+tls://user:password@host:587)
	@HOST='$(value HOST)' EMAIL_URL='$(value EMAIL_URL)' sh deploy/compose/fill-env

test: $(DEV_STAMP) ## Run the tests on a real PostgreSQL and Valkey, in minutes (TESTS=tests/core for all of some)
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) $(TESTS)

slow: $(DEV_STAMP) ## Run the tests that take a second and more: races, real data, browsers
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) $(EVERY_TEST) -m slow

# Where it is said how long an answer takes while a part is away, one after the other; the rest beside each other.
faults: $(DEV_STAMP) ## Kill and freeze each process under load, then by chance (FAULTS=full: 100,000 unlocks, 50 strikes, on what make production runs; SEED=1)
	$(BIN)/python -m pytest -n 0 tests/faults -m alone
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) tests/faults -m "not alone"
	$(BIN)/python -m tests.storm $(if $(filter full,$(FAULTS)),--full --production) $(if $(SEED),--seed $(SEED))

restore-drill: $(DEV_STAMP) ## Back up under load, kill the server, restore to a named second, compare (DRILL=full: in minutes)
	$(BIN)/python -m pytest -n 0 tests/faults/test_restore_drill.py

topology: $(DEV_STAMP) ## Run production without containers, play, and kill each process, in minutes (wants what make production wants)
	$(BIN)/python -m pytest -n 0 tests/topology

fuzz: $(DEV_STAMP) ## Try every operation of the API against its schema, with 1,000 examples of each, in a quarter of an hour
	FUZZ=full $(BIN)/python -m pytest -n $(TEST_PROCESSES) tests/security/test_api_fuzz.py

alarms: $(DEV_STAMP) ## Kill each process and freeze each server of make production: each has to raise its alert, in a quarter of an hour (ONLY=frozen)
	$(BIN)/python -m tests.deploy.alarms $(if $(ONLY),--only $(ONLY))

pages: $(DEV_STAMP) ## Look at every page in a browser: axe, console, weight, both themes, two widths; walk through them
	$(BIN)/python -m pytest -n 0 $(WALKS)

lighthouse: $(DEV_STAMP) ## Ask Lighthouse, from npm, for 95 of 100 on the players' main pages, in half an hour (RUNS=3, ONLY=game,leaderboard)
	$(BIN)/python -m tests.browser.lighthouse

check: $(DEV_STAMP) ## Check format, rules, types, borders, templates, migrations, settings, manifests, known vulnerabilities
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(AS_IN_PRODUCTION) $(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/djlint templates --check
	$(BIN)/djlint templates --lint
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	$(AS_IN_PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(AS_IN_PRODUCTION) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning -m tests.migrations
	$(BIN)/python -m tests.manifests
	@$(MAKE) --no-print-directory rules
	@$(MAKE) --no-print-directory audit

manifests: $(DEV_STAMP) ## Hold what deploy/ describes against the schemas of Compose, Kubernetes and CloudFormation
	$(BIN)/python -m tests.manifests

rules: ## Check what Prometheus is told, and try out each alert, where promtool is installed
	@if command -v promtool >/dev/null; then \
		promtool check config deploy/prometheus/prometheus.yml && promtool test rules deploy/prometheus/tests/*.yml; \
	else echo "Warning: promtool is not installed (Debian has it in prometheus): no alert is tried out."; fi

boards: $(DEV_STAMP) ## Write Grafana's boards from deploy/grafana/boards.py
	$(BIN)/python deploy/grafana/boards.py

# The advisory service may be out of reach, which is no reason to stop; a finding is.
audit: $(DEV_STAMP) ## Look for known vulnerabilities in what is locked
	@echo "pip-audit requirements.txt"
	@report=$$($(BIN)/pip-audit --progress-spinner off --disable-pip --require-hashes \
			-r requirements.txt --timeout 10 2>&1); code=$$?; \
	case "$$code/$$report" in \
		0/*"could not be audited"*) \
			echo "Warning: the advisory service does not know $$(echo "$$report" | grep -c 'could not be audited') of them." ;; \
		0/*) echo "$$report" ;; \
		*"known vulnerabilit"*) echo "$$report"; exit 1 ;; \
		*) echo "Warning: nothing was looked up, because the advisory service gave no answer:"; \
			echo "$$report" | tail -n 1 ;; \
	esac

sbom: $(DEV_STAMP) ## Write the bill of materials, as CycloneDX, into var (FILE=laurel.cdx.json: elsewhere)
	@$(BIN)/python -m tests.materials $(FILE)

clients: $(DEV_STAMP) ## Make clients of the API in Python and TypeScript, from its description, into var/clients
	@mkdir -p var/clients
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning manage.py spectacular --file var/clients/openapi.yaml
	@$(BIN)/python -m tests.clients.generating var/clients/openapi.yaml var/clients

fix: $(DEV_STAMP) ## Format code and templates, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djlint templates --reformat --quiet

bench: $(DEV_STAMP) ## Measure, on this machine, and write the figures to bench/results
	$(BIN)/python -m bench

# In hours, and on a machine that does nothing else: an ordinary run has other figures than a busy one.
bench-scale: $(DEV_STAMP) ## Load up to 10 M unlocks and measure all again, hold 100,000 connections, run for an hour
	$(BIN)/python -m bench --scale
	$(BIN)/python -m bench --only crowd
	$(BIN)/python -m bench --only soak

benchmarks: $(DEV_STAMP) ## Write docs/benchmarks.md and the tables of docs/capacity.md from bench/results
	$(BIN)/python -m bench.document

screenshots: $(DEV_STAMP) ## Take pictures of every page into docs/screenshots (DATA=folder: real games and odd names, into var)
	$(BIN)/python -m tests.browser.screenshots $(DATA)

migrations: $(DEV_STAMP) ## Write a migration: make migrations APP=core NAME=add_fact_owner
	@test -n "$(APP)" && test -n "$(NAME)" || { echo "Say which: make migrations APP=core NAME=add_fact_owner"; exit 1; }
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations $(APP) --name $(NAME)

messages: $(DEV_STAMP) ## Gather what is to be translated into locale/*/*.po, and compile what is
	@command -v xgettext >/dev/null && command -v msgfmt >/dev/null || { \
		echo "GNU gettext is missing: apt-get install gettext, or brew install gettext, brings it."; exit 1; }
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning manage.py makemessages --all --no-obsolete \
		--add-location file --ignore tests --ignore bench --ignore var --ignore '.*'
	$(AS_IN_PRODUCTION) $(BIN)/python -W ignore::RuntimeWarning manage.py compilemessages --ignore '.*' --ignore var

lock: $(DEV_STAMP) ## Resolve requirements*.in for every platform into requirements*.txt
	$(BIN)/$(LOCK) requirements.in -o requirements.txt
	$(BIN)/$(LOCK) requirements-dev.in -o requirements-dev.txt

# Debian keeps ensurepip in a package of its own (python3-venv); an environment can do without.
$(BIN)/python:
	@test -n "$(PYTHON)" && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Laurel needs Python 3.11 or newer: install it, or name one with make PYTHON=/path/to/python3."; exit 1; }
	@if "$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null; then "$(PYTHON)" -m venv $(VENV); \
	elif "$(PYTHON)" -c 'import pip, venv' 2>/dev/null; then "$(PYTHON)" -m venv --without-pip $(VENV); \
	else echo "Python's venv module is missing: on Debian and Ubuntu, apt-get install python3-venv brings it."; exit 1; fi

$(RUN_STAMP): | $(BIN)/python
	@echo "Installing what Laurel runs on (once, about a minute)."
	@$(INSTALL) -r requirements.txt
	@rm -f $(VENV)/run-* $(VENV)/dev-* && touch $@

$(DEV_STAMP): $(RUN_STAMP)
	@echo "Installing what its tests and checks need (once)."
	@$(INSTALL) -r requirements-dev.txt
	@rm -f $(VENV)/dev-* && touch $@
