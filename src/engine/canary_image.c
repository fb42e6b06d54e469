#include "canary_image.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "berth/base/json.h"
#include "berth/base/text.h"

enum {
    TAR_BLOCK = 512,
    TAR_SUM_AT = 148,
    TAR_SUM_SIZE = 8,
    ELF_HEADER_SIZE = 64,
    ELF_SEGMENT_SIZE = 56,
    ELF_ADDRESS = 0x400000,
    ELF_ALIGN = 0x10000, /* the largest page that arm64 may have */
    ELF_CODE_MAX = 12,
    ARCHIVE_MAX = 64 * 1024,
};

struct canary_arch {
    const char *engine; /* as an engine tells it */
    const char *image;  /* as an image's configuration tells it */
    uint16_t machine;   /* of ELF */
    uint8_t code[ELF_CODE_MAX];
};

/* clang-format off */
static const struct canary_arch canary_archs[] = {
    { "x86_64", "amd64", 62, { 0x31, 0xff,                      /* xor edi, edi */
                               0xb8, 0x3c, 0x00, 0x00, 0x00,    /* mov eax, 60 */
                               0x0f, 0x05,                      /* syscall */
                               0xf4 } },                        /* hlt: not reached */
    { "aarch64", "arm64", 183, { 0x00, 0x00, 0x80, 0xd2,        /* mov x0, #0 */
                                 0xa8, 0x0b, 0x80, 0xd2,        /* mov x8, #93 */
                                 0x01, 0x00, 0x00, 0xd4 } },    /* svc #0 */
};
/* clang-format on */

static const struct canary_arch *
canary_image_arch(const char *architecture)
{
    for (size_t i = 0; i < ARRAY_LEN(canary_archs); i++) {
        if (strcmp(canary_archs[i].engine, architecture) == 0)
            return &canary_archs[i];
    }
    return NULL;
}

bool
canary_image_runs(const char *architecture)
{
    return canary_image_arch(architecture) != NULL;
}

/* @size bytes, the lowest first. */
static void
canary_image_number(struct buf *out, uint64_t number, int size)
{
    for (int i = 0; i < size; i++)
        buf_append_char(out, (char)(number >> 8 * i & 0xff));
}

static void
canary_image_program(const struct canary_arch *arch, struct buf *out)
{
    static const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 }; /* 64 bits, little end */
    const uint64_t size = ELF_HEADER_SIZE + ELF_SEGMENT_SIZE + ELF_CODE_MAX;

    buf_append(out, ident, sizeof(ident));
    canary_image_number(out, 2, 2); /* executable at a fixed address */
    canary_image_number(out, arch->machine, 2);
    canary_image_number(out, 1, 4);
    canary_image_number(out, ELF_ADDRESS + ELF_HEADER_SIZE + ELF_SEGMENT_SIZE, 8);
    canary_image_number(out, ELF_HEADER_SIZE, 8); /* of the segments */
    canary_image_number(out, 0, 8);               /* of the sections: none */
    canary_image_number(out, 0, 4);
    canary_image_number(out, ELF_HEADER_SIZE, 2);
    canary_image_number(out, ELF_SEGMENT_SIZE, 2);
    canary_image_number(out, 1, 2);
    canary_image_number(out, 0, 6);

    canary_image_number(out, 1, 4); /* to be loaded, */
    canary_image_number(out, 5, 4); /* readable and executable, */
    canary_image_number(out, 0, 8); /* all of the file */
    canary_image_number(out, ELF_ADDRESS, 8);
    canary_image_number(out, ELF_ADDRESS, 8);
    canary_image_number(out, size, 8);
    canary_image_number(out, size, 8);
    canary_image_number(out, ELF_ALIGN, 8);
    buf_append(out, arch->code, ELF_CODE_MAX);
}

static void
canary_image_pad(struct buf *out)
{
    while (out->len % TAR_BLOCK != 0)
        buf_append_char(out, '\0');
}

/* A header is a table of texts, each with its place. */
static void
canary_image_put(char block[TAR_BLOCK], size_t at, const char *text)
{
    /* NOLINTNEXTLINE(bugprone-not-null-terminated-result): what fills its place has no end in a tar */
    memcpy(block + at, text, strlen(text));
}

