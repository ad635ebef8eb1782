# Each target is one command that could be typed by hand. `make` alone lists them.

STACK  ?= dev
PYTHON ?= python3
ARGS   ?=

BOOTSTRAP := $(PYTHON) tools/bootstrap
CACHE  := $(or $(BREAKEVEN_CACHE),.cache)
UV     := 0.13.9
LOCK   := $(CACHE)/uv/bin/uv pip compile --generate-hashes --universal --no-header \
	--python-version 3.11 --no-strip-extras --no-emit-index-url --quiet

.DEFAULT_GOAL := help
# No target is a file.
.PHONY: check-focus $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' $(MAKEFILE_LIST))

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  STACK=name picks a stack of stacks/ (now: $(STACK)); ARGS='...' is passed on."

setup: ## Install everything that a preview needs, once
	$(BOOTSTRAP) setup

doctor: ## Say what is missing on this machine, and the command that gets it
	@$(BOOTSTRAP) doctor

preview: ## Show the plan of a stack and its full cost; changes nothing
	@$(BOOTSTRAP) pulumi preview -s $(STACK) $(ARGS)

up: ## Deploy a stack
	@$(BOOTSTRAP) pulumi up -s $(STACK) $(ARGS)

destroy: ## Remove everything that a stack deployed
	@$(BOOTSTRAP) pulumi destroy -s $(STACK) $(ARGS)

rig: ## Start a Kubernetes cluster on this machine, with Karpenter, KEDA and Prometheus
	$(BOOTSTRAP) setup --rig
	$(BOOTSTRAP) run python tools/rig start

rig-stop: ## End that cluster's processes
	$(BOOTSTRAP) run python tools/rig stop

.PHONY: node node-stop test-node
node: ## Start a cluster whose node runs containers, with vLLM for CPUs; needs root; NODES=2 for two
	$(BOOTSTRAP) setup --node
	$(BOOTSTRAP) vllm
	$(BOOTSTRAP) run python tools/node start --nodes $(or $(NODES),1)

test-node: ## Deploy to a node that runs containers, with a real vLLM, and break it; needs root
	$(BOOTSTRAP) setup --dev --node
	$(BOOTSTRAP) vllm
	$(BOOTSTRAP) run pytest tests/node $(ARGS)
	$(BOOTSTRAP) run pytest tests/two_nodes $(ARGS)

node-stop: ## End that node and everything in it
	$(BOOTSTRAP) run python tools/node stop

demo: ## Watch a stack scale for three minutes, with its cost, in a cluster of its own
	$(BOOTSTRAP) setup --rig
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.demo

# A worker for each processor; what one has not begun, another one takes over.
PARALLEL := -n logical --dist worksteal

test: ## Run unit, golden, engine and Prometheus tests, on all processors (ARGS="-n 0": on one)
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest $(PARALLEL) $(ARGS)

test-tools: ## Run the tests of tools/, and those of bundles with a real registry
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest $(PARALLEL) tests/tools tests/registry $(ARGS)

test-sweeps: ## Sweep the recommendation of every stack, 200 points an axis; some ten minutes
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest $(PARALLEL) tests/sweeps $(ARGS)

coverage: ## Say which lines of components/ no unit or golden test runs
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest $(PARALLEL) tests/unit tests/golden --cov=components \
		--cov-report=term-missing:skip-covered $(ARGS)

test-airgap: ## Deploy from a bundle where no network is; needs root and strace
	$(BOOTSTRAP) setup --dev --rig
	$(BOOTSTRAP) run pytest tests/airgap $(ARGS)

test-cluster: ## Deploy every stack to clusters on this machine, three at once, and break them; 20 minutes
	$(BOOTSTRAP) setup --dev --rig
	$(BOOTSTRAP) run pytest -n 3 --dist worksteal tests/cluster $(ARGS)

test-all: ## Run every test there is, one kind after the other; needs root, strace and Chromium
	$(MAKE) test
	$(MAKE) test-tools
	$(MAKE) test-sweeps
	$(MAKE) test-docs
	$(MAKE) test-browser
	$(MAKE) test-gateway
	$(MAKE) check-third-party
	$(MAKE) test-airgap
	$(MAKE) test-cluster
	$(MAKE) vllm-check
	$(MAKE) test-node

test-browser: ## Check the HTML report in headless Chromium, which must be installed
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest tests/browser $(ARGS)

test-gateway: ## Run the gateway's real programs through every fault and every abuse that we know
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest tests/gateway $(ARGS)

vllm-check: ## Start a real vLLM, built for CPUs, as each stack would, and check what the kit assumes
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) vllm
	$(BOOTSTRAP) run pytest tests/vllm $(ARGS)

check-third-party: ## Let checkers of others judge what every stack renders
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest tests/third_party $(ARGS)

check-focus: dev-packages ## Let the FinOps Foundation's validator judge the FOCUS rows of every stack
	$(PYTHON) -m pip install --quiet --upgrade --target $(CACHE)/uv uv==$(UV)
	$(CACHE)/uv/bin/uv venv --quiet --clear --python ">=3.12" $(CACHE)/focus
	$(CACHE)/uv/bin/uv pip install --quiet --python $(CACHE)/focus -r tests/focus/requirements.txt
	FOCUS_VALIDATOR=$(CACHE)/focus/bin/focus-validator .venv/bin/pytest tests/focus $(ARGS)

lint: dev-packages ## Check style, formatting and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy .

format: dev-packages ## Put imports and formatting in order
	.venv/bin/ruff check --select I --fix .
	.venv/bin/ruff format .

golden: ## Regenerate the golden files; look at the diff before committing it
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run pytest tests/golden --snapshot-update $(ARGS)
	.venv/bin/python -m tests.golden.pages

schemas: dev-packages ## Take the schemas of custom resources from the Go modules of their projects
	.venv/bin/python tests/schemas/update.py

report-schema: ## Write the JSON Schema of reports again, after a change of their definition
	.venv/bin/python -m breakeven.reports.document.schema > report.schema.json.new
	mv report.schema.json.new components/breakeven/reports/data/report.schema.json

document-schemas: ## Write the JSON Schemas of what commands answer, after a change of a definition
	.venv/bin/python -m breakeven.cli.documents.schema

price-tables: ## Carry tables of prices into the shipped price book: make price-tables ARGS="TABLE.csv ..."
	env PYTHONPATH=tools .venv/bin/python -m price_tables $(ARGS)

policy-docs: ## Write docs/policies.md anew, after a change of a rule
	.venv/bin/python -m breakeven.policy.reference > docs/policies.md.new
	mv docs/policies.md.new docs/policies.md

settings: ## Generate docs/settings.md, stacks/schema.json and the config block of Pulumi.yaml
	.venv/bin/python -m breakeven.settings.reference

models: ## Write the table of presets in docs/models.md, after a change of models.json or recipes.json
	.venv/bin/python -m breakeven.cli.model.presets

engine-flags: dev-packages ## Read the flags and parsers of a release of vLLM from its wheel (WHEEL=FILE)
	.venv/bin/python -m breakeven.catalog.importers.vllm_wheel $(WHEEL)

engine-bump: dev-packages ## Deploy and test another release of vLLM (VERSION= DIGEST=sha256:... SOURCE="...")
	.venv/bin/python tools/engine_bump "$(VERSION)" "$(DIGEST)" "$(SOURCE)" $(ARGS)
	$(MAKE) lock settings golden ARGS=
	@echo "Now: read the diff, then make vllm-check"

architecture: ## Draw docs/architecture.svg and write its table of folders, from the code
	.venv/bin/python tools/architecture

docs: ## Build the pages of docs/ into .cache/docs/site; a broken link fails
	$(BOOTSTRAP) setup --dev --packages
	$(BOOTSTRAP) run python tools/pages build

test-docs: ## Build the pages, and look at them in headless Chromium where that is installed
	$(BOOTSTRAP) setup --dev --packages
	$(BOOTSTRAP) run pytest tests/pages $(ARGS)

mutation: ## Check whether tests notice changes of the modules that compute money; half an hour
	$(BOOTSTRAP) setup --dev --packages
	$(BOOTSTRAP) run python tools/mutation $(ARGS)

