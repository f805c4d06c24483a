/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps libgateway.a buildable until its first real file lands; then this file goes. */
#include "config.h"

extern const int gateway_layer;
const int gateway_layer = 1;
