/*
 * What is put comes back as it was, field by field, and the schema's lists of
 * names are the domain's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "dump.h"
#include "kit.h"
#include "sample.h"

/* Proves: each stored field of each kind survives a commit, a close and a load. */
static void
test_every_field_comes_back(void **state)
{
    struct kit *kit = *state;
    struct model *model = sample_model();
    CLEANUP(mem_freep) char *before = dump_model(model);
    CLEANUP(mem_freep) char *after = NULL;
    struct model *loaded;

    kit_open(kit);
    kit_commit_model(kit, model);
    kit_close(kit);
    kit_open(kit);
    loaded = kit_load(kit, NULL);
    after = dump_model(loaded);
    assert_string_equal(after, before);
    assert_int_equal(loaded->last_id, SAMPLE_IMAGE);
    assert_int_equal(loaded->dirty_count, 0);
    assert_int_equal(loaded->instance_counts[INSTANCE_QUEUED], 1);
    model_free(loaded);
    model_free(model);
}

/* Proves: a second put replaces the row, a drop removes it, and the loop may change a row as soon as
 * it was put. */
static void
test_put_copies_replaces_and_drops(void **state)
{
    struct kit *kit = *state;
    struct model *model = sample_model();
    struct instance *instance = idmap_find(&model->instances, SAMPLE_INSTANCE);
    struct store_batch *batch;
    struct kit_commit commit;
    struct model *loaded;

    kit_open(kit);
    kit_commit_model(kit, model);
    batch = kit->port->batch_new(kit->port->self);
    instance->rev = 100;
    instance->name[0] = 'M';
    kit->port->put(batch, ROW_INSTANCE, instance);
    instance->rev = 200;
    instance->name[0] = '?';
    kit->port->drop(batch, ROW_INSTANCE, SAMPLE_QUEUED);
    kit->port->drop(batch, ROW_TOKEN, SAMPLE_TOKEN);
    kit_start(kit, &commit, batch);
    model_free(model);
    kit_wait(kit, &commit);
    assert_false(commit.failed);

    loaded = kit_load(kit, NULL);
    instance = idmap_find(&loaded->instances, SAMPLE_INSTANCE);
    assert_int_equal(instance->rev, 100);
    assert_string_equal(instance->name, "My notebook");
    assert_null(idmap_find(&loaded->instances, SAMPLE_QUEUED));
    assert_int_equal(loaded->tokens.live, 0);
    model_free(loaded);
}

/* Proves: rows may be put in any order, what they refer to after them. */
static void
test_references_are_checked_at_the_end(void **state)
{
    struct kit *kit = *state;
    struct model *model = sample_model();
    struct store_batch *batch;
    struct kit_commit commit;

    kit_open(kit);
    batch = kit->port->batch_new(kit->port->self);
    kit->port->put(batch, ROW_HOST, idmap_find(&model->hosts, SAMPLE_HOST));
    kit->port->put(batch, ROW_POOL, idmap_find(&model->pools, SAMPLE_POOL));
    kit_commit(kit, batch);

    batch = kit->port->batch_new(kit->port->self);
    kit->port->drop(batch, ROW_POOL, SAMPLE_POOL);
    kit_start(kit, &commit, batch);
    kit_wait(kit, &commit);
    assert_true(commit.failed);
    assert_int_equal(commit.fault.kind, FAULT_STORAGE);
    model_free(model);
}

/* How many names @sql compares @column with; each must be one of @name(0 .. @count - 1). */
static int
check_names(const char *sql, const char *column, int count, const char *(*name)(int32_t))
{
    CLEANUP(mem_freep) char *start = mem_printf(" %s = '", column);
    int names = 0;

    for (const char *at = sql; (at = strpbrk(at, " (")); at++) {
        size_t len = strlen(start) - 1;
        int known = 0;

        if (strncmp(at + 1, start + 1, len) != 0)
            continue;
        while (known < count && strncmp(at + 1 + len, name(known), strcspn(at + 1 + len, "'")) != 0)
            known++;
        if (known == count)
            fail_msg("not the domain's: %.20s", at);
        names++;
    }
    return names;
}

static char *
table_sql(struct kit *kit, const char *table)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;
    char *sql;

    assert_int_equal(sqlite3_open(kit_path(kit, "berth.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT sql FROM sqlite_schema WHERE name = ?", -1,
                                        &statement, NULL),
                     SQLITE_OK);
    (void)sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    sql = mem_strdup((const char *)sqlite3_column_text(statement, 0));
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(db);
    return sql;
}

