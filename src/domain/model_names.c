#include "model_names.h"

#include <assert.h>
#include <string.h>

#include "berth/base/hash.h"
#include "berth/base/mem.h"

/* How many live instances of one blueprint somebody has; strings are interned. */
struct model_owner {
    const char *owner;
    const char *blueprint;
    uint32_t count;
};

struct names_host_key {
    const struct pool *pool;
    const char *name;
};

struct names_version_key {
    const char *name;
    int64_t version;
};

void
model_names_free(struct model_names *names)
{
    struct model_owner *owner;
    size_t at = 0;

    if (!names)
        return;
    while ((owner = rowtable_step(&names->owners, &at)))
        mem_free(owner);
    rowtable_fini(&names->owners);
    rowtable_fini(&names->pools);
    rowtable_fini(&names->hosts);
    rowtable_fini(&names->latest);
    rowtable_fini(&names->versions);
    rowtable_fini(&names->tokens);
    mem_free(names);
}

static uint64_t
names_hash(const char *text)
{
    return hash_text(HASH_TEXT_START, text, strlen(text));
}

static uint64_t
names_hash_number(uint64_t hash, int64_t number)
{
    return hash_text(hash, (const char *)&number, sizeof(number));
}

/* --- Pools ------------------------------------------------------------------------------------ */

static bool
names_is_pool(const struct rowtable_key *key, const void *row)
{
    const struct pool *pool = row;

    return strcmp(pool->name, key->what) == 0;
}

void
model_names_pool_add(struct model *model, struct pool *pool)
{
    assert(!model_pool_find(model, pool->name));
    rowtable_insert(&model->names->pools, names_hash(pool->name), pool);
}

void
model_names_pool_drop(struct model *model, const struct pool *pool)
{
    rowtable_remove(&model->names->pools, names_hash(pool->name), pool);
}

struct pool *
model_pool_find(const struct model *model, const char *name)
{
    const struct rowtable_key key = { names_hash(name), names_is_pool, name };

    return rowtable_find(&model->names->pools, &key);
}

/* --- Hosts ------------------------------------------------------------------------------------ */

static bool
names_is_host(const struct rowtable_key *key, const void *row)
{
    const struct host *host = row;
    const struct names_host_key *want = key->what;

    return host->pool == want->pool && strcmp(host->name, want->name) == 0;
}

static uint64_t
names_hash_host(const struct pool *pool, const char *name)
{
    return names_hash_number(names_hash(name), pool->id);
}

void
model_names_host_add(struct model *model, struct host *host)
{
    assert(!model_host_find(model, host->pool, host->name));
    rowtable_insert(&model->names->hosts, names_hash_host(host->pool, host->name), host);
}

void
model_names_host_drop(struct model *model, const struct host *host)
{
    rowtable_remove(&model->names->hosts, names_hash_host(host->pool, host->name), host);
}

struct host *
model_host_find(const struct model *model, const struct pool *pool, const char *name)
{
    const struct names_host_key names = { pool, name };
    const struct rowtable_key key = { names_hash_host(pool, name), names_is_host, &names };

    return rowtable_find(&model->names->hosts, &key);
}

/* --- Blueprints ------------------------------------------------------------------------------- */

static bool
names_is_blueprint(const struct rowtable_key *key, const void *row)
{
    const struct blueprint *blueprint = row;

    return strcmp(blueprint->spec.name, key->what) == 0;
}

static bool
names_is_version(const struct rowtable_key *key, const void *row)
{
    const struct blueprint *blueprint = row;
    const struct names_version_key *want = key->what;

    return blueprint->version == want->version && strcmp(blueprint->spec.name, want->name) == 0;
}

void
model_names_blueprint_add(struct model *model, struct blueprint *blueprint)
{
    const char *name = blueprint->spec.name;

    assert(!model_blueprint_version_find(model, name, blueprint->version));
    rowtable_insert(&model->names->versions,
                    names_hash_number(names_hash(name), blueprint->version), blueprint);
    if (blueprint->latest)
        rowtable_insert(&model->names->latest, names_hash(name), blueprint);
}

