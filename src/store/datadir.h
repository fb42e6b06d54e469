#pragma once

/*
 * The data directory: made if needed, and held by one process.
 */

#include "berth/base/fault.h"

/**
 * datadir_take() - make @path unless it is there, and lock it
 * @ret_lock: a descriptor that holds the lock until it is closed
 *
 * Return: 0, or -1: FAULT_CONFLICT that names the process that has it, or a storage fault.
 */
int datadir_take(const char *path, int *ret_lock, struct fault *fault);
