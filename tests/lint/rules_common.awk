# SPDX-License-Identifier: BSD-2-Clause
# What the source lints share: strips comments and strings, reports findings.
# A finding is one line: FILE:LINE: RULE: what is wrong.

function found(line, rule, what) {
    print name ":" line ": " rule ": " what
    findings++
}

# The code of a line of C: comments gone, strings and characters emptied.  Keeps in_comment.
function code_of(s,    out, i, n, c, two, quote) {
    if (!in_comment && s !~ /["'\/]/)
        return s
    n = length(s)
    for (i = 1; i <= n; i++) {
        c = substr(s, i, 1)
        two = substr(s, i, 2)
        if (in_comment) {
            if (two == "*/") { in_comment = 0; i++ }
        } else if (quote != "") {
            if (c == "\\") i++
            else if (c == quote) { out = out c; quote = "" }
        } else if (two == "/*") { in_comment = 1; i++ }
        else if (two == "//") break
        else {
            if (c == "\"" || c == "'") quote = c
            out = out c
        }
    }
    return out
}

# Display columns: UTF-8 continuation bytes take none.
function columns(s) {
    gsub(/[\200-\277]/, "", s)
    return length(s)
}

FNR == 1 {
    name = FILENAME
    sub(/^\.\//, "", name)
    in_comment = 0
    is_c = name ~ /\.c$/
    is_h = name ~ /\.h$/
    is_def = name ~ /\.def$/
}
