# Nobody looks at tokens.
# rule: 6
# file: src/sandbox/keeper_judge.c
s/if (!record_admits(&s->record, token_of(w))) {/if (!record_admits(\&s->record, token_of(w)) \&\& k->draining) {/
