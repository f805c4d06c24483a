# The longer of the limits counts.
# rule: 8
# file: src/sandbox/keeper_ask.c
s/usec_t limit = usec_min(/usec_t limit = usec_max(/
