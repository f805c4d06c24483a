/* SPDX-License-Identifier: BSD-2-Clause */
/* The verbs that need no configuration: version and help. */
#ifndef ROUSE_APP_VERB_BASIC_H
#define ROUSE_APP_VERB_BASIC_H

/* Prints the release and how it was built.  Returns the exit status. */
int
verb_version(int argc, char **argv);

/* Prints the list of verbs.  Returns the exit status. */
int
verb_help(int argc, char **argv);

#endif
