#!/bin/sh
# Runs test programs one after the other and adds up their last lines. Ends with: N passed, M failed.
passed=0 failed=0
for test in "$@"; do
	printf '%s\n' "$test"
	output=$("$test" 2>&1)
	printf '%s\n' "$output" | sed 's/^/  /'
	counts=$(printf '%s\n' "$output" | sed -n '$s/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p')
	# A program that ended without its last line failed once.
	passed=$((passed + $(echo ${counts:-0 1} | cut -d" " -f1)))
	failed=$((failed + $(echo ${counts:-0 1} | cut -d" " -f2)))
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
