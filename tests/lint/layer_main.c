/* SPDX-License-Identifier: BSD-2-Clause */
/* The main() of the layer checks: that it links is the test. */
#include "config.h"

#include <stdio.h>

int
main(int argc, char **argv)
{
    printf("1..1\nok 1 - %s links\n", argc > 0 ? argv[0] : "layer");
    return 0;
}
