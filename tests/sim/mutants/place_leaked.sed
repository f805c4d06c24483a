# A failed connect keeps its place in the window.
# rule: 13
# file: src/sandbox/keeper_release.c
s/pair_on_failed(w->pair, .*/(void)m;/
