/* Headers are collected byte by byte, because a piece may end anywhere in one. */

#include "berth/docker/docker_demux.h"

#include <string.h>

static int docker_demux_header(struct docker_demux *demux);

/* Both take what they can of [len > 0] bytes. Return: how many, or -1. */
static int64_t
docker_demux_collect(struct docker_demux *demux, const char *data, size_t len)
{
    size_t take = DOCKER_DEMUX_HEADER - demux->header_len;

    take = take < len ? take : len;
    memcpy(demux->header + demux->header_len, data, take);
    demux->header_len += take;
    if (demux->header_len == DOCKER_DEMUX_HEADER && docker_demux_header(demux) < 0)
        return -1;
    return (int64_t)take;
}

static int64_t
docker_demux_pass(struct docker_demux *demux, const char *data, size_t len)
{
    size_t take = demux->left < len ? demux->left : len;

    demux->left -= (uint32_t)take;
    if (demux->on_data)
        demux->on_data(demux, demux->header[0], data, take);
    return (int64_t)take;
}

int
docker_demux_feed(struct docker_demux *demux, const char *data, size_t len)
{
    while (len > 0) {
        int64_t took = demux->header_len < DOCKER_DEMUX_HEADER
                           ? docker_demux_collect(demux, data, len)
                           : docker_demux_pass(demux, data, len);

        if (took < 0)
            return -1;
        if (demux->header_len == DOCKER_DEMUX_HEADER && demux->left == 0)
            demux->header_len = 0;
        data += took;
        len -= (size_t)took;
    }
    return 0;
}

/* A header is whole: how much follows it. */
static int
docker_demux_header(struct docker_demux *demux)
{
    const uint8_t *h = demux->header;

    if (h[0] >= DOCKER_STREAM_COUNT || h[1] || h[2] || h[3])
        return -1;
    demux->left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 | (uint32_t)h[6] << 8 | h[7];
    return 0;
}

bool
docker_demux_is_whole(const struct docker_demux *demux)
{
    return demux->header_len == 0;
}
