# The book's commands. `make help` lists them.

PYTHON ?= python3
VENV ?= .venv
SCALE ?= paper

BIN := $(VENV)/bin
STAMP := $(VENV)/.bijepa-installed
LOWEST := _build/lowest
SITE := _build/html
DEMOS := _build/interactive
DEMO_SOURCES := book/interactive/package-lock.json book/interactive/build.mjs tools/demo_data.py \
  book/bijepa_book/style.py $(wildcard book/interactive/src/*) $(wildcard book/interactive/weights/*) \
  book/bijepa_book/evidence/futures/well.py $(wildcard book/results/second/*-why-*) \
  $(wildcard book/results/futures/*-weights.npz)
LINTER := book/interactive/node_modules/.bin/biome
NOTEBOOKS := $(sort $(wildcard book/*.ipynb))
# Two tests or notebooks at a time, a thread each: these models are too small to share. Where a
# replay does ask for two threads, the idle one sleeps instead of spinning on the other one's core.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/pytest -n 2
# What a test's neighbors share is prepared once: each half begins where the other one ends.
UNIT := $(PYTEST) --dist worksteal
NBVAL := $(PYTEST) --dist loadscope --nbval --nbval-sanitize-with tests/nbval.cfg
FAST := not slow and not browser and not site and not notebook

.DEFAULT_GOAL := help
.PHONY: help book check test lowest lint notebooks record demo-weights verdicts timings test-lab \
  torture bench set-address clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s  %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Python 3.11 or later: make book PYTHON=python3.12. Another environment: make book VENV=path."

# The stamp is as new as the last install, so nothing is installed again until pyproject.toml changes.
$(STAMP): pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Python 3.11 or later is needed, and $(PYTHON) is not. Name one: make PYTHON=python3.12"; \
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
	@cd book/interactive && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --ignore-scripts --omit=dev
	@$(BIN)/node book/interactive/build.mjs "$(CURDIR)/$(DEMOS)"
	@$(BIN)/python tools/demo_data.py $(DEMOS)
	@touch $@

book: $(STAMP) $(DEMOS)/.built ## Build the site from the stored outputs and say which page to open
	@rm -rf $(SITE) _build/.doctrees && mkdir -p $(SITE)
	@$(BIN)/jupyter-book build book --config _config.yml --toc "$(CURDIR)/_toc.yml" \
	  --path-output . --all -W -n --keep-going -q >$(SITE).log || { cat $(SITE).log; exit 1; }
	@echo "Built. Open $(CURDIR)/$(SITE)/index.html"

# What checks the demos' sources is for whoever changes them: make book does without.
$(LINTER): book/interactive/package-lock.json | $(STAMP)
	@cd book/interactive && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --ignore-scripts
	@touch $@

lint: $(STAMP) $(LINTER) ## Check style, types, and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=book $(BIN)/lint-imports --no-cache
	cd book/interactive && PATH="$(abspath $(BIN)):$$PATH" npm run --silent check

check: lint ## Check what changes most, in about a minute: lint and the fast tests
	$(UNIT) -m "$(FAST)"

test: lint book ## Check everything: lint, site, all tests, every stored output
	$(UNIT)
	$(NBVAL) book/*.ipynb

# With the newest of what the named packages need in turn. The tests take warnings for errors, so
# three are kept out that one package gives another: pyparsing since 3.3 to matplotlib before
# 3.10.7, ipykernel to ipywidgets 7.7, and torch 2.4 to itself where a tensor is pickled.
lowest: ## Run the fast tests with the lowest versions that are allowed (on Python 3.11 or 3.12)
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install -qq --disable-pip-version-check uv
	$(LOWEST)/bin/uv pip install -q --python $(LOWEST)/bin/python --resolution lowest-direct \
	  -e ".[book,test,digits,cluster]" "pyparsing==3.2.5"
	$(subst $(BIN),$(LOWEST)/bin,$(UNIT)) -m "$(FAST)" \
	  -W 'ignore:The `ipykernel.comm.Comm` class has been deprecated:DeprecationWarning' \
	  -W 'ignore:You are using `torch.load` with `weights_only=False`:FutureWarning'

notebooks: $(STAMP) ## Execute the notebooks in place (SCALE=smoke or full: into _build/notebooks)
	$(BIN)/python tools/run_notebooks.py --scale $(SCALE) $(NOTEBOOKS)

record: $(STAMP) ## Make the records in book/results anew (about two hours)
	$(BIN)/python tools/record.py

demo-weights: $(STAMP) ## Train the models of the demos in the page anew (some minutes; needs MNIST)
	$(BIN)/python tools/demo_weights.py

verdicts: $(STAMP) ## Renew the verdicts that README and chapters quote
	$(BIN)/python tools/verdicts.py

timings: $(STAMP) ## Measure how long each notebook takes (about half an hour; let nothing else run)
	$(BIN)/python tools/timings.py

test-lab: $(STAMP) ## Use each chapter's control in a real JupyterLab (needs Chromium; some minutes)
	$(BIN)/python tools/test_lab.py

torture: $(STAMP) ## Kill and stop the command some hundred times and see that nothing is lost (ten minutes)
	$(BIN)/python tools/torture.py

bench: $(STAMP) ## Measure speed and memory against a plain training loop
	$(BIN)/python -m benchmarks

set-address: ## Write the published address everywhere: make set-address REPO=owner/name
	@$(PYTHON) tools/set_address.py $(REPO)

clean: ## Remove what was built (the environment in .venv stays)
	rm -rf _build build .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path "./$(VENV)/*" -prune -exec rm -rf {} +
