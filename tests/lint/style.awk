# SPDX-License-Identifier: BSD-2-Clause
# House style and sizes of C sources; with rules_common.awk, over *.c, *.h and *.def.

BEGIN { if (!ccn_max) ccn_max = 15 }

function end_file() {
    if (prev == "") return
    if (prev ~ /\.c$/ && lines > 600) report_file("file-size", lines " lines, at most 600")
    if (prev ~ /\.h$/ && lines > 200) report_file("file-size", lines " lines, at most 200")
    # A stranger's plugin has no config.h: tests/thirdparty is written as outside the tree.
    if (prev ~ /\.c$/ && prev !~ /^tests\/thirdparty\// && first_include != "config.h")
        report_file("config-first", "the first include must be \"config.h\"")
}

function report_file(rule, what) {
    print prev ":1: " rule ": " what
    findings++
}

FNR == 1 {
    end_file()
    prev = name
    lines = 0
    sig = 0
    in_function = 0
    first_include = ""
    angle_seen = 0
    own = name
    sub(/^src\//, "", own)
    sub(/\.c$/, ".h", own)
    if ($0 != "/* SPDX-License-Identifier: BSD-2-Clause */")
        found(1, "spdx", "the first line must be /* SPDX-License-Identifier: BSD-2-Clause */")
}

FNR == 2 && !/^\/\*/ { found(2, "top-comment", "say what this file is, in a comment on line 2") }

{
    lines = FNR
    # A row of a table is one line, so that sort and grep see it whole.
    widest = is_def && /^[A-Z_]+\(/ ? 132 : 100
    if (columns($0) > widest) found(FNR, "line-length", columns($0) " columns, at most " widest)
    if (/\t/) found(FNR, "tab", "indent with spaces")
    if (/[ \t\r]$/) found(FNR, "trailing-space", "space at the end of the line")
    code = code_of($0)
}

code ~ /^[ ]*#[ ]*include/ {
    target = $0
    sub(/^[^"<]*/, "", target)
    if (first_include == "") {
        first_include = target
        gsub(/"/, "", first_include)
    }
    if (is_h && target == "\"config.h\"")
        found(FNR, "config-first", "only .c files include config.h")
    if (target ~ /^</) angle_seen = 1
    else if (is_c && angle_seen && target !~ /\.def"$/)
        found(FNR, "include-order", target " after a library's: project headers come first")
    next
}

code ~ /(^|[^A-Za-z0-9_])typedef[ ]+(struct|union|enum)[^A-Za-z0-9_]/ {
    found(FNR, "typedef", "no typedef for a struct, union or enum")
}

match(code, "(^|[^A-Za-z0-9_])(sprintf|vsprintf|strcpy|strncpy|strcat|strtok|atoi|atol" \
    "|gets|alloca)[ ]*[(]") {
    word = substr(code, RSTART, RLENGTH)
    gsub(/[^A-Za-z0-9_]/, "", word)
    found(FNR, "banned", word)
}

match(code, /(^|[^A-Za-z0-9_])(sleep|usleep|nanosleep|clock_nanosleep)[ ]*\(/) {
    found(FNR, "sleep", "wait for an event, a barrier or the virtual clock")
}

# --- functions: where they begin, how long they are ---------------------------------------------

code ~ /^[A-Za-z_]/ {
    sig = 0
    if (code ~ /^[A-Za-z_][A-Za-z0-9_]*\(/) {
        sig = FNR
        sig_name = code
        sub(/\(.*/, "", sig_name)
    }
    if (code ~ /^[A-Za-z_][A-Za-z0-9_ *]*[ *][A-Za-z_][A-Za-z0-9_]*[(].*[)][ ]*[{]/)
        found(FNR, "return-type", "a function's name starts its line, its brace the next")
}

code ~ /^\{/ {
    in_function = 1
    from = FNR
    if (sig) from = sig
    else found(FNR, "return-type", "a function's name starts its line")
    cases = 0
    branches = 1
}

in_function {
    if (code ~ /^[ ]*(case[^A-Za-z0-9_]|default[ ]*:)/) cases++
    rest = code
    branches += gsub(/(^|[^A-Za-z0-9_])(if|for|while|switch)[ ]*\(/, " ", rest)
    branches += gsub(/&&|\|\||\?/, " ", rest)
}

in_function && code ~ /^\}/ {
    in_function = 0
    size = FNR - from + 1
    # A switch that is a table: a fifth of its lines or more are labels.
    limit = cases * 5 >= size ? 100 : 60
    if (size > limit)
        found(from, "function-size", sig_name " has " size " lines, at most " limit)
    if (branches > ccn_max)
        found(from, "complexity", sig_name " has " branches " branches, at most " ccn_max)
    sig = 0
}

END {
    end_file()
    exit findings > 0
}
