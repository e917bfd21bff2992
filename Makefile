# The book's commands. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
SCALE ?= paper

BIN := $(VENV)/bin
STAMP := $(VENV)/.bijepa-installed
SITE := _build/html
DEMOS := _build/interactive
DEMO_SOURCES := book/interactive/package-lock.json book/interactive/build.mjs tools/demo_data.py \
  $(wildcard book/interactive/src/*) $(wildcard book/interactive/weights/*)
NOTEBOOKS := $(sort $(wildcard book/*.ipynb))
# Two notebooks at a time, a thread each: these models are too small to share. Where a replay does
# ask for two threads, the idle one sleeps instead of spinning on the other notebook's core.
NBVAL := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest --nbval -n 2 --dist loadscope

.DEFAULT_GOAL := help
.PHONY: help book test lint run record weights verdicts times live bench adopt clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Python 3.11 to 3.13: make book PYTHON=python3.12. Another environment: make book VENV=path."

# The stamp is as new as the last install, so nothing is installed again until pyproject.toml changes.
$(STAMP): pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  $(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "Python 3.11 to 3.13 is needed, and $(PYTHON) is not. Name one: make PYTHON=python3.12"; \
	    exit 1; \
	  }; \
	  $(PYTHON) -m venv $(VENV); \
	}
	@echo "Installing into $(VENV): PyTorch and all, about 5 GB, some minutes the first time ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e ".[book,test,digits,cluster]"
	@touch $@

# Node comes with the environment; npm's packages stay in book/interactive/node_modules.
$(DEMOS)/.built: $(STAMP) $(DEMO_SOURCES)
	@rm -rf $(DEMOS) && mkdir -p $(DEMOS)
	@cd book/interactive && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --ignore-scripts
	@$(BIN)/node book/interactive/build.mjs "$(CURDIR)/$(DEMOS)"
	@$(BIN)/python tools/demo_data.py $(DEMOS)
	@touch $@

book: $(STAMP) $(DEMOS)/.built ## Build the site from the stored outputs and say which page to open
	@rm -rf $(SITE) && mkdir -p $(SITE)
	@$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" \
	  --path-output . --all -W -n --keep-going -q >$(SITE).log || { cat $(SITE).log; exit 1; }
	@echo "Built. Open $(CURDIR)/$(SITE)/index.html"

lint: $(STAMP) ## Check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint book ## Check everything: style, types, site, unit tests, every stored output
	$(BIN)/pytest
	$(NBVAL) book/*.ipynb

run: $(STAMP) ## Execute the notebooks in place (SCALE=smoke or full: into _build/notebooks)
	$(BIN)/python tools/run_notebooks.py --scale $(SCALE) $(NOTEBOOKS)

record: $(STAMP) ## Make the records in book/results anew (about two hours)
	$(BIN)/python tools/record.py

weights: $(STAMP) ## Train the models of the demos in the page anew (some minutes; needs MNIST)
	$(BIN)/python tools/demo_weights.py

verdicts: $(STAMP) ## Renew the table of verdicts in README and welcome page
	$(BIN)/python tools/verdicts.py

times: $(STAMP) ## Measure how long each notebook takes (about half an hour; let nothing else run)
	$(BIN)/python tools/measure_times.py

live: $(STAMP) ## Use each chapter's control in a real JupyterLab (needs Chromium; some minutes)
	$(BIN)/python tools/live.py

bench: $(STAMP) ## Measure speed and memory against a plain training loop
	$(BIN)/python -m benchmarks

adopt: ## Write the published address everywhere: make adopt REPO=owner/name
	@$(PYTHON) tools/adopt.py $(REPO)

clean: ## Remove what was built (the environment in .venv stays)
	rm -rf _build build .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
