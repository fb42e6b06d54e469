#pragma once

/*
 * The playbook on a rented machine: up -> preparing -> ready, step by step.
 */

#include "rental.h"

/** prepare_order() - run the playbook on @host, whose machine is up. Return: whether it begins. */
bool prepare_order(struct engine *engine, struct host *host, const char *reason);
/** prepare_late() - it takes too long: the run that is under way fails. */
void prepare_late(struct rental *rental);
/** prepare_start() - what the stage PREPARING asks for. */
void prepare_start(struct rental *rental);
/** prepare_join() - it is prepared: its engine is asked. */
void prepare_join(struct rental *rental);
