#include "admin_token.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "berth/base/log.h"
#include "berth/base/secret.h"

enum { TOKEN_BYTES = 32, TOKEN_TEXT_SIZE = 6 + 2 * TOKEN_BYTES + 1 };

/* In place at once or not at all. */
static int
admin_token_write(const char *text, size_t len, const char *path, struct fault *fault)
{
    CLEANUP(mem_freep) char *fresh = mem_printf("%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok;

    if (fd < 0) {
        return fault_set(fault, FAULT_STORAGE, "admin_token", "%s: %s", fresh,
                         strerrordesc_np(errno));
    }
    ok = write(fd, text, len) == (ssize_t)len && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (!ok || rename(fresh, path) < 0) {
        return fault_set(fault, FAULT_STORAGE, "admin_token", "%s: %s", path,
                         strerrordesc_np(errno));
    }
    return 0;
}

int
admin_token_ensure(struct engine *engine, const char *data_dir, const struct random_port *random,
                   struct fault *fault)
{
    CLEANUP(mem_freep) char *path = mem_printf("%s/admin.token", data_dir);
    uint8_t bytes[TOKEN_BYTES];
    char text[TOKEN_TEXT_SIZE] = "berth_";
    struct token *token;
    int result;

    if (engine_model(engine)->tokens.live > 0)
        return 0;
    random->fill(random->self, bytes, sizeof(bytes));
    text_hex(bytes, sizeof(bytes), text + 6);
    token = token_new();
    token->role = ROLE_ADMIN;
    token->name = mem_strdup("admin");
    token->owner = mem_strdup("admin");
    text_sha256(text, strlen(text), token->digest);
    /* The file first: a token in the database that nobody knows would lock everybody out. */
    result = admin_token_write(text, strlen(text), path, fault);
    secret_wipe(text, sizeof(text));
    secret_wipe(bytes, sizeof(bytes));
    if (result == 0)
        result = engine_token_create(engine, token, fault);
    if (result < 0) {
        token_free(token);
        return -1;
    }
    log_info("token", "the admin token is in %s", path);
    return 0;
}
