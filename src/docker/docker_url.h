#pragma once

/* Parts of URLs: whatever comes from outside is percent-encoded. */

#include <stdbool.h>

#include "berth/base/buf.h"

/** docker_url_encode() - append @text; all but RFC 3986's unreserved characters as %XX. */
void docker_url_encode(struct buf *url, const char *text);
/** docker_url_filters() - append "filters=" with a JSON object, encoded: `label` is
 * berth.cluster=@cluster_id; only containers' events when @containers. */
void docker_url_filters(struct buf *url, const char *cluster_id, bool containers);
/** docker_url_image() - append "fromImage=...&tag=..." for @reference: without a tag or digest the engine
 * would fetch every tag, so that "latest" is asked for. */
void docker_url_image(struct buf *url, const char *reference);
