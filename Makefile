# Every target works on a fresh machine: what it needs, it makes first.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: setup up test test-aws test-rig lint bench lock programs rig

setup: .venv/ready tests/doubles/node_modules/ready

.venv/ready: requirements/dev.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# fauxqs, the tests' stand-in for SQS, runs on the Node that the line above brought.
tests/doubles/node_modules/ready: tests/doubles/package-lock.json .venv/ready
	tools/install_doubles.sh
	touch $@

up: .venv/ready
	$(BIN)/iraas up

test: setup programs
	$(BIN)/pytest

# The deployment on a miniature AWS whose instances boot. As root; `make test` takes the best kind that it finds.
test-rig: setup rig
	IRAAS_RIG=booted $(BIN)/pytest tests/e2e/rig tests/integration/rig

# The same contract suites against a real account: credentials and region as the AWS SDK finds them.
test-aws: setup
	@echo "Some 2,000 requests to SQS and 3,000 to S3 in your account: about one US cent. Queues and buckets are called iraas-test-..."
	IRAAS_TEST_AWS=1 $(BIN)/pytest tests/contract/test_sqs_queue.py tests/contract/test_s3_blobs.py -k OnAws

programs:
	@tools/install_programs.sh

# What the booted instances of the tests stand on: a tree of Debian, and a release.
rig: .venv/ready
	@tools/make_rig.sh

# checkov pins what others of ours need newer: an environment of its own.
.venv/checks/ready: requirements/checks.lock
	$(PYTHON) -m venv .venv/checks
	.venv/checks/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements/checks.lock
	touch $@

lint: setup .venv/checks/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint src/iraas/deploy/templates/*.yaml
	.venv/checks/bin/checkov --config-file .checkov.yaml --directory src/iraas/deploy/templates

# python-multipart, which FastAPI needs for forms, would hide our `multipart` in the same environment.
bench: setup
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps --upgrade --target .venv/contenders -r requirements/bench.lock
	$(BIN)/python -m bench

lock:
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade -o requirements/dev.lock
	uv pip compile requirements/checks.in --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade -o requirements/checks.lock
	for pair in x86_64:x86_64 aarch64:arm64; do \
		uv pip compile pyproject.toml --extra aws --only-binary :all: --python-platform $${pair%:*}-manylinux_2_36 --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --upgrade -o src/iraas/deploy/requirements-$${pair#*:}.txt || exit 1; \
	done
