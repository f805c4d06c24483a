# SPDX-License-Identifier: BSD-2-Clause
# Annotated sample configuration, generated from the settings table; a test compares.

EXTRA_DIST += conf/platforms.yaml conf/rouse.yaml conf/rouse.schema.json
