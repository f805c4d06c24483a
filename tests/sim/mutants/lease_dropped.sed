# A lease is given up while its call may yet be executed.
# rule: 5
# file: src/sandbox/keeper_flight.c
s/ \&\& !f->unknown \&\& !out)/ \&\& (!out || out))/
