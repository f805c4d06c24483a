# A waiter that leaves gets no verdict.
# rule: 12
# file: src/sandbox/keeper_ask.c
/^keeper_on_leave/,/^}/s/keeper_say_no(k, w, REASON_CLIENT_LEFT, 0);/keeper_waiter_free(k, w);/
