#pragma once

/*
 * Images: pulled with a registry's credentials, or loaded from an archive that
 * is kept for hosts that join later.
 */

#include "lane.h"

/** images_pull_prepare() - @op becomes the pull of @image (borrowed), with credentials if any. */
void images_pull_prepare(struct engine *engine, const char *image, struct lane_op *op);
/** images_host_joined() - @host gets the archives of its pool that it lacks. */
void images_host_joined(struct engine *engine, struct host *host);
/** images_send_again() - @host could not load @image's archive @retried_ms ago. */
void images_send_again(struct engine *engine, struct host *host, const struct image *image,
                       int64_t retried_ms);
/** images_operation_cancel() - what is under way for @operation; it ends when all has ended. */
void images_operation_cancel(struct engine *engine, const struct operation *operation);
/** images_cancel_all() - see recover.c. */
void images_cancel_all(struct engine *engine);
/** images_are_coming() - archives are on their way to @host; launch_image_came() when one has ended. */
bool images_are_coming(const struct engine *engine, const struct host *host);
/** images_fini() - forget what was to be sent again, and all credentials. */
void images_fini(struct engine *engine);
