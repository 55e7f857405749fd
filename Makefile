# make run: the app.  make test: everything that is checked.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8501

.PHONY: run test chromium clean

run: .venv/installed
	$(BIN)/streamlit run app.py --server.port $(PORT)

test: .venv/developing chromium
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "cnnlab needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

.venv/developing: .venv/installed requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

# The browser tests use a Chromium that is installed; else the system's package; else the test library's own.
chromium: .venv/developing
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	  && apt-get update -qq && apt-get install -y -qq chromium >/dev/null; then :; \
	else $(BIN)/playwright install chromium; fi

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache
