# A pause goes on although a worker has requests in flight.
# rule: 7
# file: src/sandbox/quiesce.c
s/if (in_flight > 0)/if (in_flight > 1000)/
