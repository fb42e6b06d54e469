#pragma once

/*
 * The rows of a database into a model.
 */

#include <sqlite3.h>

#include "berth/domain/model.h"

/** load_all() - every row, and the last id and event number, from one transaction on @db.
 * Return: 0, or -1 with FAULT_STORAGE; @model is then to be thrown away. */
int load_all(sqlite3 *db, struct model *model, struct fault *fault);
