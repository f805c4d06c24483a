/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps libstore.a buildable until its first real file lands; then this file goes. */
#include "config.h"

extern const int store_layer;
const int store_layer = 1;
