#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fuzzes in earnest: fuzz.sh SECONDS TARGET...; the time is shared by the targets, one after the
# other. What is new goes to corpus/NAME in the current directory, what was found to NAME.crash-*
# and the like; a finding does not keep the others from their turn, but fails the run.
set -u
total=$1
shift
[ $# -gt 0 ] || { echo "fuzz.sh: no targets" >&2; exit 1; }
share=$((total / $#))
[ $share -gt 0 ] || share=1
found=
for target in "$@"; do
    name=$(basename "$target")
    seeds=${TOP_SRCDIR:-.}/tests/fuzz/corpus/$name
    dictionary=${TOP_SRCDIR:-.}/tests/fuzz/$name.dict
    mkdir -p "corpus/$name"
    set -- -max_total_time=$share -timeout=10 -print_final_stats=1 -verbosity=0
    [ ! -f "$dictionary" ] || set -- "$@" "-dict=$dictionary"
    echo "== $name, $share s"
    "$target" "$@" "-artifact_prefix=$name." "corpus/$name" "$seeds" || found="$found $name"
done
[ -z "$found" ] || { echo "fuzz.sh: found something:$found (NAME.* in $PWD)" >&2; exit 1; }
