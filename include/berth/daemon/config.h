#pragma once

/*
 * The configuration file: YAML, decoded by one table that also documents it.
 * config/berthd.example.yaml shows every key; a test compares the two.
 */

#include "berth/base/schema.h"
#include "berth/cloud/ec2.h"
#include "berth/domain/pool.h"
#include "berth/shell/shell.h"

struct config_log {
    int32_t level;  /* enum log_level */
    int32_t format; /* enum config_log_format */
};

enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_LOGFMT, CONFIG_LOG_JOURNAL };

struct config_housekeeping {
    int64_t interval_ms;
};

struct config_retention {
    int64_t instances;
    int64_t instances_ms;
    int64_t hosts_ms;
    int64_t operations_ms;
    int64_t events;
    int64_t events_ms;
    int64_t logs_ms;
    int64_t logs_bytes;
    int64_t host_logs_bytes;
    int64_t log_tail_bytes;
    int64_t idempotency_ms;
};

struct config_limits {
    int64_t queue;
    int64_t connections;
    int64_t body_bytes;
    int64_t image_bytes;
};

struct config_host {
    char *name;
    char *engine; /* NULL: given by ssh */
    char *ssh;
    char *host_key;
    char *ca;
    char *cert;
    char *key;
    bool plain;
    struct schema_map labels;
};

struct config_registry {
    char *name; /* the server */
    char *username;
    char *password_file;
};

struct config_pool {
    char *name;
    int32_t provider;             /* enum pool_provider */
    char *engine;                 /* local */
    struct schema_array hosts;    /* struct config_host; static */
    struct schema_array machines; /* struct pool_machine */
    struct ec2_config ec2;        /* ec2 */
    struct shell_config shell;    /* how machines become hosts: ec2 */
    struct pool_policy policy;
};

struct config {
    char *cluster;
    char *data_dir;
    struct schema_strings listen;
    bool allow_remote;
    struct config_log log;
    struct config_housekeeping housekeeping;
    struct config_retention retention;
    struct config_limits limits;
    struct schema_array registries; /* struct config_registry */
    struct schema_array pools;      /* struct config_pool */
};

extern const struct schema config_schema;
extern const struct schema config_pool_schema;

/**
 * config_load() - read and check @path
 * @path: NULL: the defaults, for one machine with its own engine (DOCKER_HOST if that is set)
 *
 * Return: 0, or -1 with FAULT_INVALID whose text names file and place; @problems tells all fields
 * that are wrong.  @ret_config is to be freed with config_fini() when 0 is returned.
 */
int config_load(const char *path, struct config *ret_config, struct problems *problems,
                struct fault *fault);
void config_fini(struct config *config);

/** config_rented_find() - the section of the pool @name, if its machines are rented; borrowed, or NULL. */
const struct config_pool *config_rented_find(const struct config *config, const char *name);
