/* SPDX-License-Identifier: BSD-2-Clause */
/* settings_demo.c: the configuration of `rouse demo`. */
#include "config.h"

#include "app/settings.h"

const char *
settings_demo(void)
{
    return "listen: [{ address: \"127.0.0.1:${ROUSE_DEMO_PORT:-8080}\" }]\n"
           "admin: { socket: \"${ROUSE_DEMO_SOCKET:-}\" }\n"
           "workers: 1\n"
           "platforms:\n"
           "  demo:\n"
           "    plugin: local\n"
           "    sandboxes: { demo: { command: [\"${ROUSE_DEMO_PROGRAM:-rouse}\", demo, --origin],\n"
           "                         ports: { 3000: 127.0.0.1:0 }, idle: 5s } }\n"
           "sites:\n"
           "  - { host: \"*.localhost\", platform: demo, idle: { pause_after: 5s } }\n";
}
