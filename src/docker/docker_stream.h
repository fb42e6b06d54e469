#pragma once

/* Verbs whose answers come in pieces: where the pieces go. */

#include "docker_job.h"

/* As struct docker_verb_rule's data(). */
int docker_stream_output(struct docker_job *job, const char *data, size_t len,
                         struct fault *fault); /* LOGS, EXEC */
int docker_stream_lines(struct docker_job *job, const char *data, size_t len,
                        struct fault *fault); /* PULL, LOAD, EVENTS */

/* As struct docker_verb_rule's answer(): the stream has ended. */
int docker_stream_output_end(struct docker_job *job, struct fault *fault);
int docker_stream_lines_end(struct docker_job *job, struct fault *fault);

/** docker_stream_begin() - before each exchange that streams. */
void docker_stream_begin(struct docker_job *job);
