# asrd for people with Python, git and make: `make demo` and `make test` set up all they need.
#
# On a machine without a GPU, name PyTorch's index of CPU builds in PIP_EXTRA_INDEX_URL before the
# first `make test`: the default Linux build of PyTorch brings gigabytes of CUDA libraries.

PYTHON ?= python3
VENV ?= .venv
DEMO_VENV ?= .venv-demo
MODEL_VENV ?= .venv-model
PREFIX ?= $(HOME)/.local
HOME_VENV = $(PREFIX)/share/asrd-venv
MODEL ?= trained/asrd-tiny-en
ARGS ?=
TESTERS ?= --numprocesses=logical --maxprocesses=4 --dist=loadfile --no-loadscope-reorder

PACKAGES := core models training backends daemon clients gateway quant cli
SOURCES := pyproject.toml README.md LICENSE $(shell find src $(PACKAGES) -not -path '*/__pycache__*')
PIP := -m pip --disable-pip-version-check --quiet
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt
export PIP_BUILD_CONSTRAINT := $(PIP_CONSTRAINT)

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

install: $(HOME_VENV)/installed ## install asrd for you alone: a command in ~/.local/bin
	@mkdir -p $(PREFIX)/bin && ln -sf $(HOME_VENV)/bin/asrd $(PREFIX)/bin/asrd
	@echo "installed $(PREFIX)/bin/asrd"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) ;; *) echo 'not on your PATH yet: log in again, or export PATH="$(PREFIX)/bin:$$PATH"' ;; esac

uninstall: ## remove what `make install` has installed; settings and models stay
	rm -rf $(HOME_VENV) $(PREFIX)/bin/asrd

demo: $(DEMO_VENV)/installed ## transcribe bundled speech live, from the core install (no PyTorch)
	$(DEMO_VENV)/bin/asrd demo $(ARGS)

model: $(MODEL_VENV)/installed ## train a model like the bundled one; see training/README.md
	$(MODEL_VENV)/bin/asrd model train $(if $(ARGS),$(ARGS),--voice flite=5 --voice hibari=8 -o $(MODEL))

test: $(VENV)/installed ## run the whole test suite; ARGS="-k word" passes options to pytest, one process then
	$(VENV)/bin/pytest $(or $(ARGS),$(TESTERS))

soak: $(VENV)/installed ## break running daemons in every way, up to half an hour, and count what is lost
	ASRD_SOAK=1 $(VENV)/bin/pytest $(or $(ARGS),tests/faults tests/cli/test_crash.py)

lint: $(VENV)/installed ## check style and formatting
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: $(VENV)/installed ## type-check the installed packages
	$(VENV)/bin/mypy -p asrd

constraints: $(VENV)/installed $(MODEL_VENV)/installed ## pin what is installed now in constraints.txt
	@{ sed '/^[^#]/,$$d' constraints.txt; \
		for venv in $(VENV) $(MODEL_VENV); do $$venv/bin/python $(PIP) freeze --all --exclude asrd --exclude pip; done \
		| sed 's/+.*//' | sort --ignore-case --unique; } > constraints.new
	@mv constraints.new constraints.txt

clean: ## remove environments, build results and caches
	rm -rf $(VENV) $(DEMO_VENV) $(MODEL_VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two steps an environment: what asrd depends on, installed anew when that changes; and asrd itself.
# The one for tests is editable, so it always runs what is in the tree. The others are copies, installed
# anew whenever a file changed. A build folder left by an earlier build would ship modules deleted
# since, so it goes first and last.

$(DEMO_VENV)/installed: $(DEMO_VENV)/dependencies $(SOURCES)
	$(call install,$(DEMO_VENV))

$(VENV)/installed: $(VENV)/dependencies
	$(call install,$(VENV),--editable)

$(MODEL_VENV)/installed: $(MODEL_VENV)/dependencies $(SOURCES)
	$(call install,$(MODEL_VENV))

$(HOME_VENV)/installed: $(HOME_VENV)/dependencies $(SOURCES)
	$(call install,$(HOME_VENV))

$(HOME_VENV)/dependencies: pyproject.toml constraints.txt
	$(call environment,$(HOME_VENV),.[lm])

$(DEMO_VENV)/dependencies: pyproject.toml constraints.txt
	$(call environment,$(DEMO_VENV),.[lm])

$(MODEL_VENV)/dependencies: pyproject.toml constraints.txt
	$(call environment,$(MODEL_VENV),.[training])

$(VENV)/dependencies: pyproject.toml constraints.txt
	$(call environment,$(VENV),.[kserve$(,)lm$(,)torch$(,)quant$(,)silero$(,)serve$(,)dev],--no-compile)

, := ,

define environment
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "asrd needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "installing what asrd needs into $(1)"
	@rm -rf build src/*.egg-info
	@$(PYTHON) -m venv $(1) || { echo "on Debian and Ubuntu: apt install python3-venv" >&2; rm -rf $(1); exit 1; }
	@$(1)/bin/python $(PIP) install $(3) '$(2)' 'setuptools>=77'
	@touch $@
endef

define install
	@rm -rf build src/*.egg-info
	@$(1)/bin/python $(PIP) install --no-deps --force-reinstall --no-build-isolation $(2) .
	@rm -rf build src/*.egg-info
	@touch $@
endef

.PHONY: help install uninstall demo model test lint soak types constraints clean
