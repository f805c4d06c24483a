#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Lints of what was built: no mutable globals, and no clock, thread or socket in the pure layers.
# usage: lint_symbols.sh [OBJECT-OR-ARCHIVE...]; without, all layers and plugins of the build tree.
set -u
here=$(cd "$(dirname "$0")" && pwd)
nm=${NM:-nm}
awk=${AWK:-awk}
if [ "${INSTRUMENT:-}" != "" ]; then
    echo "1..0 # SKIP sanitizers add symbols of their own"
    exit 0
fi
if [ $# -eq 0 ]; then
    cd "${TOP_BUILDDIR:-.}" || exit 1
    set -- libbase.a libsandbox.a libnet.a libhttp.a libstore.a libgateway.a libapp.a \
        src/app/rouse-main.o src/app/main.o
    # Plugins by object: a linked one holds the C library's start-up symbols too.
    set -- "$@" lua-free-plugins/*/*.o
fi
present=
for f in "$@"; do [ ! -e "$f" ] || present="$present $f"; done
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

# Sections .data, .bss and thread-local ones; .data.rel.ro is constant once loaded.
# shellcheck disable=SC2086
LC_ALL=C "$nm" -A -f sysv $present 2>/dev/null | "$awk" -F'|' -v allowed="$here/globals.txt" '
    BEGIN {
        while ((getline line < allowed) > 0) {
            if (line ~ /^(#|$)/) continue
            split(line, w, " ")
            ok[w[1]] = 1
        }
    }
    $7 ~ /^[ ]*\.(data|bss|tdata|tbss)/ && $7 !~ /\.data\.rel\.ro/ && $4 ~ /OBJECT|TLS/ {
        where = $1
        sub(/:[^:]*$/, "", where)
        symbol = $1
        sub(/.*:/, "", symbol)
        gsub(/ /, "", symbol)
        stem = symbol
        sub(/\.[0-9]+$/, "", stem)
        if (!(stem in ok)) print where ":0: mutable-global: " symbol
    }' >"$tmp/found"
verdict "no mutable globals"

# calls TITLE WORDS FILE...: none of these functions is called.
calls() {
    title=$1
    words=$2
    shift 2
    LC_ALL=C "$nm" -A -u "$@" 2>/dev/null | grep -v '^[^:]*:logline\.o:.*clock_gettime' |
        "$awk" -v words="$words" '
        BEGIN { k = split(words, w, " "); for (i = 1; i <= k; i++) bad[w[i]] = 1 }
        {
            symbol = $NF
            sub(/@.*/, "", symbol)
            if (symbol in bad) print $1 "0: impure: calls " symbol
        }' >"$tmp/found"
    verdict "$title"
}

# only PATTERN: those of the objects whose name matches.
only() { for f in $present; do case $f in $1) echo "$f" ;; esac; done; echo /dev/null; }

clocks="clock_gettime gettimeofday time sleep usleep nanosleep clock_nanosleep"
# shellcheck disable=SC2046
calls "base reads no clock, but for the time of a log line" "$clocks" $(only '*libbase*')
# shellcheck disable=SC2046
calls "sandbox touches no clock, thread, descriptor or socket" "$clocks localtime gmtime socket
    connect accept accept4 bind listen send recv sendto recvfrom sendmsg recvmsg read write open
    openat close fopen fopen64 poll epoll_wait epoll_ctl select fork execve pthread_create
    pthread_mutex_lock pthread_cond_wait signal sigaction getenv system getrandom" \
    $(only '*libsandbox*')

echo "1..$n"
