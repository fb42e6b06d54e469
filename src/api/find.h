#pragma once

/* The rows that paths and queries name, as far as the token sees them; else the request is refused
 * with 404, as if there was none. */

#include "request.h"

/** find_instance() - of the path's {id}. */
struct instance *find_instance(struct request *request);
/** find_host() - of the path's {id}, which may be its name as well. */
struct host *find_host(struct request *request);
/** find_host_id() - the id of a host by id or name; 0: none that is seen. Refuses nothing. */
int64_t find_host_id(const struct request *request, const char *text);
struct blueprint *find_blueprint(struct request *request);
struct pool *find_pool(struct request *request);
struct token *find_token(struct request *request);
struct operation *find_operation(struct request *request);

/** find_is_current() - If-Match, if it is there, names @rev; else the request is refused with 412. */
bool find_is_current(struct request *request, int64_t rev);
/** find_blueprint_pool() - the name of its pool. */
const char *find_blueprint_pool(const struct blueprint *blueprint);
