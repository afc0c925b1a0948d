# Everything runs in .venv, which the first command makes. `make help` lists the commands.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
ifdef COLORLIB_DATA
override COLORLIB_DATA := $(abspath $(COLORLIB_DATA))
export COLORLIB_DATA
endif
DATA := $(or $(COLORLIB_DATA),data)
RUN := $(DATA)/runs/cifar/history.json
WEIGHTS := colorlib/weights/cifar.safetensors
JUDGES := colorlib/weights/judges/judge.safetensors
COMPARED := data/results/controlled-full.json
PURGED := data/results/cifar-luma-without-duplicates.json
# executed notebooks keep no progress bars
EXECUTE := TQDM_DISABLE=1 $(BIN)/jupyter nbconvert --execute --ExecutePreprocessor.timeout=-1 \
	--ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False

.DEFAULT_GOAL := help
.PHONY: help venv report test test-full lab study full bench times lock publish

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /: /'

venv: $(STAMP)  ## make the environment in .venv
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	  "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

report: $(STAMP)  ## run the five notebooks; leaves build/report/*.html, figures and results
	rm -rf build/report build/notebooks
	COLORLIB_OUT=$(CURDIR)/build $(EXECUTE) --to notebook --output-dir build/notebooks \
		notebooks/0*.ipynb
	$(BIN)/python scripts/html_pages.py build/notebooks build/report
	@echo "The report is in build/report: open 01_data_preparation.html first."

test: $(STAMP)  ## the tests, some minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -m "not full"

test-full: $(STAMP)  ## all tests, also the long ones
	$(BIN)/python -m pytest

lab: $(STAMP)  ## open JupyterLab on the notebooks; their figures go to build/figures
	COLORLIB_OUT=$(CURDIR)/build $(BIN)/jupyter lab notebooks

study: $(STAMP) $(PURGED)  ## the runs of notebook 5 that are not on file yet, and near-duplicates
	$(BIN)/python -m colorlib study --source cifar100

$(PURGED): $(WEIGHTS) | $(STAMP)
	$(BIN)/python -m colorlib duplicates --source cifar100

NOTEBOOKS := $(sort $(wildcard notebooks/0*.ipynb))
FULL := $(NOTEBOOKS:notebooks/%.ipynb=build/full/%)
full: $(FULL) publish  ## weights, comparison, figures and notebooks anew from CIFAR-100 (about four hours)

# each notebook reads what the one before wrote
build/full/02_training: build/full/01_data_preparation
build/full/03_evaluation: build/full/02_training
build/full/04_comparison: build/full/03_evaluation
build/full/05_study: build/full/04_comparison | study
build/full/%: $(WEIGHTS) $(shell find colorlib -name '*.py') | $(COMPARED)
	COLORLIB_PROFILE=full $(EXECUTE) --to notebook --inplace notebooks/$*.ipynb
	@mkdir -p $(@D) && touch $@

$(RUN): | $(STAMP)
	$(BIN)/python -m colorlib train --source cifar100 --widths 96 192 256 --up 1 1 --muon-rate 0.02 \
		--epochs 51 --held 1000 --paste 0.2

$(JUDGES): | $(STAMP)
	$(BIN)/python -m colorlib judge features judge judge-grey

$(COMPARED): | $(STAMP) $(JUDGES)
	$(BIN)/python -m colorlib compare --source cifar100 --budget short
	$(BIN)/python -m colorlib compare --source cifar100 --budget full

$(WEIGHTS): $(RUN)
	$(BIN)/python scripts/ship_weights.py

bench: $(STAMP)  ## measure speed beside its rivals; leaves benchmarks/results.json and results.md
	$(BIN)/pip install --disable-pip-version-check --quiet --no-build-isolation -e ".[bench]"
	$(BIN)/python -m benchmarks.run

times: $(STAMP)  ## measure how long the notebooks take; data/results/times.json
	$(BIN)/python scripts/time_notebooks.py

publish: $(STAMP)  ## write addresses and results into README and notebooks, tables into figures/
	$(BIN)/python scripts/publish_readme.py
	$(BIN)/python scripts/latex_report.py
	$(BIN)/python scripts/targets.py
	$(BIN)/python scripts/training_gif.py

lock:  ## renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header \
		--no-annotate --upgrade pyproject.toml -o requirements.lock
