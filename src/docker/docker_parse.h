#pragma once

/*
 * What engines answer, as the port's structs.  Pure.  A member that is missing
 * or of another type counts as zero or empty: engines differ.
 */

#include "berth/base/json.h"
#include "berth/port/docker.h"

void docker_parse_info(const json_t *json, struct docker_info *ret_info);

/** docker_parse_list() - GET /containers/json.
 * @cluster_id: those without its label are left out, should an engine not have filtered them
 * @ret_list: owned, [*ret_count]; NULL when there are none
 * Return: 0, or -1 with FAULT_GARBLED: no array, more than DOCKER_LIST_MAX, or an entry without id. */
int docker_parse_list(const json_t *json, const char *cluster_id,
                      struct docker_container **ret_list, size_t *ret_count, struct fault *fault);
/** docker_parse_inspect() - GET /containers/{id}/json. Return: 0, or -1 with FAULT_GARBLED. */
int docker_parse_inspect(const json_t *json, struct docker_container *ret_container,
                         struct fault *fault);
/** docker_parse_images() - GET /images/json, one entry per tag.  As docker_parse_list(). */
int docker_parse_images(const json_t *json, struct docker_image **ret_images, size_t *ret_count,
                        struct fault *fault);
/** docker_parse_event() - one line of GET /events. Return: its action (borrowed from @json), or NULL
 * when it is not about a container's life. */
const char *docker_parse_event(const json_t *json, struct docker_container *ret_container);
/** docker_parse_id() - the member @key as an id of at most @size - 1 bytes.
 * Return: 0, or -1 with FAULT_GARBLED. */
int docker_parse_id(const json_t *json, const char *key, char *ret_id, size_t size,
                    struct fault *fault);
