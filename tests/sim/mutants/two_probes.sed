# Two probes at a time.
# rule: 18
# file: src/sandbox/release.c
s/p->out >= (p->proven ? p->window : 1)/p->out >= (p->proven ? p->window : 2)/
