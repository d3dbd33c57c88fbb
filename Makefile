# The verbs of this project; `make help` lists them. Everything is installed into .venv, nothing elsewhere.
SHELL := /bin/bash
.DEFAULT_GOAL := help
# Never another project's environment, whichever is active.
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME

VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: help run doctor demo-replay chaos screenshots test fast lint typecheck format clean bench

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: $(VENV)/.installed ## Start everything on http://127.0.0.1:5000 (PORT=… for another port); Ctrl-C stops it
	@$(PYTHON) -m embedded run

doctor: $(VENV)/.installed ## Look at every part of a running Parley by using it; says how each failure is cured (PORT=… URL=…)
	@$(PYTHON) -m app.cli doctor $(if $(URL),--url $(URL))

demo-replay: $(VENV)/.installed ## Replay a real chat log into what `make run` started, and compare (LOG=… SPEED=60 LIMIT=300 PORT=…)
	@$(PYTHON) -m app.cli replay $(addprefix --log ,$(LOG)) $(if $(SPEED),--speed $(SPEED)) $(if $(LIMIT),--limit $(LIMIT))

chaos: $(VENV)/.installed-dev ## Kill and stop every part under load, and judge (SEED=1 MINUTES=2 MODE=behind|through|both)
	@$(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(MODE),--mode $(MODE)) $(if $(KILLS),--kills $(KILLS)) $(if $(ONLY),--only $(ONLY)) $(if $(CLIENTS),--clients $(CLIENTS))

screenshots: $(VENV)/.installed-dev ## Take a picture of every page and state into docs/screenshots (needs Chromium)
	@$(PYTHON) scripts/screenshots.py

bench: $(VENV)/.installed-dev ## Measure it beside a naive Flask-SocketIO application: table and plots in instance/bench (ROUNDS=3 SECONDS=6)
	@$(PYTHON) -m bench run $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SECONDS),--seconds $(SECONDS))

test: $(VENV)/.installed-dev ## Check and test everything, as CI does
	@scripts/test all

fast: $(VENV)/.installed-dev ## Run only the tests marked fast
	@scripts/test fast

lint: $(VENV)/.installed-dev ## Check style and layers
	@scripts/test lint

typecheck: $(VENV)/.installed-dev ## Check types
	@scripts/test types

format: $(VENV)/.installed-dev ## Format the Python code
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

clean: ## Remove what was installed and cached (instance/, where the data are, stays)
	rm -rf $(VENV) node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis test-results

# Its own file, not the interpreter: that is a link, and make would compare the age of what it leads to.
$(VENV)/pyvenv.cfg: | scripts/python
	@python=$$(scripts/python) && echo "Making $(VENV) with $$($$python --version)…" && $$python -m venv --clear $(VENV)

# The stamps are touched last: an installation that was cut off is done again.
$(VENV)/.installed: requirements.txt $(VENV)/pyvenv.cfg
	@echo "Installing requirements.txt…"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing requirements-dev.txt…"
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.txt
	@touch $@
