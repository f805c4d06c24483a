/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps libsandbox.a buildable until its first real file lands; then this file goes. */
#include "config.h"

extern const int sandbox_layer;
const int sandbox_layer = 1;
