# The wake is made although everybody left.
# rule: 17
# file: src/sandbox/keeper_wake.c
s/if (!w \&\& !keeper_errand_wakes(s)) {/if (!w \&\& k->draining) {/
