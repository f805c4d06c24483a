# A refused connect is taken for a paused sandbox.
# rule: 16
# file: src/sandbox/keeper_judge.c
/^judge_running/,/^}/s/return JUDGE_TRUTH;/return JUDGE_LEAD;/
