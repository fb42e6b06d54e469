#pragma once

/*
 * Pools whose machines are rented: what the configuration says of them reaches the provider and the
 * shell.  A pool's section is found by its name whenever something is asked for, so that nothing depends
 * on when rows are loaded and configurations read.
 */

#include "berth/daemon/config.h"
#include "berth/domain/model.h"
#include "berth/port/cloud.h"
#include "berth/port/shell.h"

struct http;
struct loop;
struct machines;

struct machines_options {
    struct http *http;
    struct loop *loop;
    const char *data_dir;                    /* borrowed for the call */
    const char *(*cluster_id)(void *cookie); /* called when keys are derived */
    void *cookie;
};

/** machines_new() - with the credentials that the environment tells of; asks nobody yet, and knows of
 * no pool before machines_apply().
 * Return: 0, or -1 with FAULT_STORAGE. */
int machines_new(const struct machines_options *options, struct machines **ret_machines,
                 struct fault *fault);
/** machines_free() - all calls and preparations must have ended; NULL is fine. */
void machines_free(struct machines *machines);

const struct cloud_port *machines_cloud(struct machines *machines);
const struct shell_port *machines_shell(struct machines *machines);

/** machines_apply() - what @config (borrowed until the next call) says holds from now on.
 * Return: 0, or -1 with the first pool's fault; the others hold. */
int machines_apply(struct machines *machines, const struct config *config, struct fault *fault);
/** machines_place() - where machines of @section's pool would be; pool_place_clear().
 * Return: 0, or -1 with FAULT_INVALID. */
int machines_place(const struct config_pool *section, struct pool_place *ret_place,
                   struct fault *fault);
/** machines_check() - whether the keys are those that the hosts were made with, after machines_apply().
 * Return: 0, or -1 with FAULT_STORAGE. */
int machines_check(const struct machines *machines, const struct model *model, struct fault *fault);
