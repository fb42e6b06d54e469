#pragma once

/*
 * The tables' columns, in the order in which rows.c binds them and load.c reads
 * them, and the statements made of them.
 */

#include "batch.h"

/** tables_write() - the SQL of @statement; owned. */
char *tables_write(enum batch_statement statement) MUST_USE;
/** tables_read() - "SELECT <columns> FROM <table> ORDER BY id"; owned. */
char *tables_read(enum row_kind kind) MUST_USE;
/** tables_name() - of the kind's table. */
const char *tables_name(enum row_kind kind);
