# SPDX-License-Identifier: BSD-2-Clause
dist_man_MANS = man/rouse.1
dist_man_MANS += man/rouse-plugins.7
