#pragma once

/*
 * A docker_port without engines, for tests of the engine and for the
 * deterministic simulation.  Every call is recorded.
 *
 * Without a clock nothing is answered until the test says so
 * (fake_docker_answer_next()).  With one, each call is answered by itself after
 * the latency that @fate says (1 ms), in virtual time.  done is never called
 * from inside call_start() or call_cancel().
 *
 * What goes wrong is said by rules (the n-th create on that host: lost reply),
 * by the fate hook, by the machine's own state (unreachable, hung), or by the
 * answer.  "Lost reply" is a fault with FAKE_DONE: the effect happens all the
 * same.
 */

#include "berth/port/clock.h"

#include "support/fake_fate.h"
#include "support/fake_machine.h"
#include "support/fake_record.h"

struct fake_docker;

/** fake_docker_new() - @clock NULL: answers come when the test says so; else borrowed. */
struct fake_docker *fake_docker_new(const struct clock_port *clock);
/** fake_docker_free() - calls still open are dropped without done. */
void fake_docker_free(struct fake_docker *fake);
/** fake_docker_port() - borrowed. */
const struct docker_port *fake_docker_port(struct fake_docker *fake);

/** fake_docker_machine() - the machine at this endpoint; made when there is none yet.  Machines
 * outlive host_forget() and fake_docker_restart(). */
struct fake_machine *fake_docker_machine(struct fake_docker *fake, const char *engine);
/** fake_docker_machine_of() - the machine a host id stands for; NULL before host_set(). */
struct fake_machine *fake_docker_machine_of(struct fake_docker *fake, int64_t host_id);

/** fake_docker_restart() - the daemon is gone: open calls vanish without done, hosts are forgotten,
 * machines and what runs there stay.  Late effects still come. */
void fake_docker_restart(struct fake_docker *fake);

/* Saying what goes wrong. */
void fake_docker_rule_add(struct fake_docker *fake, const struct fake_rule *rule);
void fake_docker_rules_clear(struct fake_docker *fake);
/** fake_docker_fate() - @fate is asked for each call that no rule is for. */
void fake_docker_fate(struct fake_docker *fake,
                      struct fake_fate (*fate)(void *cookie, const struct docker_call *call),
                      void *cookie);
/** fake_docker_on_start() - @hook may change a container when it has just been started: not ready,
 * ended at once, ... */
void fake_docker_on_start(struct fake_docker *fake,
                          void (*hook)(void *cookie, struct fake_machine *machine,
                                       struct fake_container *container),
                          void *cookie);

/* Answering by hand.  Open event streams and log followers do not count as pending. */
size_t fake_docker_pending(const struct fake_docker *fake);
/** fake_docker_next() - the oldest pending call; NULL when there is none. */
struct docker_call *fake_docker_next(struct fake_docker *fake);
/** fake_docker_answer() - @kind FAULT_NONE: what its rules or the machine say. */
void fake_docker_answer(struct fake_docker *fake, struct docker_call *call, enum fault_kind kind,
                        enum fake_effect effect);
/** fake_docker_answer_next() - the oldest pending call ends: with @fault and without effect, or, when
 * it is NULL, as its rules or the machine say. Return: false when nothing was pending. */
bool fake_docker_answer_next(struct fake_docker *fake, const struct fault *fault);
/** fake_docker_answer_all() - until nothing is pending. Return: how many. */
size_t fake_docker_answer_all(struct fake_docker *fake);
/** fake_docker_late() - the effects that were held back happen now. Return: how many. */
size_t fake_docker_late(struct fake_docker *fake);

/* Streams. */
/** fake_docker_hint() - tell open event streams of @machine about @container. */
void fake_docker_hint(struct fake_docker *fake, struct fake_machine *machine, const char *action,
                      const struct fake_container *container);
/** fake_docker_streams_break() - open event streams and followers of @machine end with @kind. */
void fake_docker_streams_break(struct fake_docker *fake, struct fake_machine *machine,
                               enum fault_kind kind);
/** fake_docker_crash() - @container ends on its own, with a hint. */
void fake_docker_crash(struct fake_docker *fake, struct fake_machine *machine,
                       struct fake_container *container, int32_t exit_code, bool oom_killed);

/* The record. */
size_t fake_docker_count(const struct fake_docker *fake, enum docker_verb verb);
const struct fake_record *fake_docker_records(const struct fake_docker *fake, size_t *ret_count);
void fake_docker_records_clear(struct fake_docker *fake);
