# `make demo` and `make test` set up all that they need by themselves. CI runs these same targets (.ci/run).

BIN := .venv/bin
export URL CASE PAGES k
unexport PYTHONDONTWRITEBYTECODE  # hundreds of processes would each compile all of it anew

.PHONY: all setup demo capture test slow oracles ocr bench platforms validation mutants check licences fix lock

all: check licences test        ## what has to hold before a change is offered

setup:                          ## .venv, locked dependencies, a browser, fonts; at once when all is there
	@./bootstrap.sh

demo: setup                     ## capture a make-believe promotion, verify it, hand it over, flip one byte, see it named
	@$(BIN)/python -m tests.site.demo

capture: setup                  ## make capture URL='https://…' CASE=name [ARGS='--no-follow']
	@test -n "$$URL" -a -n "$$CASE" || { echo "usage: make capture URL='https://…' CASE=name" >&2; exit 2; }
	@$(BIN)/counterproof capture "$$URL" --case "$$CASE" $(ARGS)

test: setup                     ## all but the slow tests, the outside network cut; make test k=hops runs the ones so named
	@.ci/cut $(BIN)/pytest -n 4 --dist loadfile -m "not slow" $${k:+-k "$$k"}

slow: setup                     ## the slow tests: full matrices, faults, replay (pytest ends 5 where there are none)
	@.ci/cut $(BIN)/pytest -n 3 --dist loadfile -m slow $${k:+-k "$$k"} || test $$? -eq 5

oracles: setup                  ## other people's programs that packages are replayed in, apart from ours; the slow tests use them
	@.ci/oracles

ocr: setup                      ## what reads text in pictures (the extra `ocr`): 140 MB to fetch, 350 MB on disk; the slow tests use it
	@$(BIN)/python -c 'import rapidocr' 2>/dev/null || $(BIN)/python -m pip --disable-pip-version-check --no-input -qq install \
		--no-deps --require-hashes --requirement requirements-ocr.lock

bench: setup                    ## how fast, each against a bare loop in the same run; make bench NAMES='tree' runs those so named
	@$(BIN)/python -m bench $(NAMES)

platforms: setup                ## how right the readers are on labelled saved pages: make platforms PAGES=DIR
	@test -n "$$PAGES" || { echo "usage: make platforms PAGES=DIR (a folder with index.jsonl)" >&2; exit 2; }
	@$(BIN)/python -m bench.platforms "$$PAGES" $(ARGS)

validation: setup               ## how often captures of known pages are wrong, by kind and profile; PAGES= PROFILES= SEED= LIMITS='text=0.1'
	@$(BIN)/python -m tests.validation $(if $(PAGES),--pages $(PAGES)) $(if $(PROFILES),--profiles $(PROFILES)) \
		$(if $(SEED),--seed $(SEED)) $(if $(LIMITS),--at-most $(LIMITS))

mutants: setup                  ## changes the verifier in one place at a time: does a test notice? make mutants MODULES=merkle
	@$(BIN)/python .ci/mutants.py $(MODULES)

check: setup                    ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

licences: setup                 ## nothing under the GPL or AGPL in the environment
	@$(BIN)/python .ci/licences.py

fix: setup                      ## what a machine can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup                     ## requirements.lock from pyproject.toml; make lock UP=--upgrade takes newer releases
	@test -x .state/uv/bin/uv || { $(BIN)/python -m venv .state/uv && .state/uv/bin/pip install --quiet 'uv>=0.9,<1'; }
	@echo hatchling | .state/uv/bin/uv pip compile pyproject.toml - --extra dev --universal --python-version 3.11 \
		--generate-hashes --custom-compile-command 'make lock' --quiet $(UP) --output-file requirements.lock
	@.state/uv/bin/uv pip compile pyproject.toml --extra ocr --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet $(UP) --output-file .state/ocr.lock
	@$(BIN)/python .ci/beyond.py .state/ocr.lock requirements.lock >requirements-ocr.lock
	@for each in wacz==0.6.0 pywb==2.10.0 case-utils==0.18.0; do echo "$$each" | .state/uv/bin/uv pip compile - --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command 'make lock' --quiet $(UP) \
		--output-file "tests/oracles/replay/$${each%%==*}.txt" || exit; done