void
model_names_latest_drop(struct model *model, const struct blueprint *blueprint)
{
    rowtable_remove(&model->names->latest, names_hash(blueprint->spec.name), blueprint);
}

void
model_names_blueprint_drop(struct model *model, const struct blueprint *blueprint)
{
    rowtable_remove(&model->names->versions,
                    names_hash_number(names_hash(blueprint->spec.name), blueprint->version),
                    blueprint);
    if (blueprint->latest)
        model_names_latest_drop(model, blueprint);
}

struct blueprint *
model_names_latest_find(const struct model *model, const char *name)
{
    const struct rowtable_key key = { names_hash(name), names_is_blueprint, name };

    return rowtable_find(&model->names->latest, &key);
}

struct blueprint *
model_blueprint_find(const struct model *model, const char *name)
{
    struct blueprint *found = model_names_latest_find(model, name);

    return found && !found->deleted ? found : NULL;
}

struct blueprint *
model_blueprint_version_find(const struct model *model, const char *name, int64_t version)
{
    const struct names_version_key names = { name, version };
    const struct rowtable_key key = { names_hash_number(names_hash(name), version),
                                      names_is_version, &names };

    return rowtable_find(&model->names->versions, &key);
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static bool
names_is_token(const struct rowtable_key *key, const void *row)
{
    const struct token *token = row;

    return text_equal_secret(token->digest, key->what, TEXT_SHA256_SIZE);
}

/* The digest is as good as random: its first bytes are a hash. */
static uint64_t
names_hash_digest(const uint8_t digest[TEXT_SHA256_SIZE])
{
    uint64_t hash;

    memcpy(&hash, digest, sizeof(hash));
    return hash;
}

void
model_names_token_add(struct model *model, struct token *token)
{
    rowtable_insert(&model->names->tokens, names_hash_digest(token->digest), token);
}

void
model_names_token_drop(struct model *model, const struct token *token)
{
    rowtable_remove(&model->names->tokens, names_hash_digest(token->digest), token);
}

struct token *
model_token_find(const struct model *model, const uint8_t digest[TEXT_SHA256_SIZE])
{
    const struct rowtable_key key = { names_hash_digest(digest), names_is_token, digest };

    return rowtable_find(&model->names->tokens, &key);
}

/* --- What each owner has ---------------------------------------------------------------------- */

static bool
names_is_owner(const struct rowtable_key *key, const void *row)
{
    const struct model_owner *owner = row;
    const struct model_owner *want = key->what;

    return owner->owner == want->owner && owner->blueprint == want->blueprint;
}

static uint64_t
names_hash_owner(const struct model_owner *owner)
{
    return hash_text(names_hash(owner->owner), owner->blueprint, strlen(owner->blueprint));
}

static struct model_owner *
names_owner_find(const struct model *model, const struct model_owner *owner)
{
    const struct rowtable_key key = { names_hash_owner(owner), names_is_owner, owner };

    return rowtable_find(&model->names->owners, &key);
}

void
model_names_owner_count(struct model *model, const char *owner, const char *blueprint, int delta)
{
    struct model_owner key = { owner, intern_get(model->strings, blueprint), 0 };
    struct model_owner *found = names_owner_find(model, &key);

    if (!found) {
        assert(delta > 0);
        found = mem_dup(&key, sizeof(key)); /* keeps the count of its blueprint's name */
        rowtable_insert(&model->names->owners, names_hash_owner(found), found);
    } else {
        intern_put(model->strings, key.blueprint);
    }
    if (delta > 0) {
        found->count++;
        return;
    }
    if (--found->count > 0)
        return;
    rowtable_remove(&model->names->owners, names_hash_owner(found), found);
    intern_put(model->strings, found->blueprint);
    mem_free(found);
}

uint32_t
model_owner_count(const struct model *model, const char *owner, const char *name)
{
    struct model_owner key = { intern_find(model->strings, owner),
                               intern_find(model->strings, name), 0 };
    const struct model_owner *found;

    if (!key.owner || !key.blueprint)
        return 0;
    found = names_owner_find(model, &key);
    return found ? found->count : 0;
}
