#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The program is hardened, and loads nothing that it should not need.
set -u
program=${1:-$ROUSE}
n=0
if [ -n "${INSTRUMENT:-}" ]; then
    echo "1..0 # SKIP a sanitizer's build"
    exit 0
fi
headers=$(LC_ALL=C readelf -W -h -l -d "$program")
symbols=$(LC_ALL=C "${NM:-nm}" -u "$program" "$(dirname "$program")"/lib*.a 2>/dev/null)

# wants TITLE TEXT PATTERN; wants_not likewise.
wants() {
    n=$((n + 1))
    if printf '%s\n' "$2" | grep -Eq "$3"; then echo "ok $n - $1"; else echo "not ok $n - $1"; fi
}
wants_not() {
    n=$((n + 1))
    if printf '%s\n' "$2" | grep -E "$3" | sed 's/^/# /' | grep .; then
        echo "not ok $n - $1"
    else
        echo "ok $n - $1"
    fi
}

wants "position independent" "$headers" 'Type: +DYN'
wants "read-only relocations" "$headers" 'GNU_RELRO'
wants "all symbols bound at start" "$headers" 'BIND_NOW|FLAGS_1.*NOW'
wants_not "no executable stack" "$headers" 'GNU_STACK.*RWE'
wants "stack protector" "$symbols" '__stack_chk_fail'
case " ${CFLAGS:-} " in
*" -O"[123s]*) wants "fortified libc calls" "$symbols" '_chk(@| |$)' ;;
esac
wants_not "of libevent the core only" "$headers" 'libevent(-|_extra|_openssl|_pthreads)'
wants_not "no run path" "$headers" 'R(UN)?PATH'
echo "1..$n"
