# make help lists the targets.  The work is in scripts/, each with --help.

.DEFAULT_GOAL := help
.PHONY: help setup demo test check serve bench docs clean distclean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## install what is missing: Debian packages, .venv, pjsua2, this project
	@scripts/setup

demo: setup  ## a real call from a trunk to an agent on this machine, with everything it leaves behind
	@scripts/demo

test:  ## set up, then all checks and tests
	@scripts/test

check:  ## all checks and tests, without the set-up
	@scripts/check

serve: setup  ## run the server with ./tandem.toml, or on embedded defaults
	@.venv/bin/tandem serve

bench: setup  ## measure, beside Sippy B2BUA
	@scripts/bench all

docs: setup  ## write the generated pages in docs/ again
	@.venv/bin/python scripts/gen_config_docs

clean:  ## remove what tools and tests left behind
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
	find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean  ## the same, and the virtual environment (not the cached builds, not the data folder)
	rm -rf .venv
