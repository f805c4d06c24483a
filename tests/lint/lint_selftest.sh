#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every lint bites: each rule is given a file that breaks it, and the good file that passes.
set -u
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0

result() {
    n=$((n + 1))
    echo "$1 $n - $2"
}

# fresh: an empty tree; put FILE: stdin becomes FILE and is listed.
fresh() {
    rm -rf "$tmp/tree"
    mkdir -p "$tmp/tree/src/base"
    : >"$tmp/tree/Makefile.am"
}
put() {
    mkdir -p "$tmp/tree/$(dirname "$1")"
    cat >"$tmp/tree/$1"
    echo "x = $1" >>"$tmp/tree/Makefile.am"
}
spdx='/* SPDX-License-Identifier: BSD-2-Clause */'
head_c() { printf '%s\n/* A file. */\n#include "config.h"\n\n' "$spdx"; }
c_file() { { head_c; cat; } | put "$1"; }
h_file() { { printf '%s\n/* A file. */\n\n' "$spdx"; cat; } | put "$1"; }

# bites RULE [WHAT]: the tree as it stands has a finding of this rule.
bites() {
    sh "$here/lint_sources.sh" "$tmp/tree" >"$tmp/out" 2>&1
    if grep -q "^# [^ ]*: $1: .*${2:-}" "$tmp/out"; then
        result ok "bites: $1 ${2:-}"
    else
        sed 's/^/# /' "$tmp/out"
        result "not ok" "bites: $1 ${2:-}"
    fi
    fresh
}

clean() {
    sh "$here/lint_sources.sh" "$tmp/tree" >"$tmp/out" 2>&1
    if grep -q '^not ok' "$tmp/out"; then
        sed 's/^/# /' "$tmp/out"
        result "not ok" "passes: $1"
    else
        result ok "passes: $1"
    fi
    fresh
}

lines() { awk -v n="$1" -v s="$2" 'BEGIN { for (i = 0; i < n; i++) print s }'; }

fresh
h_file src/base/good.h <<'X'
int
good(int a);
X
c_file src/base/good.c <<'X'
#include "base/good.h"

#include <stdio.h>

/* strcpy( in a comment, TO-DO in another form, and "sprintf(" in a string are no findings. */
static const char *const names[] = {"sprintf(x)", "a \" strcat(b)"};

int
good(int a)
{
    return printf("%s %d", names[0], a);
}
X
clean "a good file"

# style
echo '/* no licence */' | put src/base/bad.c; bites spdx
printf '%s\nint x;\n' "$spdx" | put src/base/bad.h; bites top-comment
{ lines 110 y | tr -d '\n'; echo ';'; } | sed 's/^/int /' | c_file src/base/bad.c; bites line-length
printf '\tint x;\n' | c_file src/base/bad.c; bites tab
echo 'int x; ' | c_file src/base/bad.c; bites trailing-space
printf '%s\n/* A file. */\n#include <stdio.h>\n' "$spdx" | put src/base/bad.c; bites config-first
echo '#include "config.h"' | h_file src/base/bad.h; bites config-first
printf '#include <stdio.h>\n#include "base/b.h"\n' | c_file src/base/bad.c; bites include-order
echo 'typedef struct foo foo;' | h_file src/base/bad.h; bites typedef
for f in sprintf strcpy strcat strtok atoi atol gets alloca vsprintf strncpy; do
    printf 'int\nf(void)\n{\n    return %s(a);\n}\n' $f | c_file src/base/bad.c
    bites banned $f
done
printf 'int\nf(void)\n{\n    %s(1);\n}\n' usleep | c_file src/base/bad.c; bites sleep
printf 'int f(void)\n{\n}\n' | c_file src/base/bad.c; bites return-type
printf 'int f(void) {\n}\n' | c_file src/base/bad.c; bites return-type
lines 600 'extern int x;' | c_file src/base/bad.c; bites file-size "at most 600"
lines 200 'extern int x;' | h_file src/base/bad.h; bites file-size "at most 200"
{ printf 'int\nf(void)\n{\n'; lines 58 '    g();'; echo '}'; } | c_file src/base/bad.c
bites function-size "61 lines, at most 60"
{ printf 'int\nf(void)\n{\n'; lines 57 '    g();'; echo '}'; } | c_file src/base/bad.c
clean "a function of 60 lines"
{ printf 'int\nf(void)\n{\n'; lines 97 '    case 1:'; echo '}'; } | c_file src/base/bad.c
clean "a switch table of 100 lines"
{ printf 'int\nf(void)\n{\n'; lines 98 '    case 1:'; echo '}'; } | c_file src/base/bad.c
bites function-size "101 lines, at most 100"
{ printf 'int\nf(void)\n{\n'; lines 15 '    if (a) b();'; echo '}'; } | c_file src/base/bad.c
bites complexity

