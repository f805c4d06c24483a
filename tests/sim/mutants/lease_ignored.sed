# A lease that another gateway holds is taken for ours.
# rule: 5
# file: src/sandbox/keeper_flight.c
s/if (r->status == STORE_OK)$/if (r->status == STORE_OK || r->status == STORE_HELD)/
