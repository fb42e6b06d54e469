/* Any bytes as a file of profiles: what is found lies in the file, is one line, and has no blanks around
 * it. */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../../src/cloud/credentials_fetch.h"
#include "../../src/cloud/credentials_ini.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sections[] = { "default", "profile web", "" };
    struct credentials_keys *keys = NULL;

    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        const struct credentials_ini ini = { (const char *)data, size, sections[i] };
        CLEANUP(secret_freep) struct secret *value = credentials_ini_get(&ini, "aws_access_key_id");
        const char *bytes = value ? secret_bytes(value) : NULL;

        assert(!value || credentials_ini_has(&ini));
        assert(!value || (secret_len(value) > 0 && secret_len(value) < size));
        assert(!value || (!strchr(bytes, '\n') && strlen(bytes) == secret_len(value)));
        assert(!value || (*bytes != ' ' && bytes[strlen(bytes) - 1] != ' '));
    }
    if (credentials_fetch_read((const char *)data, size, &keys, NULL) == 0)
        credentials_keys_unref(keys);
    if (credentials_fetch_read_sts((const char *)data, size, &keys, NULL) == 0)
        credentials_keys_unref(keys);
    return 0;
}
