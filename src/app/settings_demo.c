/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * settings_demo.c: the configuration of `rouse demo`. Its variables are set by cmd_demo.c; the
 * defaults make it valid by itself.
 */
#include "config.h"

#include "app/settings.h"

const char *
settings_demo(void)
{
    return "listen: [{ address: \"127.0.0.1:${ROUSE_DEMO_PORT:-8080}\" }]\n"
           "admin: { socket: \"${ROUSE_DEMO_SOCKET:-}\" }\n"
           "workers: 1\n"
           "log: { format: readable, level: warn, access: false }\n"
           "platforms:\n"
           "  demo:\n"
           "    plugin: local\n"
           "    sandboxes:\n"
           "      demo:\n"
           "        command: [\"${ROUSE_DEMO_PROGRAM:-rouse}\", demo-sandbox,\n"
           "                  \"${ROUSE_DEMO_ORIGIN:-8081}\"]\n"
           "        ports: { 3000: \"127.0.0.1:${ROUSE_DEMO_ORIGIN:-8081}\" }\n"
           "        output: inherit\n"
           "sites:\n"
           "  - host: \"*.localhost\"\n"
           "    platform: demo\n"
           "    idle: { pause_after: \"${ROUSE_DEMO_IDLE:-5s}\" }\n"
           "    wake: { limit_per_sandbox: off, limit_per_client: off }\n";
}
