# make run    environment, model, knowledge base, page
# make test   environment, tests
# make attack kills, full disks, damage and sixteen readers, for half an hour; make test has a slice
# make eval   figures of the project's own sets; make report  a page of all results
PYTHON ?= $(firstword $(shell command -v python3.11 python3 2>/dev/null) python3)
CORPUS ?= corpus
KB ?= kb
RESULTS ?= eval/results/*.json
PORT ?= 8501
SIZES ?= 1000 10000
CASES ?= 350
SEED ?= 7
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test attack fuzz lint eval report bench chromium clean

# Building again is quick: vectors are kept, and what has not changed is not encoded.
run: $(VENV)/.installed
	$(BIN)/policy-qa build "$(CORPUS)" --kb "$(KB)"
	POLICY_QA_KB="$(KB)" $(BIN)/streamlit run app.py --server.port $(PORT)

# A file of tests stays in one process, so that what its tests share is made once.
test: $(VENV)/.tested chromium
	$(BIN)/pytest -n auto --dist loadfile

attack: $(VENV)/.tested
	POLICY_QA_ATTACK=full $(BIN)/pytest -s tests/test_crash.py tests/test_corruption.py \
		tests/test_concurrency.py

# Hostile and damaged input, some 11,000 cases; the same seed makes the same cases.
fuzz: $(VENV)/.tested
	$(BIN)/python benchmarks/fuzz.py --cases $(CASES) --seed $(SEED)

lint: $(VENV)/.tested
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

eval: $(VENV)/.installed
	$(BIN)/policy-qa build corpus --kb "$(KB)-eval"
	$(BIN)/policy-qa eval eval/original eval/translated eval/seed --kb "$(KB)-eval"

# Of the results that are there, or else of those that `make eval` makes now.
report: $(VENV)/.tested
	@ls $(RESULTS) >/dev/null 2>&1 || $(MAKE) eval
	$(BIN)/policy-qa eval --report $(RESULTS) --out eval/results/report.md

# The last three need ../shared/data; SIZES=--full grows to a million passages, which takes hours.
bench: $(VENV)/.tested
	$(BIN)/python benchmarks/encoder_paths.py
	$(BIN)/python benchmarks/queries.py
	$(BIN)/python benchmarks/page.py
	$(BIN)/python benchmarks/scale.py $(SIZES)
	$(BIN)/python benchmarks/cold_start.py
	$(BIN)/python benchmarks/building.py
	$(BIN)/python benchmarks/indexes.py

# The page tests need a browser; without one they are skipped, and say so.
chromium:
	@{ command -v "$$POLICY_QA_CHROMIUM" || command -v chromium || command -v chromium-browser || \
		command -v google-chrome; } >/dev/null 2>&1 || \
		{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
		apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null; } || \
		echo "No Chromium: the page tests will be skipped. Install it, for example with: sudo apt install chromium fonts-noto-cjk"

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "policy_qa needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "Python cannot make an environment. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[files]'
	@touch $@

$(VENV)/.tested: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,dev,report]'
	@touch $@

clean:
	rm -rf $(VENV) $(KB) $(KB)-eval runs
