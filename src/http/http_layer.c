/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps libhttp.a buildable until its first real file lands; then this file goes. */
#include "config.h"

extern const int http_layer;
const int http_layer = 1;
