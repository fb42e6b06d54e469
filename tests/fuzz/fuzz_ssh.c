/* Any bytes from a machine: its output means the same in whatever pieces it comes, no secret gets through,
 * and lists of algorithms and keys end where they end. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "berth/shell/key.h"

#include "../../src/shell/redact.h"
#include "../../src/shell/result.h"
#include "../../src/shell/ssh_offer.h"
#include "../../src/shell/ssh_stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char fuzz_token[SSH_TOKEN_SIZE] = "0123456789abcdef0123456789abcdef";
static const char fuzz_secret[] = "first line of it\nand another line\n";

struct fuzz_out {
    struct ssh_stream stream;
    struct redact redact;
    struct buf text;
};

static void
fuzz_on_emit(struct ssh_stream *stream, const char *data, size_t len)
{
    struct fuzz_out *out = CONTAINER_OF(stream, struct fuzz_out, stream);

    assert(len > 0);
    redact_feed(&out->redact, data, len, false, &out->text);
}

/* In pieces of @piece bytes. */
static void
fuzz_feed(struct fuzz_out *out, const struct redact_words *words, const char *data, size_t size,
          size_t piece)
{
    ssh_stream_init(&out->stream, fuzz_token, fuzz_on_emit);
    redact_init(&out->redact, words);
    buf_init(&out->text, 0);
    for (size_t at = 0; at < size; at += piece)
        ssh_stream_feed(&out->stream, data + at, size - at < piece ? size - at : piece);
    redact_feed(&out->redact, NULL, 0, true, &out->text);
    assert(out->text.len <= size && out->stream.noise_len <= SSH_NOISE_MAX);
    assert(out->stream.phase == SSH_STREAM_ENDED || out->stream.code == 0);
    assert(out->stream.code >= 0 && out->stream.code <= 255);
    assert(!strstr(buf_text(&out->text), "and another line"));
    redact_fini(&out->redact);
}

static void
fuzz_output(const char *data, size_t size)
{
    static const char *const secrets[] = { fuzz_secret };
    struct redact_words words;
    struct fuzz_out whole, bits;

    redact_words_init(&words, secrets, ARRAY_LEN(secrets));
    fuzz_feed(&whole, &words, data, size, size + 1);
    fuzz_feed(&bits, &words, data, size, 1 + size % 7);
    assert(whole.stream.phase == bits.stream.phase && whole.stream.code == bits.stream.code);
    assert(whole.text.len == bits.text.len);
    assert(memcmp(buf_text(&whole.text), buf_text(&bits.text), whole.text.len) == 0);
    assert(whole.stream.noise_len == bits.stream.noise_len);
    buf_fini(&whole.text);
    buf_fini(&bits.text);
    redact_words_fini(&words);
}

/* What a script wrote, as a playbook sees it. */
static void
fuzz_result(const char *data, size_t size)
{
    struct remote_command command = { .exit_code = size % 2 ? 1 : 0 };
    const char *near = NULL;
    const struct module *module = module_find("shell", &near);
    CLEANUP(json_freep) json_t *facts = json_object();
    CLEANUP(json_freep) json_t *result = NULL;
    struct buf why;

    buf_init(&command.out, 0);
    buf_init(&command.err, 0);
    buf_append(&command.out, data, size);
    buf_append(&command.err, data + size / 2, size - size / 2);
    result_facts(&command, facts);
    result = result_of_command(module, &command);
    assert(json_is_string(json_object_get(result, "stdout")));
    buf_init(&why, 0);
    result_why(result, &why);
    assert(why.len > 0);
    buf_fini(&why);
    buf_fini(&command.out);
    buf_fini(&command.err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    char lacks[SSH_OFFER_TEXT_SIZE];
    struct key_public key;
    char line[KEY_LINE_SIZE];

    fuzz_output(text, size);
    fuzz_result(text, size);
    if (ssh_offer_lacks(data, size, lacks))
        assert(lacks[0] && strlen(lacks) < sizeof(lacks));
    if (key_public_from_blob(data, size, &key))
        assert(size == KEY_BLOB_SIZE && strlen(key_public_line(&key, "", line)) < sizeof(line));
    return 0;
}
