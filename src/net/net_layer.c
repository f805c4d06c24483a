/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps libnet.a buildable until its first real file lands; then this file goes. */
#include "config.h"

extern const int net_layer;
const int net_layer = 1;
