# Needs make, a Python from 3.10 to 3.13 and a package registry. No root. `make help` lists the targets.
# Every path is relative, so the checkout may lie in a folder with spaces in its name.

# A Python to build the virtual environment with: make run PYTHON=/path/to/python3.12
PYTHON ?=
PORT ?= 8000
# More options for pytest or train_model: make test ARGS="recognizer -k canvas"
ARGS ?=

VENV := .venv
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest --numprocesses auto --dist loadgroup --no-loadscope-reorder
INSTALLED := $(VENV)/installed
INSTALLED_DEV := $(VENV)/installed-dev
COLLECTED := $(VENV)/static
CANDIDATES := python3 python3.13 python3.12 python3.11 python3.10

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test test-postgres coverage lint format audit screenshot train clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

run: export STATIC_ROOT = $(COLLECTED)
run: $(INSTALLED) $(COLLECTED)/staticfiles.json ## install what is missing and serve the site on 127.0.0.1:8000 (PORT=...)
	@$(PY) manage.py migrate --no-input --verbosity 0
	@$(PY) manage.py ensure_admin
	@echo "DigitSite: http://127.0.0.1:$(PORT)/ (admin: /admin/). Ctrl-C stops it."
	$(serve)

test: $(INSTALLED_DEV) ## run the tests on all cores, in random order (ARGS="recognizer -k canvas")
	$(PYTEST) $(ARGS)

test-postgres: $(INSTALLED_DEV) ## run the tests that depend on the database on a temporary PostgreSQL
	$(PY) -m recognizer.tests.support.servers $(PYTEST) -m store $(ARGS)

coverage: $(INSTALLED_DEV) ## run the tests and print the share of lines that they cover, by folder
	$(PYTEST) --cov --cov-report= $(ARGS)
	@for folder in digitsite recognizer/*/ training/*/ recognizer training; do \
		share=$$($(PY) -m coverage report --format=total --precision=1 --include="$${folder%/}/**" --omit="*/tests/*" 2>/dev/null) && \
			printf '%-28s%6s %%\n' "$${folder%/}" "$$share" || true; \
	done
	@echo "Lines that no test runs: $(PY) -m coverage report --show-missing --skip-covered"

lint: $(INSTALLED_DEV) ## check style, types, imports, settings, migrations, the API schema, JavaScript
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PY) -W error::DeprecationWarning manage.py check --fail-level WARNING
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	$(lint_javascript)

format: $(INSTALLED_DEV) ## format the code and auto-fix what ruff can
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

audit: $(INSTALLED_DEV) ## look for known vulnerabilities in what a web machine installs (asks pypi.org)
	$(PY) -m pip_audit --disable-pip --requirement requirements-serve.lock

screenshot: $(INSTALLED_DEV) ## draw in Chromium and write docs/screenshot.png and docs/drawing.gif
	$(PY) -m benchmarks.pictures.screenshots

train: $(INSTALLED) ## train a model (ARGS="--epochs 4"; see manage.py train_model --help)
	$(PY) manage.py train_model $(ARGS)

clean: ## remove the virtual environment and caches; the database and your models stay
	rm -rf $(VENV) staticfiles .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ESLint and TypeScript check the page's JavaScript. The site itself needs no Node.js, and neither does who has none.
define lint_javascript
	@set -eu; \
	if command -v npm >/dev/null && [ "$$(node -p 'parseInt(process.versions.node)')" -ge 20 ]; then \
		[ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error; \
		npm run --silent lint; \
	elif [ "$${REQUIRE_BROWSER:-}" = 1 ]; then \
		echo "Node.js 20 or later with npm is missing, and REQUIRE_BROWSER=1." >&2; exit 1; \
	else \
		echo "The JavaScript was not checked: that needs Node.js 20 or later with npm."; \
	fi
endef

# Installing. A stamp inside the virtual environment is as new as the requirements it was installed from. An install
# that was cut off leaves "installing" behind, and the next call starts over with an empty environment: pip takes a
# half-written package for a whole one. So does an environment whose Python is gone.
$(shell test ! -d $(VENV) || $(PY) -c '' 2>/dev/null || rm -f $(INSTALLED) $(INSTALLED_DEV))

$(INSTALLED): requirements.txt
	$(call install,requirements.txt)
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements.txt
	$(call install,requirements-dev.txt)
	@touch $(INSTALLED) $@

# The site, and beside it the worker that trains. Each ends with the other, but for a worker that is killed: it is
# started again. A shell that waits in the background hears at once that it is to end; one that runs a command does not.
define serve
	@work() { \
		while :; do \
			$(PY) manage.py db_worker --verbosity 0 & child=$$!; \
			trap 'kill $$child 2>/dev/null; wait $$child; exit' TERM; \
			wait $$child; \
			sleep 2 & child=$$!; \
			wait $$child; \
			echo "The worker has ended. Another one starts." >&2; \
		done; \
	}; \
	work & worker=$$!; \
	trap 'trap "" INT TERM HUP; kill $$worker $$site 2>/dev/null; wait' EXIT; \
	trap 'exit 0' INT TERM HUP; \
	$(PY) -m gunicorn --bind "127.0.0.1:$(PORT)" --log-level warning digitsite.wsgi & site=$$!; \
	wait $$site
endef

# Hashed and compressed, as a public site has them. In a folder of their own: `runserver` shows what is edited at once.
$(COLLECTED)/staticfiles.json: $(INSTALLED) $(shell find static -type f)
	@rm -rf $(COLLECTED)
	@STATIC_ROOT=$(COLLECTED) $(PY) manage.py collectstatic --no-input --verbosity 0

define install
	@set -eu; \
	if [ -e $(VENV)/installing ] || ! $(PY) -c 'import pip' 2>/dev/null; then \
		chosen=; \
		for python in $(if $(PYTHON),'$(PYTHON)',$(CANDIDATES)); do \
			if "$$python" -c 'import sys, ensurepip, venv; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
			then chosen=$$python; break; fi; \
		done; \
		if [ -z "$$chosen" ]; then \
			echo "No Python from 3.10 to 3.13 with the venv module found (tried: $(or $(PYTHON),$(CANDIDATES)))." >&2; \
			echo "Install one (on Debian and Ubuntu: python3-venv too), or name it: make PYTHON=/path/to/python3.12" >&2; \
			exit 1; \
		fi; \
		echo "Making a virtual environment in $(VENV) with $$("$$chosen" --version)"; \
		"$$chosen" -m venv --clear $(VENV); \
	fi; \
	echo "Installing $(1) into $(VENV) (the first time takes some minutes)"; \
	touch $(VENV)/installing; \
	status=0; $(PY) -m pip install --disable-pip-version-check --quiet -r $(1) || status=$$?; \
	[ $$status -gt 2 ] || rm -f $(VENV)/installing; \
	exit $$status
endef
