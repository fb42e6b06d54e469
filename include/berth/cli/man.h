#pragma once

/*
 * Manual pages in man(7)'s language.
 */

#include "berth/base/buf.h"

/** cli_man_berth() - berth(1), from the table of commands. */
void cli_man_berth(struct buf *out);
/** cli_man_berthd() - berthd(8). */
void cli_man_berthd(struct buf *out);
