# Everything happens in .venv beside this file; nothing is installed elsewhere.
# Python 3.11 or newer is all that is needed: uv comes by pip, PostgreSQL as a wheel.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test nightly lint lock bench clean

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
SYNC := $(UV) pip sync --quiet --require-hashes --python $(PYTHON)
# Stamps of what is installed, newer than the lock they were made from. dev.txt holds run.txt.
TOOLS := $(VENV)/.stamp-tools
RUN := $(VENV)/.stamp-run
DEV := $(VENV)/.stamp-dev
NIGHTLY := $(VENV)/.stamp-nightly
PATHS := $(VENV)/.stamp-paths
# The Python that .venv was made with may be gone (a system upgrade): then all is made anew.
$(shell test -x $(PYTHON) || rm -f $(TOOLS) $(RUN) $(DEV) $(NIGHTLY))

help: ## what can be made (this list)
	@awk -F ':[^#]*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# A sandbox unless a vendor's token would reach the vendor itself; VEZDE_SANDBOX=0 or 1 decides.
run: $(RUN) ## start everything: http://127.0.0.1:8000/playground, data in var/
	@$(PYTHON) web/build.py
	@VEZDE_SANDBOX="$${VEZDE_SANDBOX:-auto}" exec $(PYTHON) -m vezde serve

test: lint ## lint, then every test, those in a browser too
	@$(PYTHON) web/build.py
	@$(PYTHON) tests/browser/chromium.py
	@$(PYTHON) -m pytest

# How long: VEZDE_LEDGER_STEPS in all, VEZDE_FUZZ_SECONDS for each reader.
nightly: $(DEV) $(NIGHTLY) ## what takes too long by day: the ledger's model, readers fuzzed by coverage
	@VEZDE_LEDGER_STEPS="$${VEZDE_LEDGER_STEPS:-100000}" $(PYTHON) -m pytest tests/ledger/test_replay.py
	@PYTHONPATH=$(VENV)/nightly:src:tests $(PYTHON) tests/fuzz/nightly.py

lint: $(DEV) ## format, style, types, layers: look only
	@$(VENV)/bin/ruff format --check --quiet
	@$(VENV)/bin/ruff check --quiet
	@$(VENV)/bin/mypy --no-error-summary
	@$(VENV)/bin/lint-imports --no-logo
	@$(PYTHON) web/build.py lint

lock: $(TOOLS) ## write requirements/*.txt anew from *.in
	@for name in bootstrap run dev nightly; do \
		echo "requirements/$$name.txt"; \
		$(UV) pip compile -q --generate-hashes --no-emit-index-url --universal \
			--python-version 3.11 --no-annotate \
			requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done

bench: $(DEV) ## measure: a JSON line a figure
	@for file in benchmarks/[a-z]*.py; do $(PYTHON) "$$file" || exit 1; done

clean: ## remove .venv and caches; var/ with its data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist \
		web/node_modules src/vezde/_share
	find src tests -name __pycache__ -prune -exec rm -rf {} +

$(RUN): $(TOOLS) requirements/run.txt | $(PATHS)
	@if [ -e $(DEV) ] && [ $(DEV) -nt requirements/run.txt ]; then :; else \
		echo "installing requirements/run.txt"; $(SYNC) requirements/run.txt && rm -f $(DEV); fi
	@touch $@

$(DEV): $(TOOLS) requirements/dev.txt | $(PATHS)
	@echo "installing requirements/dev.txt"
	@$(SYNC) requirements/dev.txt
	@touch $@ $(RUN)

# Beside the others: not every machine has a wheel of it.
$(NIGHTLY): $(TOOLS) requirements/nightly.txt
	@echo "installing requirements/nightly.txt"
	@rm -rf $(VENV)/nightly
	@$(UV) pip install --quiet --require-hashes --no-deps --python $(PYTHON) --target $(VENV)/nightly \
		-r requirements/nightly.txt
	@touch $@

# What is imported from this folder itself: the package, and the shops' client, which a sandbox uses.
$(PATHS): $(TOOLS) Makefile
	@site="$$($(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
		&& printf '../../../../%s\n' src clients/python/src > "$$site/vezde.pth"
	@touch $@

# An existing .venv is kept if it works; else the first Python that will do makes a new one.
$(TOOLS): requirements/bootstrap.txt
	@if ! $(PYTHON) -c 'import pip' 2>/dev/null; then \
		found=; \
		for one in python3.11 python3 python3.12 python3.13 python3.14; do \
			if "$$one" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
			then found="$$one"; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "Vezde needs Python 3.11 or newer with its venv module; here is: $$(python3 --version 2>&1)." >&2; \
			echo "Install it (Debian, Ubuntu: apt install python3 python3-venv), then run make again." >&2; \
			exit 1; \
		fi; \
		echo "making $(VENV) with $$("$$found" --version)"; \
		"$$found" -m venv --clear $(VENV) || exit 1; \
	fi
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements/bootstrap.txt
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m vezde "$$@"\n' > $(VENV)/bin/vezde
	@chmod +x $(VENV)/bin/vezde
	@touch $@
