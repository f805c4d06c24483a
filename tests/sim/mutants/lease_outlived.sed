# A holder that was stopped does not notice that its lease is over.
# rule: 5
# file: src/sandbox/wake.c
s/return f->epoch != 0 \&\& now < f->lease_until;/return f->epoch != 0 || now < f->lease_until;/
