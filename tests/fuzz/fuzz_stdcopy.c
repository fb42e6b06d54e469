/* Any bytes, cut anywhere, give the same as in one piece. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "berth/base/mem.h"
#include "berth/docker/docker_demux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sink {
    struct docker_demux demux;
    size_t len[DOCKER_STREAM_COUNT];
    uint32_t sum[DOCKER_STREAM_COUNT]; /* depends on the order of the bytes */
};

static void
on_data(struct docker_demux *demux, int stream, const char *data, size_t len)
{
    struct sink *sink = CONTAINER_OF(demux, struct sink, demux);

    assert(stream >= 0 && stream < DOCKER_STREAM_COUNT && len > 0);
    sink->len[stream] += len;
    for (size_t i = 0; i < len; i++)
        sink->sum[stream] = sink->sum[stream] * 31 + (uint8_t)data[i];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sink whole = { .demux.on_data = on_data };
    struct sink pieces = { .demux.on_data = on_data };
    int whole_ret = docker_demux_feed(&whole.demux, (const char *)data, size);
    int pieces_ret = 0;
    size_t step = size ? 1 + data[size - 1] % 7 : 1;

    for (size_t at = 0; at < size && pieces_ret == 0; at += step)
        pieces_ret = docker_demux_feed(&pieces.demux, (const char *)data + at,
                                       size - at < step ? size - at : step);
    assert(whole_ret == pieces_ret);
    for (size_t i = 0; i < DOCKER_STREAM_COUNT; i++)
        assert(whole.len[i] == pieces.len[i] && whole.sum[i] == pieces.sum[i]);
    assert(docker_demux_is_whole(&whole.demux) == docker_demux_is_whole(&pieces.demux));
    return 0;
}
