#pragma once

/*
 * One copy of each string that many rows repeat (owners, reasons).  Strings
 * stay until the table is freed unless they are released.
 */

#include <stddef.h>

struct intern;

struct intern *intern_new(void);
void intern_free(struct intern *intern);

/** intern_get() - the one copy of @text, counted once more; NULL of NULL. Equal texts give equal
 * pointers. */
const char *intern_get(struct intern *intern, const char *text);
/** intern_put() - gives back what intern_get() gave; the last one frees it. NULL is fine. */
void intern_put(struct intern *intern, const char *text);
/** intern_find() - the one copy if there is one, not counted; NULL otherwise. */
const char *intern_find(const struct intern *intern, const char *text);
