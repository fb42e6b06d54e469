#pragma once

/*
 * Time zones from the files of the package tzdata.  Each is read once; what is
 * on disk later is seen after a restart.
 */

#include "berth/port/zone.h"

struct zone_files;

/** zone_files_new() - @folder: NULL: the system's; borrowed. */
struct zone_files *zone_files_new(const char *folder);
void zone_files_free(struct zone_files *files);
const struct zone_port *zone_files_port(struct zone_files *files);
