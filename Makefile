# Everything runs in .venv, which the first command makes. `make help` lists the commands.
# Figures and results go to build/; only `make full` and `make publish` write into the tracked
# figures/ and data/results/, and only `make weights` and `make classifiers` into colorlib/weights.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed

# A folder from outside as an absolute path, with ~ for the home folder. By Python, since make's own
# functions split a path at its spaces.
absolute = $(shell $(PYTHON) -c 'import os, sys; print(os.path.abspath(os.path.expanduser(sys.argv[1])))' '$(subst ','\'',$(1))')
ifdef COLORLIB_DATA
override COLORLIB_DATA := $(call absolute,$(COLORLIB_DATA))
export COLORLIB_DATA
endif
ifdef COLORLIB_OUT
override COLORLIB_OUT := $(call absolute,$(COLORLIB_OUT))
export COLORLIB_OUT
endif
EXECUTE := TQDM_DISABLE=1 $(BIN)/python scripts/execute_notebooks.py

# Before a command that needs photographs, which are not part of the repository.
IF_PHOTOS := [ -d "$${COLORLIB_DATA:-data}/photos" ] || \
	{ echo "Left out: the data root has no folder photos"; exit 0; };

EVALUATE := $(BIN)/python -m colorlib evaluate --unless-current

.DEFAULT_GOAL := help
.PHONY: help venv report test test-full lab study results published hints full weights classifiers \
	bench times lock publish student slides handout

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | expand -t 14

venv: $(STAMP)  ## install Python packages into .venv (the other commands do this first)
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else \
	  "Python 3.11 to 3.13 is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

report: $(STAMP)  ## run the five notebooks and write the report to build/report/*.html
	$(EXECUTE) --output build/notebooks notebooks/0*.ipynb
	$(BIN)/python scripts/html_pages.py build/notebooks build/report
	@echo "The report is in build/report: open 01_data_preparation.html first."

test: $(STAMP)  ## check the code and run the tests (some minutes)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/python -m pytest -m "not full"

test-full: $(STAMP)  ## run all tests, also the long ones
	$(BIN)/python -m pytest

lab: $(STAMP)  ## open the notebooks in JupyterLab
	$(BIN)/python -m jupyter lab notebooks

study: $(STAMP)  ## train the runs of notebook 5 that have no result yet, and find near-duplicates
	$(BIN)/python -m colorlib study --source cifar100
	$(BIN)/python -m colorlib duplicates --source cifar100 --unless-current

results: study published hints  ## measure everything that the notebooks read from data/results, unless it is current
	$(BIN)/python -m colorlib compare --source cifar100 --budget short --unless-current
	$(BIN)/python -m colorlib compare --source cifar100 --budget full --unless-current
	$(IF_PHOTOS) $(EVALUATE) --model photo --given luma --source photos --size 64
	$(IF_PHOTOS) $(EVALUATE) --model photo --given luma --source photos --size 96 --count 1000 --name photo-val96
	$(IF_PHOTOS) $(EVALUATE) --model cifar --given luma --source photos --count 1000
	$(EVALUATE) --model cifar --given both --source cifar100

published: $(STAMP)  ## measure ours beside published outputs (downloads 40 MB)
	$(BIN)/python -m colorlib published --fetch --unless-current

hints: $(STAMP)  ## measure what hints bring, on photographs in the data root
	$(IF_PHOTOS) $(BIN)/python -m colorlib hints --count 300 --unless-current

NOTEBOOKS := $(sort $(wildcard notebooks/0*.ipynb)) notebooks/solutions.ipynb
FULL := $(NOTEBOOKS:notebooks/%.ipynb=build/full/%)
SOURCES := $(shell find colorlib -name '*.py' -o -name '*.safetensors' -o -path '*/weights/*.json')

full: override export COLORLIB_OUT := $(CURDIR)
full: $(FULL)  ## maintainers: make all results, figures and notebooks anew from CIFAR-100 (hours)
	$(MAKE) publish
	touch $(FULL)

# each notebook reads what the one before wrote
build/full/02_training: build/full/01_data_preparation
build/full/03_evaluation: build/full/02_training
build/full/04_comparison: build/full/03_evaluation
build/full/05_study: build/full/04_comparison
build/full/solutions: build/full/05_study
build/full/%: notebooks/%.ipynb $(SOURCES) scripts/execute_notebooks.py | results
	COLORLIB_PROFILE=full $(EXECUTE) notebooks/$*.ipynb
	@mkdir -p $(@D) && touch $@

weights: $(STAMP)  ## maintainers: train the weights `cifar` anew, as colorlib/weights/cifar.json says
	$(BIN)/python scripts/ship_weights.py --train

classifiers: $(STAMP)  ## maintainers: train the classifiers anew
	$(BIN)/python scripts/ship_weights.py --classifiers

bench: $(STAMP)  ## measure speed beside other libraries; writes build/benchmarks.json
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation -e ".[bench]"
	$(BIN)/python -m benchmarks.run

times: $(STAMP)  ## measure how long the notebooks take; writes build/results/times.json
	$(BIN)/python scripts/time_notebooks.py

student: $(STAMP)  ## teachers: write notebooks without solutions to build/student
	$(BIN)/python scripts/student_notebooks.py

slides: $(STAMP)  ## teachers: write slides of the notebooks to build/slides
	$(BIN)/python scripts/slides.py

handout: $(STAMP)  ## teachers: print docs/handout.html to build/handout.pdf (needs Chromium)
	$(BIN)/python scripts/handout.py

publish: $(STAMP)  ## maintainers: write results into README, docs, notebooks and figures/tables
	$(BIN)/python scripts/publish_readme.py
	$(BIN)/python scripts/latex_report.py
	$(BIN)/python scripts/training_gif.py
	-$(BIN)/python scripts/handout.py docs/handout.pdf

lock:  ## maintainers: renew requirements.lock from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header --no-annotate \
		--generate-hashes --upgrade pyproject.toml -o requirements.lock
