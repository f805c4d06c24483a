#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Shows that the simulator bites: each mutant (one rule of the domain broken by a sed script) must
# be caught, under the rule that its head names, within 6000 seeds. A script that changes nothing
# any more fails too.
set -u
src=${TOP_SRCDIR:-../..}
build=${TOP_BUILDDIR:-.}
seeds=${SEEDS:-6000}
tmp=$(mktemp -d) || exit 1
flags=${INSTRUMENT:-}
trap 'rm -rf "$tmp"' EXIT

head_of() { sed -n "s/^# $2: *//p" "$1" | head -n 1; }

check() {
    rule=$(head_of "$1" rule)
    file=$(head_of "$1" file)
    sed -f "$1" "$src/$file" > "$tmp/mutant.c" || return 1
    if cmp -s "$src/$file" "$tmp/mutant.c"; then
        echo "# it changes nothing in $file any more"
        return 1
    fi
    ${CC:-cc} -std=gnu11 -O1 -w -D_GNU_SOURCE $flags -pthread -I"$build" -I"$src/src" \
        -o "$tmp/sim" "$tmp/mutant.c" "$src/tests/sim/sim_main.c" "$build/tests/sim/libsim.a" \
        "$build/libsandbox.a" "$build/libbase.a" > "$tmp/log" 2>&1 || {
        sed 's/^/# /' "$tmp/log"
        return 1
    }
    "$tmp/sim" --expect "$rule" --seeds "1..$seeds" > "$tmp/log" 2>&1
    status=$?
    grep '^# seed' "$tmp/log"
    return $status
}

set -- "$src"/tests/sim/mutants/*.sed
echo "1..$#"
n=0
failed=0
for mutant; do
    n=$((n + 1))
    if check "$mutant"; then
        echo "ok $n - $(basename "$mutant" .sed)"
    else
        echo "not ok $n - $(basename "$mutant" .sed)"
        failed=1
    fi
done
exit $failed
