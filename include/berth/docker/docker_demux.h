#pragma once

/*
 * Takes apart what an engine sends for a container without a terminal: frames
 * with a header of 8 bytes (stream, three zeroes, length as big-endian 32 bits)
 * and then that many bytes.  Source: Engine API, "ContainerAttach", stream
 * format.  Payload is passed on as it comes; only headers are kept.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DOCKER_DEMUX_HEADER = 8 };

enum docker_demux_stream {
    DOCKER_STREAM_STDIN,
    DOCKER_STREAM_STDOUT,
    DOCKER_STREAM_STDERR,
    DOCKER_STREAM_SYSTEM, /* the engine's own trouble */
    DOCKER_STREAM_COUNT,
};

struct docker_demux {
    void (*on_data)(struct docker_demux *demux, int stream, const char *data, size_t len);
    uint8_t header[DOCKER_DEMUX_HEADER];
    size_t header_len;
    uint32_t left; /* payload bytes of this frame still to come */
};

/** docker_demux_feed() - the next piece, cut anywhere. Return: 0, or -1 when it is not this format (then
 * the rest is not to be fed). */
int docker_demux_feed(struct docker_demux *demux, const char *data, size_t len);
/** docker_demux_is_whole() - the stream may end here: no frame is half read. */
bool docker_demux_is_whole(const struct docker_demux *demux);
