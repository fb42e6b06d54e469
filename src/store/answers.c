#include "answers.h"

#include <string.h>

#include "berth/base/log.h"

#include "db.h"

int
answers_init(struct answers *answers, sqlite3 *db, struct fault *fault)
{
    *answers = (struct answers){ .db = db };
    return db_prepare(db, "SELECT digest, at_ms, status, location, body FROM answers WHERE key = ?",
                      &answers->find, fault);
}

static void
answers_forget(struct answers *answers)
{
    mem_free(answers->location);
    mem_free(answers->body);
    answers->location = NULL;
    answers->body = NULL;
}

void
answers_fini(struct answers *answers)
{
    answers_forget(answers);
    (void)sqlite3_finalize(answers->find);
    *answers = (struct answers){ 0 };
}

static struct store_answer
answers_read(struct answers *answers, const char *key)
{
    sqlite3_stmt *find = answers->find;
    struct store_answer answer = { .key = key };
    const void *digest = sqlite3_column_blob(find, 0);

    if (digest && sqlite3_column_bytes(find, 0) == (int)sizeof(answer.digest))
        memcpy(answer.digest, digest, sizeof(answer.digest));
    answer.at_ms = sqlite3_column_int64(find, 1);
    answer.status = (int32_t)sqlite3_column_int64(find, 2);
    answer.body_len = (size_t)sqlite3_column_bytes(find, 4);
    answers->location = mem_strdup((const char *)sqlite3_column_text(find, 3));
    answers->body = mem_dup(sqlite3_column_blob(find, 4), answer.body_len);
    answer.location = answers->location;
    answer.body = answers->body ? answers->body : "";
    return answer;
}

bool
answers_find(struct answers *answers, const char *key, struct store_answer *ret_answer)
{
    struct fault fault;
    int rc;

    answers_forget(answers);
    (void)sqlite3_bind_text(answers->find, 1, key, -1, SQLITE_STATIC);
    rc = sqlite3_step(answers->find);
    if (rc == SQLITE_ROW) {
        *ret_answer = answers_read(answers, key);
    } else if (rc != SQLITE_DONE) {
        (void)db_fault(answers->db, rc, "store.answer", &fault);
        log_error("store", "a kept answer cannot be read: %s", fault.text);
    }
    (void)sqlite3_reset(answers->find);
    (void)sqlite3_clear_bindings(answers->find);
    return rc == SQLITE_ROW;
}
