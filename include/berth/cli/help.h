#pragma once

/*
 * What --help prints, and the manual pages: the same texts in two forms.
 */

#include "berth/base/buf.h"
#include "berth/cli/table.h"

/** cli_help_overview() - all commands in a line each. */
void cli_help_overview(struct buf *out);
/** cli_help_group() - the commands of @group. */
void cli_help_group(const struct cli_group *group, struct buf *out);
/** cli_help_command() - all about @command. */
void cli_help_command(const struct cli_command *command, struct buf *out);

/** cli_help_usage() - "berth host drain HOST [flags]", one line without its end. */
void cli_help_usage(const struct cli_command *command, struct buf *out);
/** cli_help_flag() - "-o, --output=FORMAT". */
void cli_help_flag(const struct cli_flag *flag, struct buf *out);
/** cli_help_flag_text() - its sentence, with choices and default. */
void cli_help_flag_text(const struct cli_flag *flag, struct buf *out);
