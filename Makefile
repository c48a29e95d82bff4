# Each environment is made on first use, and again when what it is made from changes.

PYTHON ?= python3
BIN := .venv/bin
FLOOR_BIN := .venv-floor/bin

# Two test processes, each on one thread: more threads than cores slow small networks down.
PYTEST_ARGS := -n 2
export OMP_NUM_THREADS := 1

# Pages that an earlier build wrote would be shown beside those of this one.
REMOVE_PAGES := rm -rf build/docs build/plot_directive docs/auto_examples docs/generated \
  docs/sg_execution_times.rst
# Warnings are errors; nothing is fetched from the network, neither by the build nor by the pages.
SPHINX := $(BIN)/python -m sphinx --fail-on-warning --keep-going --nitpicky --fresh-env --quiet \
  --doctree-dir build/doctrees docs build/docs
REFUSE_NETWORK := ! grep -rlE \
  "(<(script|link|img|iframe)[^>]*(src|href)=\"|(url\(|@import )[\"']?)(https?:)?//" build/docs \
  --include='*.html' --include='*.css'

.DEFAULT_GOAL := help
.PHONY: help demo test test-long test-floor test-integrations test-peers test-spark checks fuzz lint docs gallery browser dist \
  wheel bench bench-defaults bench-detection bench-disk bench-decisions bench-supervised clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/stamp ## Find an unknown speaker among real recordings; writes to demo-output
	$(BIN)/python examples/demo_unknown_speaker.py

test: .venv/stamp lint docs ## Run what must pass before a commit: lint, docs and the suite
	$(BIN)/python -m pytest -m "not long" $(PYTEST_ARGS)

test-long: .venv/stamp ## Run the examples, the code of all pages, and what else takes minutes
	$(BIN)/python -m pytest -m long $(PYTEST_ARGS)

test-floor: .venv-floor/stamp ## Run the suite with the oldest supported dependencies
	$(FLOOR_BIN)/python -m pytest $(PYTEST_ARGS)

test-integrations: .venv-integrations/stamp ## Try what large packages bring: Dask, Ray, Lightning, Arrow, xarray
	.venv-integrations/bin/python -m pytest tests/test_integrations.py tests/test_adapters.py tests/data
	.venv-integrations/bin/python -m pytest tests/test_python_blocks.py -k "clusters or elsewhere"

test-peers: .venv-peers/stamp ## Run the examples for aeon, sktime, dtaianomaly, PyOD and TSB-AD
	.venv-peers/bin/python -m pytest tests/test_adapters.py

test-spark: .venv-spark/stamp ## Score on Spark, in a process of this machine; needs Java
	@java -version > /dev/null 2>&1 || { echo "Java is wanted: apt-get install default-jre-headless"; exit 1; }
	.venv-spark/bin/python -m pytest tests/test_integrations.py -k spark

checks: .venv/stamp .venv-floor/stamp ## Count scikit-learn's checks that pass, newest and oldest
	SCIPY_ARRAY_API=1 $(BIN)/python tests/test_common_checks.py
	SCIPY_ARRAY_API=1 $(FLOOR_BIN)/python tests/test_common_checks.py

fuzz: .venv/stamp ## Try many more examples of what must always hold; FUZZ_EXAMPLES=1000 of each
	FUZZ_EXAMPLES=$(or $(FUZZ_EXAMPLES),1000) $(BIN)/python -m pytest tests/test_fuzz.py $(PYTEST_ARGS)

lint: .venv/stamp ## Check style, formatting and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

docs: .venv/stamp ## Build the documentation in build/docs; the examples are shown, not run
	$(REMOVE_PAGES)
	$(SPHINX)
	$(REFUSE_NETWORK)

gallery: .venv/stamp ## The same, with the examples run for their pictures, which takes minutes
	$(REMOVE_PAGES)
	SPHINX_GALLERY=1 $(SPHINX)
	$(REFUSE_NETWORK)
	$(BIN)/python docs/thumbnails/keep.py

browser: .venv-browser/stamp docs ## Look at every page in a browser, wide and narrow; needs Chromium
	.venv-browser/bin/python -m pytest --noconftest -q docs/browser
	.venv-browser/bin/python docs/browser/check.py build/docs --pictures build/pictures

