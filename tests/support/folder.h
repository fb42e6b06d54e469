#pragma once

/* A folder for a test to write into. */

enum { FOLDER_SIZE = 32 };

/** folder_make() - a new, empty one. */
void folder_make(char ret_path[FOLDER_SIZE]);
/** folder_remove() - it, and all that is in it. */
void folder_remove(const char *path);
