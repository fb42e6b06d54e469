#pragma once

/*
 * The store port in memory.  Nothing completes by itself: the test says when,
 * and whether, the oldest commit (or history read, or backup) is done, so that
 * a simulation decides the order of everything.  Rows are deep copies: a crash
 * is fake_store_crash(), the death of the engine, and a load into a new model.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/port/store.h"

#include "support/fake_row.h"

struct fake_store;

/** fake_store_new() - an empty database whose cluster id is "00000000000fa4e5". */
struct fake_store *fake_store_new(void);
/** fake_store_free() - what is pending is forgotten, its done does not come. */
void fake_store_free(struct fake_store *fake);
/** fake_store_port() - borrowed from @fake. */
const struct store_port *fake_store_port(struct fake_store *fake);

/* --- Completion ----------------------------------------------------------------------------- */

/** fake_store_pending() - commits that were started and not done. */
size_t fake_store_pending(const struct fake_store *fake);

/**
 * fake_store_commit_next() - the oldest pending commit is done
 * @fault: NULL: its rows are there from now on; otherwise none is, and the commits that were started
 *         before the next load() fail in the same way
 *
 * Return: false when none is pending.
 */
bool fake_store_commit_next(struct fake_store *fake, const struct fault *fault);

/** fake_store_asked_next() - the oldest history read or backup is done, or fails with @fault.
 * Return: false when none was asked for. */
bool fake_store_asked_next(struct fake_store *fake, const struct fault *fault);

/** fake_store_settle() - all that is pending is done, and what is started by that too. */
void fake_store_settle(struct fake_store *fake);

/**
 * fake_store_break() - the disk's state from now on
 * @fault: NULL: good; otherwise commits that would succeed fail with it and probe() does, too
 *         (FAULT_STORAGE_FULL: commits of at most @room rows still work after a load, as with the
 *         ballast gone)
 * @room: rows
 */
void fake_store_break(struct fake_store *fake, const struct fault *fault, size_t room);

/**
 * fake_store_crash() - the process died
 * @durable: so many of the pending commits, oldest first, had reached the disk, though nobody was
 *           told; the others are lost
 *
 * The engine's memory (commits, history reads) is not touched any more.
 */
void fake_store_crash(struct fake_store *fake, size_t durable);

/* --- Looking at what is durable ------------------------------------------------------------- */

/** fake_store_count() - durable rows of @kind. */
size_t fake_store_count(const struct fake_store *fake, enum row_kind kind);
/** fake_store_row() - the durable row; NULL: none. Borrowed until the next commit. */
const struct fake_row *fake_store_row(const struct fake_store *fake, enum row_kind kind,
                                      int64_t id);
/** fake_store_row_after() - the durable row with the lowest id > @id; NULL: none. */
const struct fake_row *fake_store_row_after(const struct fake_store *fake, enum row_kind kind,
                                            int64_t id);
/** fake_store_events() - the durable events in order; borrowed until the next commit. */
const struct event *fake_store_events(const struct fake_store *fake, size_t *ret_count);

/** fake_store_restored_set() - as after a restore. */
void fake_store_restored_set(struct fake_store *fake, bool restored);
/** fake_store_is_restored() - the rows were not compared with all hosts yet. */
bool fake_store_is_restored(const struct fake_store *fake);
/** fake_store_commits() - commits that were done well, since the start. */
uint64_t fake_store_commits(const struct fake_store *fake);
