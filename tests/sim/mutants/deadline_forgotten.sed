# The limit counts twice.
# rule: 8
# file: src/sandbox/keeper_ask.c
s/usec_t limit = usec_min(/usec_t limit = 2 * usec_min(/
