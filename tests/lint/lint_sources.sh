#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lints of the source tree: style, includes, names.  usage: lint_sources.sh [ROOT]
# Prints TAP; a finding is "# FILE:LINE: RULE: what".  lint_selftest.sh shows that each rule bites.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-${TOP_SRCDIR:-.}}
cd "$root" || exit 1
awk=${AWK:-awk}
export LC_ALL=C
n=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# verdict TITLE: turns the findings in $tmp/found into one TAP line.
verdict() {
    n=$((n + 1))
    if [ -s "$tmp/found" ]; then
        sed 's/^/# /' "$tmp/found"
        echo "not ok $n - $1"
    else
        echo "ok $n - $1"
    fi
}

# files PATTERN...: the project's files of these names, one a line.
files() {
    set -f
    expr=
    for p in "$@"; do expr="$expr -o -name $p"; done
    # shellcheck disable=SC2086
    find src include lua-free-plugins tests bench docker conf -type f \( -name / $expr \) \
        2>/dev/null | grep -v -e /__pycache__/ -e /corpus/ | sort
    set +f
}

over() { tr '\n' '\0' | xargs -0 -r "$@"; }

files '*.c' '*.h' '*.def' | over "$awk" -f "$here/rules_common.awk" \
    -f "$here/style.awk" >"$tmp/found"
verdict style

files '*.c' '*.h' | grep -E '^(src|lua-free-plugins)/' |
    over "$awk" -f "$here/rules_common.awk" -f "$here/includes.awk" >"$tmp/found"
verdict includes

# Scripts: licence line, width, no tabs in Python.
files '*.py' '*.sh' '*.awk' '*.mk' 'run-*' | over "$awk" '
    FNR == 1 { licence = 0 }
    FNR <= 2 && /^# SPDX-License-Identifier: BSD-2-Clause$/ { licence = 1 }
    FNR == 3 && !licence { print FILENAME ":1: spdx: no licence line" }
    { s = $0; gsub(/[\200-\277]/, "", s) }
    length(s) > 100 { print FILENAME ":" FNR ": line-length: " length(s) " columns, at most 100" }
    FILENAME ~ /\.py$/ && /\t/ { print FILENAME ":" FNR ": tab: indent with spaces" }
    FILENAME ~ /^tests.*\.py$/ && /(^|[^a-z_])(time|asyncio)\.sleep\(/ {
        print FILENAME ":" FNR ": sleep: wait for an event or a log line" }' >"$tmp/found"
verdict scripts

# Work left over.  The words are put together here so that this file does not hold them.
left="TO""DO|FIX""ME|X""XX|HA""CK"
files '*' | over grep -HnEI "(^|[^A-Za-z0-9_])($left)([^A-Za-z0-9_]|\$)" |
    sed 's/^\([^:]*:[0-9]*\):/\1: left-over: /' >"$tmp/found"
verdict left-overs

# A name says which file: foo.c and foo.h belong together, nothing else may be called so.
files '*.c' '*.h' | "$awk" '
    { base = $0; sub(/.*\//, "", base) }
    base in seen { print $0 ":1: unique-name: also " seen[base] }
    { seen[base] = $0 }' >"$tmp/found"
verdict names

# What a fragment forgot builds here and is missing from the release.  A directory may be listed
# whole; a test without a list of sources is NAME.c.
{ cat Makefile.am; files '*.mk' | over cat; } | sed '/^#/d' |
    tr -s ' \t=\\' '\n' >"$tmp/words"
files '*.c' '*.h' '*.def' '*.py' '*.sh' '*.awk' 'run-*' | "$awk" -v words="$tmp/words" '
    BEGIN {
        while ((getline w < words) > 0) {
            listed[w]
            if (w ~ /^tests/) listed[w ".c"]
        }
    }
    $0 in listed { next }
    {
        dir = $0
        while (sub(/\/[^\/]*$/, "", dir)) if (dir in listed) next
        print $0 ":1: not-listed: no files.mk names it"
    }' >"$tmp/found"
verdict "every file is listed"

echo "1..$n"
