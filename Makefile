# make run: the app.  make test: everything that is checked.  make check: what is checked in a minute.
# make javascript: the components' script and style, formatted and linted (needs node).
# make coverage: what the tests run through.  make lock: requirements.lock anew.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501

.PHONY: run check test javascript coverage lock chromium clean

run: .venv/installed
	$(BIN)/streamlit run app.py --server.port $(PORT)

check: .venv/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n 2 -m "not slow and not browser"

test: .venv/developing chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

javascript:
	npx --yes @biomejs/biome@2.6.8 check .

coverage: .venv/developing chromium
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest -q -o timeout=900 $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage html --quiet
	$(BIN)/coverage report

lock: .venv/installed
	$(BIN)/pip install --quiet --disable-pip-version-check uv==0.13.9
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  requirements.txt --output-file requirements.lock

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cnnlab needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/developing: .venv/installed requirements-dev.txt requirements-cluster.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The browser tests use a Chromium that is installed; else the system's package; else the test library's own.
chromium: .venv/developing
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; then :; \
	else $(BIN)/playwright install chromium; fi

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .coverage .coverage.* htmlcov
