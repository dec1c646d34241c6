# Sixfold on a bare machine: Python 3.11+ and make are all that is needed.
#   make demo    a whole engagement on generated tickets, results in out/
#   make serve   the application over what the demo left in out/; an empty out/ begins anew
#   make test    the test suite
#   make check   ruff, mypy, import contracts
#   make bench   measurements against bare libraries, written to out/bench.json

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo serve test slow check bench clean

demo: $(VENV)/.ready
	@$(BIN)/python -m engagements.demo

serve: $(VENV)/.ready
	@mkdir -p out && cd out && SIXFOLD_HOME="$${SIXFOLD_HOME:-home}" ../$(BIN)/sixfold serve

test: $(VENV)/.ready
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m "not slow"

slow: $(VENV)/.ready
	@$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

check: $(VENV)/.ready
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/.ready
	@$(BIN)/python tests/benchmarks/run.py

# The stamp is newer than everything it depends on, so a second `make` starts at once.
$(VENV)/.ready: pyproject.toml constraints.txt .ci/assets.py .ci/system-libraries
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name it with: make PYTHON=python3.11")'
	@echo "1/4 system libraries"
	@.ci/system-libraries
	@echo "2/4 virtual environment in $(VENV)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "3/4 packages (minutes the first time, most of them PyTorch)"
	@$(BIN)/python -m pip install --quiet --progress-bar on -c constraints.txt -e '.[bedrock,demo,fireworks,open-models,qlora,s3,vertex,test,check]'
	@echo "4/4 fonts, tokeniser ranks and a small model"
	@$(BIN)/python .ci/assets.py
	@touch $@

clean:
	rm -rf $(VENV) out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