bench: ## Measure what the cost report adds to the time of a preview, of a changed and an unchanged stack
	$(BOOTSTRAP) run python -m bench.preview_overhead $(ARGS)

bench-cost: ## Measure recommend, the simulated week and the import of logs, and how they grow
	$(BOOTSTRAP) run python -m bench.recommend
	$(BOOTSTRAP) run python -m bench.week_simulation
	$(BOOTSTRAP) run python -m bench.traffic_import

bench-commands: dev-packages ## Compare estimate and recommend with the first edition, in pairs, by processor time
	.venv/bin/python -m bench.paired_commands $(ARGS)

bench-page: dev-packages ## Measure what a change of each control of `breakeven serve` computes
	.venv/bin/python -m bench.page_latency $(ARGS)

bench-policies: ## Measure recall of the policy packs on fixtures of other projects (FOLDER=checkouts)
	$(BOOTSTRAP) run python -m bench.policy_recall $(FOLDER)

bench-bundle: ## Measure packing and verifying a bundle beside the disk alone, and its memory
	$(BOOTSTRAP) run python -m bench.bundle $(ARGS)

bench-gateway: ## Measure the gateway beside bare Envoy: late chunks, CPU, first token; needs Go
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.gateway $(ARGS)

bench-gateway-abuse: ## Measure what honest requests see while each abuse of the gateway goes on; 8 minutes
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.gateway_abuse $(ARGS)

bench-first-token: ## Compare first tokens of a real vLLM under load with the plan; idle machine, 6 minutes
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) vllm
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.first_token_curve $(ARGS)

bench-second-opinion: dev-packages ## Compare capacities with AISimulate's, which it installs separately; 15 minutes
	$(PYTHON) -m venv $(CACHE)/aisimulate
	$(CACHE)/aisimulate/bin/pip install --quiet --no-deps --require-hashes -r bench/aisimulate.txt
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.second_opinion \
		$(abspath $(CACHE))/aisimulate/bin/python --page $(ARGS)

bench-first-hour: ## Walk through the product as three new users, and print the seconds of each step
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.first_hour $(ARGS)

GUIDELLM ?= guidellm

bench-forecast: ## Measure a real vLLM, and compare the forecast with other loads (GUIDELLM=PROGRAM); idle machine, 11 minutes
	$(BOOTSTRAP) setup --dev
	$(BOOTSTRAP) vllm
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.forecast --guidellm $(GUIDELLM) $(ARGS)

bench-loop: ## Compare a day in the real autoscalers with the preview; needs dev packages, 10 minutes
	$(BOOTSTRAP) setup --rig
	$(BOOTSTRAP) run env PYTHONPATH=tools python -m bench.closed_loop $(ARGS)

lock: ## Resolve requirements*.txt from pyproject.toml (ARGS=--upgrade: newest)
	$(PYTHON) -m pip install --quiet --upgrade --target $(CACHE)/uv uv==$(UV)
	$(LOCK) pyproject.toml -o requirements.txt $(ARGS)
	$(LOCK) pyproject.toml -o requirements-dev.txt --extra dev -c requirements.txt $(ARGS)
	$(LOCK) tests/gateway/requirements.in -o tests/gateway/requirements.txt $(ARGS)
	$(LOCK) tools/third_party/requirements.in -o tools/third_party/requirements.txt $(ARGS)
	$(LOCK) tests/tools/wheel/requirements.in -o tests/tools/wheel/requirements.txt $(ARGS)
	$(LOCK) tests/focus/requirements.in -o tests/focus/requirements.txt --python-version 3.12 $(ARGS)
	$(LOCK) tools/mutation/requirements.in -o tools/mutation/requirements.txt $(ARGS)
	$(LOCK) bench/aisimulate.in -o bench/aisimulate.txt $(ARGS)
	$(LOCK) tools/pages/requirements.in -o tools/pages/requirements.txt $(ARGS)
	$(LOCK) tests/vllm/inspect/requirements.in -o tests/vllm/inspect/requirements.txt $(ARGS)
	$(LOCK) tools/vllm/requirements.in -o tools/vllm/requirements.txt \
		--override tools/vllm/overrides.txt $(ARGS)

dev-packages:
	@$(BOOTSTRAP) setup --dev --packages
