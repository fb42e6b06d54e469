#pragma once

/* The certificates that Debian and Ubuntu trust (package ca-certificates). */
#define CLOUD_SYSTEM_CA "/etc/ssl/certs/ca-certificates.crt"