static const char *
host_name(int32_t state)
{
    return host_state_name((enum host_state)state);
}

static const char *
instance_name(int32_t state)
{
    return instance_state_name((enum instance_state)state);
}

static const char *
end_name(int32_t end)
{
    return shell_end_name((enum shell_end)end);
}

/* Proves: the CHECK of a column lists the domain's names, all of them and no other. */
static void
test_checks_are_the_domains(void **state)
{
    static const struct {
        const char *table;
        const char *column;
        int count;
        const char *(*name)(int32_t);
    } lists[] = {
        { "hosts", "state", HOST_STATE_COUNT, host_name },
        { "instances", "state", INSTANCE_STATE_COUNT, instance_name },
        { "operations", "state", OPERATION_STATE_COUNT, operation_state_name },
        { "tokens", "role", ROLE_COUNT, token_role_name },
        { "pools", "provider", PROVIDER_COUNT, pool_provider_name },
        { "hosts", "cause", CAUSE_COUNT, host_cause_name },
        { "host_steps", "ended", SHELL_END_COUNT, end_name },
    };
    struct kit *kit = *state;

    kit_open(kit);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        CLEANUP(mem_freep) char *sql = table_sql(kit, lists[i].table);

        assert_int_equal(check_names(sql, lists[i].column, lists[i].count, lists[i].name),
                         lists[i].count);
        for (int at = 0; at < lists[i].count; at++) {
            CLEANUP(mem_freep)
            char *term = mem_printf("%s = '%s'", lists[i].column, lists[i].name(at));

            assert_non_null(strstr(sql, term));
        }
    }
}

/* Proves: the states that hold a host, as the schema has them, are those with an edge to "stopping"
 * or "running": what the model asserts. */
static void
test_a_state_that_holds_a_host_has_one(void **state)
{
    struct kit *kit = *state;
    struct model *model = sample_model();
    const char *path;

    kit_open(kit);
    kit_commit_model(kit, model);
    path = kit_path(kit, "berth.db");
    for (int at = 0; at < INSTANCE_STATE_COUNT; at++) {
        bool holds = at == INSTANCE_STARTING || at == INSTANCE_RUNNING || at == INSTANCE_STOPPING;
        CLEANUP(mem_freep)
        char *sql = mem_printf("UPDATE instances SET state = '%s' WHERE id = %d", instance_name(at),
                               SAMPLE_INSTANCE);
        sqlite3 *db = NULL;

        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL),
                         holds ? SQLITE_OK : SQLITE_CONSTRAINT);
        (void)sqlite3_close(db);
    }
    model_free(model);
}

/* Proves: every table is STRICT, and references are enforced. */
static void
test_tables_are_strict(void **state)
{
    struct kit *kit = *state;
    const char *path;

    kit_open(kit);
    path = kit_path(kit, "berth.db");
    assert_int_equal(kit_int(path, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' "
                                   "AND type = 'table' AND name NOT LIKE 'sqlite_%' "
                                   "AND NOT strict"),
                     0);
    assert_int_equal(kit_int(path, "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' "
                                   "AND type = 'table' AND name NOT LIKE 'sqlite_%'"),
                     13);
}

/* Proves: a row that this program cannot have written is named, not taken. */
static void
test_a_wrong_row_is_named(void **state)
{
    struct kit *kit = *state;
    struct model *model = sample_model();
    struct store_info info;
    struct fault fault;

    kit_open(kit);
    kit_commit_model(kit, model);
    model_free(model);
    kit_exec(kit_path(kit, "berth.db"), "UPDATE hosts SET labels = '{' WHERE id = 31");
    model = model_new();
    assert_int_equal(kit->port->load(kit->port->self, model, &info, &fault), -1);
    assert_int_equal(fault.kind, FAULT_STORAGE);
    assert_non_null(strstr(fault.text, "table hosts, row 31"));
    model_free(model);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_field_comes_back, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_put_copies_replaces_and_drops, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(test_references_are_checked_at_the_end, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(test_checks_are_the_domains, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_state_that_holds_a_host_has_one, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(test_tables_are_strict, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(test_a_wrong_row_is_named, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
