#pragma once

/*
 * The store on SQLite, or the fake, behind the same port: setups for tests of what the port promises.
 */

#include "kit.h"
#include "support/fake_store.h"

/* One of the two. */
struct contract {
    struct kit *kit;
    struct fake_store *fake; /* NULL: the store on SQLite */
    const struct store_port *port;
};

struct waited {
    struct store_commit commit;
    struct store_history history;
    bool done;
    bool failed;
    char text[4096]; /* what a history read gave */
};

/* cmocka's setups and teardown; the state is a struct contract. */
int contract_setup_real(void **state);
int contract_setup_fake(void **state);
int contract_teardown(void **state);

struct store_batch *contract_batch(struct contract *contract);
/** contract_commit() - @batch, which must succeed. */
void contract_commit(struct contract *contract, struct store_batch *batch);
/** contract_settle() - until what @waited stands for is done. */
void contract_settle(struct contract *contract, struct waited *waited);
/** contract_expect() - ask for @history, and expect its rows as the text @wanted. */
void contract_expect(struct contract *contract, const struct store_history *history,
                     const char *wanted);

/* A test of both. */
#define BOTH(test)                                                                                 \
    { #test " (SQLite)", test, contract_setup_real, contract_teardown, NULL },                     \
    {                                                                                              \
#        test " (fake)", test, contract_setup_fake, contract_teardown, NULL                        \
    }
