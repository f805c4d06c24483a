# A connect that completes after QUIESCE is used.
# rule: 7
# file: src/sandbox/view.c
s/return s \&\& s->version == version;/return s || version;/