dist: .venv-release/stamp ## Build the sdist and the wheel in dist, and see that they come out the same twice
	rm -rf dist build/dist
	.venv-release/bin/python -m build --outdir dist
	.venv-release/bin/python -m build --outdir build/dist
	cd dist && for file in *; do cmp $$file ../build/dist/$$file || exit 1; done
	.venv-release/bin/python -m twine check --strict dist/*

wheel: dist ## Install the wheel in an empty environment, and run the README's example there
	rm -rf .venv-wheel
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip install --quiet --constraint constraints.txt dist/*.whl
	.venv-wheel/bin/python -I release/run_readme.py

bench: .venv/stamp .venv-peers/stamp ## Measure speed and memory; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks.speed $(BENCH_ARGS)

bench-defaults: .venv/stamp ## Vary the defaults, as docs/defaults.md tells
	$(BIN)/python -m benchmarks.defaults

bench-decisions: .venv/stamp ## Measure thresholds on the data that SKL_LSTMAE_DATA names
	$(BIN)/python -m benchmarks.decisions $(BENCH_ARGS)

bench-disk: .venv/stamp ## Fit to 20 GB in a file, and print the peak of memory; takes most of an hour
	$(BIN)/python -m benchmarks.disk $(BENCH_ARGS)

bench-detection: .venv/stamp .venv-peers/stamp ## Measure detection on the data that SKL_LSTMAE_DATA names
	.venv-peers/bin/python -m benchmarks.detection --out build/detection.csv $(BENCH_ARGS)
	$(BIN)/python -m benchmarks.detection --out build/detection.csv $(BENCH_ARGS) --report

bench-supervised: .venv/stamp .venv-peers/stamp ## Measure classifiers on the data that SKL_LSTMAE_DATA names
	.venv-peers/bin/python -m benchmarks.supervised $(BENCH_ARGS)

clean: ## Remove the environments and all else that make and its tools wrote
	rm -rf .venv .venv-floor .venv-integrations .venv-spark .venv-peers .venv-browser .venv-release .venv-wheel build demo-output dist \
	  .hypothesis .mypy_cache .pytest_cache .ruff_cache
	$(REMOVE_PAGES)
	find skl_lstmae tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/stamp: pyproject.toml constraints.txt
.venv/stamp: EXTRAS := tests,plots,docs
.venv-floor/stamp: pyproject.toml constraints-floor.txt
.venv-floor/stamp: EXTRAS := tests,plots
.venv-integrations/stamp: pyproject.toml constraints.txt
.venv-integrations/stamp: EXTRAS := tests,integrations
.venv-spark/stamp: pyproject.toml constraints.txt
.venv-spark/stamp: EXTRAS := tests,spark

# What cannot be had is left out. DeepOD would bring an old torch, and TSB-AD much that its LSTM and
# its VUS-PR do without; it uses names that numpy 2 has not.
.venv-peers/stamp: pyproject.toml constraints.txt Makefile
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[benchmarks]'
	for packages in "pytest>=8.3" skorch keras dtaianomaly sequitur pyod sktime "numba statsmodels torchinfo tqdm" \
	  "--no-deps deepod" "--no-deps tsb-ad" "--no-deps aeon"; do \
	  .venv-peers/bin/python -m pip install --quiet --constraint constraints.txt "numpy<2" $$packages \
	    || echo "$$packages could not be installed"; \
	done
	touch $@

.venv-browser/stamp: Makefile
	$(PYTHON) -m venv .venv-browser
	.venv-browser/bin/python -m pip install --quiet "playwright>=1.60" "pytest>=8.3"
	touch $@

.venv-release/stamp: Makefile
	$(PYTHON) -m venv .venv-release
	.venv-release/bin/python -m pip install --quiet "build>=1.2" "twine>=6"
	touch $@

%/stamp:
	$(PYTHON) -m venv $*
	$*/bin/python -m pip install --quiet --constraint $(filter constraints%,$^) \
	  --editable '.[$(EXTRAS)]'
	touch $@
