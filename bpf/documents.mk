# Signed documents and what the warden remembers of them: their sources, tests and fuzzer.
# Included by Makefile; alone: make -C bpf -f documents.mk document-tests

DOCUMENT_SOURCES := documents.c standing.c
DOCUMENT_HEADERS := documents.h standing.h tests/documents-made.h
DOCUMENT_TESTS := build/tests/documents build/tests/standing

# Every test runs under both sanitizers, and the first finding ends it.
DOCUMENT_CFLAGS := -std=c11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=all

.PHONY: document-tests

document-tests: $(DOCUMENT_TESTS)
	build/tests/documents
	build/tests/standing

build/tests/documents build/tests/standing: build/tests/%: tests/%.c $(DOCUMENT_SOURCES) $(DOCUMENT_HEADERS)
	@mkdir -p $(@D)
	clang $(DOCUMENT_CFLAGS) $< $(DOCUMENT_SOURCES) -lsodium -o $@
