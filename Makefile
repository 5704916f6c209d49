# Everything a newcomer types. Each target makes what it needs first.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
INSTALLED := $(VENV)/.installed

.PHONY: help setup format lint types imports mirrored check test test-slow test-gpu demo bench bench-check torture torture-bytes torture-processes reproduce reproduce-table2 checkpoints docs figures notebook clean system-libraries
.DEFAULT_GOAL := help

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: system-libraries $(INSTALLED) ## Make .venv and install s4tok with its test tools
	@$(BIN)/pre-commit install >/dev/null 2>&1 || true

$(INSTALLED): pyproject.toml
	@test -x $(BIN)/python || tools/make-venv.sh $(PYTHON) $(VENV)
	@echo "installing s4tok and its packages into $(VENV): about 3 GB to download, 7 GB on the disk, some minutes"
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --progress-bar off --editable '.[dev]'
	@echo "installed"
	@touch $@

system-libraries:
	@tools/system-libraries.sh

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(INSTALLED) ## Check format and habits
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED) ## Check types with mypy (strict) and pyright
	$(BIN)/mypy
	$(BIN)/pyright

imports: $(INSTALLED) ## Check that dependencies go one way down
	PYTHONPATH=.:pipelines:cache $(BIN)/lint-imports

mirrored: $(INSTALLED) ## Check that test files lie at the path of what they test
	$(BIN)/python tools/mirrored_tests.py

check: lint types imports mirrored ## lint, types, imports and mirrored

test: system-libraries $(INSTALLED) ## Run the tests, but for slow ones, and print their coverage
	$(BIN)/pytest --cov -n logical --maxprocesses 4 --dist worksteal $(ARGS)

test-slow: system-libraries $(INSTALLED) ## Run the slow tests, and a little of make torture
	$(BIN)/pytest -m "slow or torture" $(ARGS)

test-gpu: $(INSTALLED) ## Run the tests that need a GPU
	$(BIN)/pytest -m gpu $(ARGS)

demo: system-libraries $(INSTALLED) ## Run all six stages on synthetic data, from nothing: pictures in demo/
	PATH="$(CURDIR)/$(BIN):$$PATH" examples/six_stages.sh

bench: $(INSTALLED) ## Time s4tok beside its peers (ARGS="--quick", "--json", "--keep"); the other benchmarks say how they are run
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/peers.py $(ARGS)

bench-check: $(INSTALLED) ## Fail where a ratio to a peer has grown by a quarter since it was kept
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/peers.py --quick --check $(ARGS)

REPRODUCE = $(BIN)/s4tok reproduce $(1) $(if $(DATA),--data "$(DATA)") $(if $(CLIP),--clip "$(CLIP)") \
	$(if $(filter-out 0,$(QUICK)),--quick) $(if $(filter-out 0,$(TRAIN)),--train) $(if $(SEEDS),--seeds $(SEEDS)) \
	$(if $(OUT),--out "$(OUT)") $(ARGS)

reproduce: system-libraries $(INSTALLED) ## Make every table and figure of both papers, and a page of them; QUICK=1 shows in minutes that it works
	$(call REPRODUCE,all)

reproduce-table2: system-libraries $(INSTALLED) ## Make Table 2 of the paper: on the synthetic data, or DATA=DIR CLIP=NAME; TRAIN=1 SEEDS=3 OUT=DIR
	$(call REPRODUCE,table2)

reproduce-%: system-libraries $(INSTALLED) # reproduce-table3, reproduce-figureA and the like, with the same options
	$(call REPRODUCE,$*)

checkpoints: system-libraries $(INSTALLED) ## Train every checkpoint that ships, GROUP=ships SEEDS="0": hours, said before it starts; resumes
	$(BIN)/python examples/checkpoints/train.py $(or $(GROUP),ships) --seeds $(or $(SEEDS),0) $(ARGS)

docs: $(INSTALLED) ## Build the site into site/, and stop at any warning
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=.:pipelines:cache $(BIN)/python -m mkdocs build --strict

figures: system-libraries $(INSTALLED) ## Make the pictures of README and docs again, by the commands beside them
	for page in figures superpoint_figure viewer_figure stage_figures; do PYTHONPATH=.:pipelines:cache $(BIN)/python -m tools.pages.$$page || exit 1; done
	$(BIN)/s4tok segment toy-shapes --split test --limit 8 --auto --preview docs/images/parts.png
	$(BIN)/s4tok data make toy --picture docs/images/toy-shapes.png --rooms-picture docs/images/toy-rooms.png
	$(BIN)/s4tok data make home --rooms-picture docs/images/home-rooms.png
	PYTHONPATH=.:pipelines:cache $(BIN)/python examples/trials/few_shot.py --kept docs/results/few-shot.json --picture docs/images/few-shot.png

notebook: $(INSTALLED) ## Run the tutorial again, and keep what it prints and draws
	PYTHONPATH=.:pipelines:cache $(BIN)/python -m tools.pages.run_notebook docs/tutorials/*.ipynb

torture: $(INSTALLED) ## Kill, starve, corrupt and cut the cache's power (N=200 kills, the rest in proportion; SEED=0)
	@$(MAKE) --no-print-directory --jobs=2 --keep-going --output-sync torture-bytes torture-processes

TORTURE := TORTURE=$(or $(N),200) SEED=$(SEED) OMP_NUM_THREADS=1 $(BIN)/pytest -m torture $(ARGS)

torture-bytes:
	$(TORTURE) tests/torture/test_[dfpsv]*.py

torture-processes:
	$(TORTURE) tests/torture/test_[!dfpsv]*.py

clean: ## Remove what the tools leave behind (keeps .venv and your caches)
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage build dist site
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
