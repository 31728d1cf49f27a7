# Signed documents and what the warden remembers of them: their sources, tests and fuzzer.
# Included by Makefile; alone: make -C bpf -f documents.mk document-tests

DOCUMENT_SOURCES := documents.c devices.c stored.c standing.c receipt.c
DOCUMENT_HEADERS := receipt.h documents.h devices.h stored.h standing.h tests/documents-made.h tests/standing-made.h
DOCUMENT_TESTS := build/tests/documents build/tests/standing build/tests/standing-crash \
	build/tests/receipt

# Every test runs under both sanitizers, and the first finding ends it.
DOCUMENT_CFLAGS := -std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: document-tests

document-tests: $(DOCUMENT_TESTS)
	for test in $(DOCUMENT_TESTS); do $$test || exit 1; done

# What the crash test stands between; it notes each call, and lets one fail.
build/tests/standing-crash: DOCUMENT_LDFLAGS := \
	-Wl,--wrap=openat,--wrap=write,--wrap=fsync,--wrap=renameat,--wrap=unlinkat

$(DOCUMENT_TESTS): build/tests/%: tests/%.c $(DOCUMENT_SOURCES) $(DOCUMENT_HEADERS)
	@mkdir -p $(@D)
	clang $(DOCUMENT_CFLAGS) $(DOCUMENT_LDFLAGS) $< $(DOCUMENT_SOURCES) -lsodium -o $@

# The warden, and whatever is tested with it, links them all.
DOCUMENT_OBJECTS := $(DOCUMENT_SOURCES:%.c=build/%.o)
build/warden: $(DOCUMENT_OBJECTS)
TESTED += $(DOCUMENT_OBJECTS)

# Two minutes on one core, beginning with the committed vectors; needs Debian's libclang-rt-dev.
FUZZ_SECONDS ?= 120
VECTORS := ../packages/crypto/vectors/documents
CORPUS := build/tests/corpus

.PHONY: fuzz

fuzz: build/tests/fuzz-documents
	@mkdir -p $(CORPUS)
	sed -n 's/^document /00/p' $(VECTORS)/device-list.txt | split -l1 - $(CORPUS)/list-
	sed -n 's/^document /01/p' $(VECTORS)/window-order.txt | split -l1 - $(CORPUS)/order-
	for seed in $(CORPUS)/list-* $(CORPUS)/order-*; do \
		tr -d '\n' <$$seed | tr a-f A-F | basenc --base16 -d >$$seed.new && mv $$seed.new $$seed || exit 1; done
	build/tests/fuzz-documents -max_total_time=$(FUZZ_SECONDS) -max_len=65600 $(CORPUS)

build/tests/fuzz-documents: tests/fuzz-documents.c documents.c documents.h
	@mkdir -p $(@D)
	clang $(DOCUMENT_CFLAGS) -fsanitize=fuzzer $< documents.c -lsodium -o $@
