#pragma once

/*
 * The playbook on a rented machine: up -> preparing -> ready, step by step.
 */

#include "rental.h"

/** prepare_order() - run the playbook on @host, whose machine is up. Return: whether it begins. */
bool prepare_order(struct engine *engine, struct host *host, const char *reason);
/** prepare_run() - @purpose on the machine of @rental; nothing else is under way there. */
void prepare_run(struct rental *rental, enum shell_purpose purpose);
/** prepare_endpoint_set() - @host's engine is reached so from now on; the caller touches the host. */
void prepare_endpoint_set(struct engine *engine, struct host *host,
                          const struct host_endpoint *endpoint);
/** prepare_certificate_set() - its engine has one that ends then; 0: it has none. */
void prepare_certificate_set(struct engine *engine, struct machine *machine, int64_t ends_at_ms);
/** prepare_late() - it takes too long: the run that is under way fails. */
void prepare_late(struct rental *rental);
/** prepare_start() - what the stage PREPARING asks for. */
void prepare_start(struct rental *rental);
/** prepare_join() - it is prepared: its engine is asked. */
void prepare_join(struct rental *rental);
