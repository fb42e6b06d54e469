#pragma once

/*
 * The image that a canary runs, made from nothing: a program of a few instructions that ends with 0,
 * in an archive as `docker load` takes it.  It needs no registry and nothing that a host may lack.
 *
 * Sources: POSIX.1-2017, pax (ustar format); the Docker image specification 1.2; System V ABI (ELF64);
 * Linux, arch/{x86,arm64}: exit is system call 60 and 93.
 */

#include <stdbool.h>

#include "berth/base/buf.h"

#define CANARY_IMAGE "berth/canary:1"

/** canary_image_runs() - there is a program for @architecture, as an engine tells it ("x86_64",
 * "aarch64"). */
bool canary_image_runs(const char *architecture);

/** canary_image_encode() - append the archive to @out, which has room for 64 KiB; without a program
 * when there is none for @architecture: such an image can be created and removed only. */
void canary_image_encode(const char *architecture, struct buf *out);
