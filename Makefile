# Everything runs in .venv, which the first command makes. `make help` lists the commands.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/installed
export COLORLIB_OUT

.DEFAULT_GOAL := help
.PHONY: help venv report test test-full lab full lint lock address clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else \
	  "Python 3.11 to 3.13 is needed, $(PYTHON) is %d.%d: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --disable-pip-version-check --quiet -r requirements.lock
	$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation -e .
	touch $@

venv: $(STAMP)  ## make the environment in .venv
