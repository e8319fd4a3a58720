# README's two commands are `make demo` and `make test`. Everything they need is installed here: Debian packages where
# this is root, Python packages into .venv by the lock files' hashes.

PYTHON ?= python3
BIN := .venv/bin
export FORGELAB_LAB_DIR ?= /var/lib/forgelab-lab

LAB_PACKAGES := mmdebstrap systemd-container lxcfs nftables iproute2 openssh-client
TEST_PACKAGES := $(LAB_PACKAGES) postgresql redis-server chromium gnupg

.PHONY: demo demo-stop test test-fast lint docs bench matrix lock clean

demo: $(BIN)/.installed
	@sh tests/support/system_packages.sh $(LAB_PACKAGES)
	@FORGELAB_DATA_DIR=$(CURDIR)/var/demo $(BIN)/forgelab demo

demo-stop: $(BIN)/.installed
	@FORGELAB_DATA_DIR=$(CURDIR)/var/demo $(BIN)/forgelab demo --stop

test: $(BIN)/.installed-dev
	@sh tests/support/system_packages.sh $(TEST_PACKAGES)
	@sh tests/support/run_all.sh

test-fast: $(BIN)/.installed-dev
	$(BIN)/pytest -q -m "not lab and not browser"

lint: $(BIN)/.installed-dev
	@sh tests/support/lint.sh

docs: $(BIN)/.installed
	@$(BIN)/forgelab docs
	@FORGELAB_RECIPES_DIR=/nonexistent $(BIN)/python manage.py spectacular --file docs/openapi.yml

# Every server type and every option that changes what is installed, on lab devices; CASES="worker cache-redis" for some.
matrix: $(BIN)/.installed-dev
	@sh tests/support/system_packages.sh $(LAB_PACKAGES)
	$(BIN)/python -m matrix $(CASES)

bench: $(BIN)/.installed-dev
	@sh tests/support/system_packages.sh $(LAB_PACKAGES)
	$(BIN)/python -m bench

lock:
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-header --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

clean:
	rm -rf .venv var .pytest_cache .mypy_cache .ruff_cache

$(BIN)/.installed: requirements.lock pyproject.toml
	@sh tests/support/make_venv.sh "$(PYTHON)" requirements.lock
	@touch $@

$(BIN)/.installed-dev: requirements-dev.lock pyproject.toml
	@sh tests/support/make_venv.sh "$(PYTHON)" requirements-dev.lock
	@touch $@ $(BIN)/.installed
