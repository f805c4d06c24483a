#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every fuzz target over its corpus: each file whole, then in a few hundred mutations (not with
# libFuzzer, which mutates by itself).
set -u
n=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mutations=500
[ -z "${ROUSE_QUICK:-}" ] || mutations=50
for target in ${FUZZ_TARGETS:-}; do
    name=$(basename "$target")
    corpus=${TOP_SRCDIR:-.}/tests/fuzz/corpus/$name
    n=$((n + 1))
    if [ ! -d "$corpus" ]; then
        echo "not ok $n - $name has no corpus"
        continue
    fi
    case ${INSTRUMENT:-} in
    *fuzzer*) set -- ;;
    *) set -- -m $mutations ;;
    esac
    if find "$corpus" -type f -exec "$target" "$@" {} + >"$log" 2>&1; then
        echo "ok $n - $name"
    else
        sed 's/^/# /' "$log"
        echo "not ok $n - $name"
    fi
done
if [ $n = 0 ]; then echo "1..0 # SKIP no fuzz targets"; else echo "1..$n"; fi