# includes
echo '#include "net/loop.h"' | c_file src/base/bad.c; bites layer "net/loop.h"
echo '#include "net/loop.h"' | c_file src/sandbox/bad.c; bites layer "net/loop.h"
echo '#include "sandbox/hold.h"' | c_file src/store/bad.c; bites layer "sandbox/hold.h"
echo '#include "sandbox/store.h"' | c_file src/store/bad.c; clean "a store includes sandbox/store.h"
echo '#include "app/settings.h"' | c_file src/gateway/bad.c; bites layer "app/settings.h"
echo '#include "base/slice.h"' | c_file lua-free-plugins/http/bad.c; bites layer "base/slice.h"
echo '#include <stdio.h>' | c_file src/elsewhere/bad.c; bites layer elsewhere
echo '#include "http/h1_priv.h"' | c_file src/gateway/bad.c; bites private
echo '#include "../net/loop.h"' | c_file src/http/bad.c; bites include-path
echo '#include <event2/event.h>' | c_file src/http/bad.c; bites library
echo '#include <llhttp.h>' | c_file src/gateway/bad.c; bites library
echo '#include <jansson.h>' | c_file lua-free-plugins/http/bad.c; bites library
echo '#include <pthread.h>' | c_file src/sandbox/bad.c; bites pure
echo '#include <sys/socket.h>' | c_file src/sandbox/bad.c; bites pure

# scripts, names, left-overs
echo 'import time' | put tests/wire/bad.py
printf '\n\n\n' >>"$tmp/tree/tests/wire/bad.py"; bites spdx
printf '# SPDX-License-Identifier: BSD-2-Clause\n\ntime.%s(1)\n' 'sleep' | put tests/wire/bad.py
bites sleep
printf '/* %s: later */\n' "TO""DO" | c_file src/base/bad.c; bites left-over
c_file src/base/same.c </dev/null; c_file tests/unit/same.c </dev/null; bites unique-name
fresh; c_file src/base/lost.c </dev/null; : >"$tmp/tree/Makefile.am"; bites not-listed

# symbols
symbols() { # FILE RULE TITLE SOURCE
    printf '%s\n' "$4" >"$tmp/s.c"
    ${CC:-cc} -fPIC -O1 -c -o "$tmp/$1" "$tmp/s.c" 2>"$tmp/out" || sed 's/^/# /' "$tmp/out"
    INSTRUMENT='' sh "$here/lint_symbols.sh" "$tmp/$1" >"$tmp/out"
    if { [ "$2" = clean ] && ! grep -q '^not ok' "$tmp/out"; } || grep -q ": $2: " "$tmp/out"; then
        result ok "$3"
    else
        sed 's/^/# /' "$tmp/out"
        result "not ok" "$3"
    fi
}
symbols a.o mutable-global "bites: initialised global" 'int counter = 3;'
symbols a.o mutable-global "bites: static global" 'static int n; int f(void) { return n++; }'
symbols a.o mutable-global "bites: local static" 'int f(void) { static int n; return n++; }'
symbols a.o mutable-global "bites: thread-local" \
    'static __thread int n; int f(void) { return n++; }'
symbols a.o clean "passes: constant tables with pointers" \
    'const char *const t[] = {"a"}; int (*const g[])(void) = {0};'
symbols libbase.o impure "bites: a clock in base" \
    'long time(long *); long f(void) { return time(0); }'
symbols libsandbox.o impure "bites: a socket in sandbox" \
    'int socket(int, int, int); int f(void) { return socket(1, 1, 0); }'

# the layer matrix
echo 'void loop_turn(void); int main(void) { loop_turn(); return 0; }' >"$tmp/up.c"
if ${CC:-cc} -o "$tmp/up" "$tmp/up.c" "${TOP_BUILDDIR:-.}/libbase.a" 2>"$tmp/out"; then
    result "not ok" "bites: an upward call"
elif grep -q 'undefined' "$tmp/out"; then
    result ok "bites: an upward call is an undefined reference"
else
    sed 's/^/# /' "$tmp/out"
    result "not ok" "bites: an upward call"
fi

echo "1..$n"
