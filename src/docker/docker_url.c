/* Percent-encoding, and the two queries that are more than a number. */

#include "docker_url.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/port/docker.h"

void
docker_url_encode(struct buf *url, const char *text)
{
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                     "0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text)) {
            buf_append_char(url, *text);
        } else {
            buf_printf(url, "%%%02X", (unsigned char)*text);
        }
    }
}

void
docker_url_filters(struct buf *url, const char *cluster_id, bool containers)
{
    struct buf text;
    struct json_out out;
    char label[DOCKER_LABEL_SIZE];

    buf_init(&text, 1024);
    json_out_init(&out, &text);
    (void)snprintf(label, sizeof(label), DOCKER_LABEL_CLUSTER "=%s", cluster_id);
    json_out_object(&out);
    json_out_key(&out, "label");
    json_out_array(&out);
    json_out_string(&out, label);
    json_out_array_end(&out);
    if (containers) {
        json_out_key(&out, "type");
        json_out_array(&out);
        json_out_string(&out, "container");
        json_out_array_end(&out);
    }
    json_out_object_end(&out);
    buf_append_string(url, "filters=");
    docker_url_encode(url, buf_text(&text));
    buf_fini(&text);
}

void
docker_url_image(struct buf *url, const char *reference)
{
    const char *slash = strrchr(reference, '/');
    const char *last = slash ? slash + 1 : reference;

    buf_append_string(url, "fromImage=");
    docker_url_encode(url, reference);
    if (!strchr(last, ':') && !strchr(last, '@'))
        buf_append_string(url, "&tag=latest");
}
