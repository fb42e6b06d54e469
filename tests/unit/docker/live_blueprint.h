#pragma once

/*
 * What test_live.c creates on a real engine: one of each kind of limit.
 */

#include "berth/domain/blueprint.h"

static struct blueprint_port ports[] = { { .container = 8080 },
                                         { .container = 53, .protocol = PROTOCOL_UDP } };
static struct blueprint_ulimit nofile = { .name = (char[]){ "nofile" }, .soft = 256, .hard = 512 };
static struct schema_pair scratch = { (char[]){ "/scratch" }, (char[]){ "size=1m" } };
static struct schema_pair color = { (char[]){ "color" }, (char[]){ "blue" } };
static char *caps[] = { (char[]){ "NET_BIND_SERVICE" } };
static struct blueprint_spec blueprint = { .name = (char[]){ "live" },
                                           .ports = { ports, 2 },
                                           .memory_bytes = 32 << 20,
                                           .memory_swap_bytes = 0,
                                           .memory_reservation_bytes = 16 << 20,
                                           .cpus_milli = 500,
                                           .pids = 64,
                                           .log_bytes = 1 << 20,
                                           .stop_grace_ms = 1500,
                                           .labels = { &color, 1 },
                                           .tmpfs = { &scratch, 1 },
                                           .cap_add = { caps, 1 },
                                           .ulimits = { &nofile, 1 },
                                           .read_only = true };
