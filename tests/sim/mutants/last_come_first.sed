# The newest in the queue goes first.
# rule: 15
# file: src/sandbox/release.c
s/list_push_back(&p->queue\[n\]/list_push_front(\&p->queue[n]/
