# gomosaic: two commands matter, make tutorial and make test; make help lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

# The clone's own Go settings, whatever the user's are.
export GOTOOLCHAIN := local
export GOFLAGS :=
export GOWORK := off

gomosaic := .venv/bin/gomosaic
clone := $(CURDIR)
started := $(shell date +%s)
run-tutorial := .venv/bin/python notebooks/run.py notebooks/01_simplify_data_loading.ipynb

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | column -t -s "$$(printf '\t')"

.PHONY: tutorial
tutorial: setup ## set up, run the tutorial notebook headless, print its validation accuracy
	@$(run-tutorial) --setup-seconds $$(( $$(date +%s) - $(started) ))

.PHONY: lab
lab: setup ## open the notebooks in JupyterLab
	@.venv/bin/python -m jupyterlab --notebook-dir notebooks --allow-root

.PHONY: setup
setup: build ## .venv with Jupyter and libtorch, the gomosaic binary, the shim, the compile cache, the kernelspec
	@$(gomosaic) warm
	$(gomosaic) install --prefix "$(clone)/.venv"

.PHONY: build
build: ## .venv and in it the binary, .venv/bin/gomosaic
	@setup/venv.sh
	SECONDS=0
	CGO_ENABLED=1 go build -trimpath -ldflags "-s -w -X 'main.moduleDir=$(clone)'" -o $(gomosaic) ./kernel/cmd/gomosaic
	[ $$SECONDS -lt 5 ] || echo "Built $(gomosaic) in $$SECONDS s"

.PHONY: test
test: setup lint ## unit, golden and contract tests, the race detector, the notebook, the browser; ≤ 15 minutes on 2 cores
	@export CHROMIUM=$$(setup/chromium.sh)
	go test -timeout 20m $$(go list ./... | grep -vxF -e gomosaic/notebooks -f setup/race-packages) # a busy machine is slow, not wrong
	go test -timeout 20m -race $$(cat setup/race-packages)
	go test -timeout 20m ./notebooks # alone: it trains, which other work at the same time slows down out of proportion

.PHONY: lint
lint: ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }
	go vet ./...
	go vet -tags spark ./mdslib/spark ./notebooks ./trainlib/dist
	go tool staticcheck ./...
	go tool staticcheck -tags spark ./mdslib/spark ./notebooks ./trainlib/dist

.PHONY: test-long
test-long: reference setup ## full case counts and soaks, 1,000 random data sets, each fuzz target for two minutes; hours
	@GOMOSAIC_LONG=1 CHROMIUM=$$(setup/chromium.sh) go test -p 1 -timeout 2h ./... # one package at a time: of the stores' each takes up to 13 GB of disk
	(cd interop && INTEROP_CASES=1000 ../.venv-reference/bin/python -W ignore::ResourceWarning -m unittest -v test_mds)
	$(MAKE) fuzz FUZZTIME=2m

.PHONY: test-spark
test-spark: reference setup ## Spark: a real server with two executors (Java 17), each relation beside PySpark and the local engine; the tutorial there and here
	@export SPARK_HOME= SPARK_DRIVER_MEMORY=1g PYSPARK_PYTHON="$(clone)/.venv-reference/bin/python"
	go test -tags spark -count=1 -timeout 20m -ldflags "-s -w" ./mdslib/spark # which sends itself to the executors, again and again
	go test -tags spark -count=1 -timeout 20m -run TestLiveSpark ./kernel
	go test -tags spark -count=1 -timeout 20m -run TestTutorialOnSpark ./notebooks
	go test -tags spark -count=1 -timeout 20m -v -run TestSparkGPUs ./trainlib/dist # skipped where there is no GPU

FUZZTIME ?= 10s
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME, 10s; what one fails on is written below its package's testdata/fuzz
	@setup/fuzz.sh $(FUZZTIME)

.PHONY: bench-kernel
bench-kernel: setup ## how long a cell takes, beside gonb where GONB=PATH names its binary
	@.venv/bin/python bench/kernel/measure.py

.PHONY: bench-mds
bench-mds: reference ## how fast MDS is written and read, beside mosaicml-streaming, litdata and webdataset; ≤ 10 minutes
	@go build -o bench/out/mds ./bench/mds
	.venv-reference/bin/python bench/mds/measure.py --ours bench/out/mds 2>bench/out/mds.log || { tail -n 20 bench/out/mds.log >&2; exit 1; }

.PHONY: bench-spark
bench-spark: reference ## how fast Spark's executors write MDS and rows come as Arrow, beside PySpark with dataframe_to_mds; ≤ 25 minutes
	@go build -o bench/out/spark ./bench/spark
	@SPARK_HOME= .venv-reference/bin/python bench/spark/measure.py --ours bench/out/spark 2>bench/out/spark.log || { tail -n 20 bench/out/spark.log >&2; exit 1; }

.PHONY: bench-train
bench-train: reference setup ## epochs of mobilenet_v2 beside Python's torch, torchvision and mosaicml-streaming, on a GPU where there is one
	@.venv-reference/bin/python bench/train/measure.py

.PHONY: reference
reference: ## .venv-reference: the Python packages that gomosaic is compared with
	@setup/reference.sh

.PHONY: interop
interop: reference setup ## live against the reference packages: data, order, checkpoints, the tutorial's own output
	@[ -e notebooks/out/mobilenet_v2.pt ] || $(run-tutorial)
	cd interop && ../.venv-reference/bin/python -W ignore::ResourceWarning -m unittest -v

.PHONY: clean
clean: ## remove what make made in this clone (not the user's cache)
	@rm -rf .venv .venv-reference notebooks/out bench/out
