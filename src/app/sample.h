/* SPDX-License-Identifier: BSD-2-Clause */
/* sample.h: what the settings table says of itself: conf/rouse.yaml, conf/rouse.schema.json. */
#ifndef ROUSE_APP_SAMPLE_H
#define ROUSE_APP_SAMPLE_H

#include "base/buf.h"
#include "gateway/gateway_config.h"

/* An annotated configuration that is valid and says all defaults. */
void sample_yaml(struct buf *out);
/* JSON Schema (2020-12) of the configuration. */
void sample_schema(struct buf *out);

#endif
