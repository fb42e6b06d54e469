/* A layer. */
const char *const some_kind = "host.untold";
