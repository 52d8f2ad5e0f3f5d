# Two commands do all, on a machine with git, make and Python 3.11 or newer: `make lab` and `make test`.
# PYTHON=/path/to/python3 chooses another Python than the first that fits (after `make clean`).

python := .venv/bin/python
unexport PYTHONDONTWRITEBYTECODE  # or each of many processes compiles byhand anew

.PHONY: help lab test lint format environment docs pictures coverage mutants dist bench peers clean
.NOTPARALLEL:

help: ## say what can be made (this)
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

lab: ## run the whole practical; write notebooks/td1_report.html and the two notebooks
	@tools/environment all
	@.venv/bin/byhand lab --out notebooks

test: lint ## lint, and run all the tests, those in a browser too
	@$(python) tests/browser.py
	$(python) -m pytest -n 2 --dist loadgroup

lint: environment ## ruff and mypy
	$(python) -m ruff check
	$(python) -m ruff format --check
	$(python) -m mypy

format: environment ## let ruff put the code in order
	$(python) -m ruff check --fix
	$(python) -m ruff format

environment: ## .venv with byhand, its extras and what the tests need
	@tools/environment all test

mathematics := activations arithmetic datasets docstrings estimators formulas gradient_check layer_door layers \
	layers_and_network losses penalties storage symptoms training

coverage: ## which lines of the mathematics no test of it runs; fewer than pyproject.toml allows end it
	@tools/environment all test coverage
	$(python) -m coverage run -m pytest -q $(wildcard $(mathematics:%=tests/test_%.py))
	$(python) -m coverage report

mutants: environment ## which changes of the mathematics no test notices; one that is not explained ends it
	$(python) tools/mutants.py

docs: ## build and test the manual in docs/_build/html, without a network once its tools are installed
	@tools/environment all test docs
	$(python) -m sphinx -b html -W --keep-going -q docs docs/_build/html
	$(python) -m pytest -q docs
	@echo "docs/_build/html/index.html"

pictures: environment ## shoot the pictures of the README and the manual anew, in docs/images
	@$(python) tests/browser.py
	$(python) docs/building/pictures.py

dist: ## build sdist and wheel; check them, and run each verb from the wheel in new environments
	@tools/environment all test dist
	$(python) tools/dist.py

rounds = 3
bench: ## measure how long the library takes beside others (installs PyTorch and JAX); rounds=1 for a quick look
	@tools/environment all bench
	$(python) -m benchmarks --rounds $(rounds)
	$(python) benchmarks/bench_study.py --rounds $(rounds)
	$(python) benchmarks/bench_layers.py --rounds $(rounds)

peers: ## hold the library against PyTorch (and install it)
	@tools/environment all test peers
	$(python) -m pytest peers

clean: ## remove the environment and what the tools left; notebooks/ stays
	rm -rf .venv .coverage build dist docs/_build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
