# SPDX-License-Identifier: Apache-2.0
# The two commands, and the long ones. CMake does the building; this file only says in which order.
#
#   make demo         install what is missing, build, run the main job on the built-in sample
#   make check        install what is missing, build with gcc and clang, pass every test
#   make check-deep   sanitizers, fuzzers and the tests that take long
#   make fuzz         the fuzzers alone, FUZZ_SECONDS each; what they learn stays in FUZZ_CORPUS
#   make bench        kernels of each instruction set and training steps, beside what the machine can do
#   make bench-data   reading: big logs, made first; SIZE=1G, DIR for a folder with room for five times as much
#   make bench-accuracy  the tables of docs/accuracy.md, from the public sets in DATA: hours

BUILD := build/release
FUZZ_SECONDS ?= 60
FUZZ_CORPUS ?= build/fuzz/corpus
SIZE ?= 1G
DATA ?= ../shared/data
DIR ?= $${TMPDIR:-/tmp}/tandem-bench

.PHONY: all setup demo check check-deep asan tsan fuzz clang bench bench-data bench-accuracy clean

all: setup
	cmake --preset release >/dev/null
	cmake --build $(BUILD)

setup:
	sh tools/setup.sh $(EXTRA)

check: EXTRA = arm
check-deep: EXTRA = arm torch

demo: all
	$(BUILD)/bin/tandem demo tandem-demo

clang: setup
	cmake --preset clang >/dev/null
	cmake --build build/clang

asan tsan: setup
	cmake --preset $@ >/dev/null
	cmake --build build/$@
	cd build/$@ && setarch $$(uname -m) -R ctest --output-on-failure -j 2

fuzz: setup
	cmake --preset fuzz >/dev/null
	cmake --build build/fuzz --target fuzzers
	for f in build/fuzz/bin/fuzz_*; do name=$${f##*/}; dict=fuzz/$$name.dict; \
	    echo "$$name"; mkdir -p "$(FUZZ_CORPUS)/$$name"; \
	    $$f -max_total_time=$(FUZZ_SECONDS) -max_len=1024 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1 \
	        -artifact_prefix=build/fuzz/ \
	        $$([ -f "$$dict" ] && echo "-dict=$$dict") "$(FUZZ_CORPUS)/$$name" tests/formats/samples || exit 1; done

check: clang all
	cd $(BUILD) && ctest --output-on-failure

check-deep: asan tsan fuzz check
	cd $(BUILD) && TANDEM_DEEP=1 ctest --output-on-failure -j 2 -R '^(test_(small|mutations|truncations|failures|against|reference)|e2e_published|truth_.*)$$'

bench: setup
	cmake --preset release >/dev/null
	cmake --build $(BUILD) --target bench_kernels
	$(BUILD)/bin/bench_kernels

bench-data: setup
	cmake --preset release >/dev/null
	cmake --build $(BUILD) --target tandem bench_make_log
	bench/prepare.py --size $(SIZE) --folder "$(DIR)" --build $(BUILD)

bench-accuracy: all
	bench/accuracy.py --build $(BUILD) --data "$(DATA)" --folder build/accuracy

clean:
	rm -rf build tandem-demo
