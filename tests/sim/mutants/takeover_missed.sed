# A lease that is over is watched on.
# rule: 9
# file: src/sandbox/keeper_flight.c
s/usec_min(over, HELD_POLL)/over + 10 * USEC_SEC/
