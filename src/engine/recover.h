#pragma once

/*
 * Crash-only: a start is a recovery, and so is what follows a failed commit.
 * The rows are loaded, open work is taken up again, hosts are compared.
 */

#include "state.h"

/** recover_resume() - the model was just loaded: lanes, open launches and burials. */
void recover_resume(struct engine *engine);
/** recover_on_store_fault() - a commit failed: memory is ahead of the disk. */
void recover_on_store_fault(struct engine *engine, const struct fault *fault);
/** recover_poke() - at the end of a turn: reload, or stop, once nothing is under way. */
void recover_poke(struct engine *engine);
/** recover_quiesce() - end all that is under way; done when recover_is_quiet(). */
void recover_quiesce(struct engine *engine);
bool recover_is_quiet(const struct engine *engine);
/** recover_host_compared() - @host was compared; perhaps the last that was late after a restore. */
void recover_host_compared(struct engine *engine, struct host *host);
/** recover_lanes_free() - all lanes of the model. */
void recover_lanes_free(struct engine *engine);