static void
canary_image_octal(char block[TAR_BLOCK], size_t at, int digits, uint64_t number)
{
    for (int i = digits - 1; i >= 0; i--, number /= 8)
        block[at + (size_t)i] = (char)('0' + number % 8);
}

static void
canary_image_file(struct buf *out, const char *name, const struct buf *content)
{
    char block[TAR_BLOCK] = { 0 };
    uint64_t sum = 0;

    assert(out->len % TAR_BLOCK == 0 && strlen(name) < 100);
    canary_image_put(block, 0, name);
    canary_image_octal(block, 100, 7, 0755);
    canary_image_octal(block, 108, 7, 0);
    canary_image_octal(block, 116, 7, 0);
    canary_image_octal(block, 124, 11, content->len);
    canary_image_octal(block, 136, 11, 0);
    memset(block + TAR_SUM_AT, ' ', TAR_SUM_SIZE);
    canary_image_put(block, 156, "0");
    canary_image_put(block, 257, "ustar");
    canary_image_put(block, 263, "00");
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (uint8_t)block[i];
    canary_image_octal(block, TAR_SUM_AT, 6, sum);
    block[TAR_SUM_AT + 6] = '\0';
    buf_append(out, block, TAR_BLOCK);
    buf_append(out, content->data, content->len);
    canary_image_pad(out);
}

static void
canary_image_end(struct buf *out)
{
    const char zeros[2 * TAR_BLOCK] = { 0 };

    buf_append(out, zeros, sizeof(zeros));
}

static void
canary_image_layer(const struct canary_arch *arch, struct buf *out)
{
    struct buf program;

    if (arch) {
        buf_init(&program, ARCHIVE_MAX);
        canary_image_program(arch, &program);
        canary_image_file(out, "canary", &program);
        buf_fini(&program);
    }
    canary_image_end(out);
}

static void
canary_image_config(const char *architecture, const struct buf *layer, struct buf *out)
{
    uint8_t digest[TEXT_SHA256_SIZE];
    char diff_id[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    struct json_out json;

    text_sha256(layer->data, layer->len, digest);
    text_hex(digest, sizeof(digest), strchr(diff_id, ':') + 1);
    json_out_init(&json, out);
    json_out_object(&json);
    json_out_kv_string(&json, "architecture", architecture);
    json_out_kv_string(&json, "os", "linux");
    json_out_key(&json, "config");
    json_out_object(&json);
    json_out_key(&json, "Entrypoint");
    json_out_array(&json);
    json_out_string(&json, "/canary");
    json_out_array_end(&json);
    json_out_object_end(&json);
    json_out_key(&json, "rootfs");
    json_out_object(&json);
    json_out_kv_string(&json, "type", "layers");
    json_out_key(&json, "diff_ids");
    json_out_array(&json);
    json_out_string(&json, diff_id);
    json_out_array_end(&json);
    json_out_object_end(&json);
    json_out_object_end(&json);
}

void
canary_image_encode(const char *architecture, struct buf *out)
{
    static const char manifest_text[] = "[{\"Config\":\"config.json\",\"RepoTags\":[\"" CANARY_IMAGE
                                        "\"],\"Layers\":[\"layer.tar\"]}]";
    const struct canary_arch *arch = canary_image_arch(architecture);
    struct buf manifest;
    struct buf config;
    struct buf layer;

    buf_init(&manifest, ARCHIVE_MAX);
    buf_init(&config, ARCHIVE_MAX);
    buf_init(&layer, ARCHIVE_MAX);
    canary_image_layer(arch, &layer);
    canary_image_config(arch ? arch->image : architecture, &layer, &config);
    buf_append_string(&manifest, manifest_text);
    canary_image_file(out, "layer.tar", &layer);
    canary_image_file(out, "config.json", &config);
    canary_image_file(out, "manifest.json", &manifest);
    canary_image_end(out);
    assert(!out->overflow);
    buf_fini(&manifest);
    buf_fini(&config);
    buf_fini(&layer);
}
