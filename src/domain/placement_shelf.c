#include "placement_shelf.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "berth/base/mem.h"

enum {
    SHELF_WORD_BITS = 6,
    SHELF_WORD = 1 << SHELF_WORD_BITS,
    SHELF_GAPS_MIN = 64, /* fewer are not worth a pass over the members */
};

static const size_t shelf_none = SIZE_MAX;

/* How many words each level of @class's buckets has; the higher ones follow the lower. */
static void
shelf_levels_set(struct placement_class *class)
{
    size_t bits = class->cap;

    for (int level = 0; level < SHELF_LEVELS; level++) {
        bits = (bits + SHELF_WORD - 1) >> SHELF_WORD_BITS;
        class->level_words[level] = bits;
    }
}

static size_t
shelf_words_of(const struct placement_class *class)
{
    return class->level_words[0] + class->level_words[1] + class->level_words[2];
}

static void
shelf_bit_set(const struct placement_class *class, uint64_t *words, size_t slot)
{
    for (int level = 0; level < SHELF_LEVELS; level++) {
        words[slot >> SHELF_WORD_BITS] |= UINT64_C(1) << (slot & (SHELF_WORD - 1));
        words += class->level_words[level];
        slot >>= SHELF_WORD_BITS;
    }
}

static void
shelf_bit_clear(const struct placement_class *class, uint64_t *words, size_t slot)
{
    for (int level = 0; level < SHELF_LEVELS; level++) {
        uint64_t *word = &words[slot >> SHELF_WORD_BITS];

        *word &= ~(UINT64_C(1) << (slot & (SHELF_WORD - 1)));
        if (*word)
            return;
        words += class->level_words[level];
        slot >>= SHELF_WORD_BITS;
    }
}

/* The first set bit >= @from in the @count words of one level, looking at one word only, or at all
 * when @far; shelf_none when there is none. */
static size_t
shelf_word_next(size_t from, const uint64_t *words, size_t count, bool far)
{
    size_t at = from >> SHELF_WORD_BITS;
    uint64_t mask = ~UINT64_C(0) << (from & (SHELF_WORD - 1));

    for (; at < count; at++) {
        uint64_t word = words[at] & mask;

        if (word)
            return (at << SHELF_WORD_BITS) + (size_t)__builtin_ctzll(word);
        if (!far)
            break;
        mask = ~UINT64_C(0);
    }
    return shelf_none;
}

/* The first set bit >= @slot, or shelf_none: up until a word has one, then down. */
static size_t
shelf_bit_next(const struct placement_class *class, const uint64_t *words, size_t slot)
{
    const uint64_t *middle = words + class->level_words[0];
    const uint64_t *top = middle + class->level_words[1];
    size_t found = shelf_word_next(slot, words, class->level_words[0], false);

    if (found != shelf_none)
        return found;
    slot = (slot >> SHELF_WORD_BITS) + 1;
    found = shelf_word_next(slot, middle, class->level_words[1], false);
    if (found == shelf_none) {
        slot = (slot >> SHELF_WORD_BITS) + 1;
        found = shelf_word_next(slot, top, class->level_words[2], true);
        if (found == shelf_none)
            return shelf_none;
        found = (found << SHELF_WORD_BITS) + (size_t)__builtin_ctzll(middle[found]);
    }
    return (found << SHELF_WORD_BITS) + (size_t)__builtin_ctzll(words[found]);
}

unsigned
placement_shelf_used_next(const uint64_t used[SHELF_BUCKET_WORDS], unsigned from)
{
    for (unsigned at = from / SHELF_WORD; at < SHELF_BUCKET_WORDS; at++) {
        uint64_t word = used[at];

        if (at == from / SHELF_WORD)
            word &= ~UINT64_C(0) << (from % SHELF_WORD);
        if (word)
            return at * SHELF_WORD + (unsigned)__builtin_ctzll(word);
    }
    return SHELF_BUCKETS;
}

unsigned
placement_shelf_used_before(const uint64_t used[SHELF_BUCKET_WORDS], unsigned from)
{
    for (unsigned at = from / SHELF_WORD + 1; at-- > 0;) {
        uint64_t word = used[at];

        if (at == from / SHELF_WORD)
            word &= ~UINT64_C(0) >> (SHELF_WORD - 1 - from % SHELF_WORD);
        if (word)
            return at * SHELF_WORD + SHELF_WORD - 1 - (unsigned)__builtin_clzll(word);
    }
    return SHELF_BUCKETS;
}

void
placement_shelf_bounds_begin(struct placement_bucket *bucket)
{
    bucket->memory_most = bucket->cpus_most = bucket->slots_most = INT_MIN;
    bucket->memory_least = INT64_MAX;
    bucket->cpus_least = bucket->slots_least = INT_MAX;
}

void
placement_shelf_bounds_widen(struct placement_bucket *bucket, const struct placement_host *host)
{
    if (host->free_memory_bytes > bucket->memory_most)
        bucket->memory_most = host->free_memory_bytes;
    if (host->free_memory_bytes < bucket->memory_least)
        bucket->memory_least = host->free_memory_bytes;
    if (host->free_cpus_milli > bucket->cpus_most)
        bucket->cpus_most = host->free_cpus_milli;
    if (host->free_cpus_milli < bucket->cpus_least)
        bucket->cpus_least = host->free_cpus_milli;
    if (host->free_slots > bucket->slots_most)
        bucket->slots_most = host->free_slots;
    if (host->free_slots < bucket->slots_least)
        bucket->slots_least = host->free_slots;
}

void
placement_shelf_bounds_set(struct placement_bucket *bucket, const struct placement_bucket *exact)
{
    bucket->memory_most = exact->memory_most;
    bucket->memory_least = exact->memory_least;
    bucket->cpus_most = exact->cpus_most;
    bucket->cpus_least = exact->cpus_least;
    bucket->slots_most = exact->slots_most;
    bucket->slots_least = exact->slots_least;
}

struct placement_host *
placement_shelf_next(const struct placement_class *class, const struct placement_bucket *bucket,
                     size_t slot)
{
    size_t found = shelf_bit_next(class, bucket->words, slot);

    return found == shelf_none ? NULL : class->members[found];
}

static struct placement_bucket *
shelf_bucket_get(struct placement_class *class, const struct placement_host *host)
{
    struct placement_shelf **shelf = &class->shelves[host->shelf];
    struct placement_bucket **bucket;

    if (!*shelf)
        *shelf = mem_new0(sizeof(**shelf));
    bucket = &(*shelf)->at[host->bucket];
    if (!*bucket) {
        *bucket = mem_new0(sizeof(**bucket));
        (*bucket)->words = mem_new0(shelf_words_of(class) * sizeof(uint64_t));
    }
    return *bucket;
}

static uint64_t
shelf_used_bit(const struct placement_host *host)
{
    return UINT64_C(1) << (host->bucket % SHELF_WORD);
}

/* How many of @bucket's oldest hosts are known. */
static unsigned
shelf_oldest_count(const struct placement_bucket *bucket)
{
    return bucket->count < PLACEMENT_LOOK ? bucket->count : PLACEMENT_LOOK;
}

/* @host was put into @bucket. */
static void
shelf_oldest_put(struct placement_bucket *bucket, struct placement_host *host)
{
    unsigned at = shelf_oldest_count(bucket) - 1;

    if (bucket->count > PLACEMENT_LOOK && bucket->oldest[at]->id < host->id)
        return;
    for (; at > 0 && bucket->oldest[at - 1]->id > host->id; at--)
        bucket->oldest[at] = bucket->oldest[at - 1];
    bucket->oldest[at] = host;
}

/* @host was taken from @bucket. */
static void
shelf_oldest_take(struct placement_bucket *bucket, const struct placement_host *host)
{
    unsigned last = shelf_oldest_count(bucket);
    unsigned at = 0;

    while (at < PLACEMENT_LOOK && bucket->oldest[at] != host)
        at++;
    if (at == PLACEMENT_LOOK)
        return;
    for (; at + 1 < PLACEMENT_LOOK; at++)
        bucket->oldest[at] = bucket->oldest[at + 1];
    bucket->oldest[at] = NULL;
    if (last == PLACEMENT_LOOK) {
        bucket->oldest[at] =
            placement_shelf_next(host->class, bucket, bucket->oldest[at - 1]->slot + 1U);
    }
}

static void
shelf_put(struct placement_host *host)
{
    struct placement_class *class = host->class;
    struct placement_bucket *bucket = shelf_bucket_get(class, host);

    if (bucket->count++ == 0) {
        placement_shelf_bounds_begin(bucket);
        class->shelves[host->shelf]->used[host->bucket / SHELF_WORD] |= shelf_used_bit(host);
    }
    placement_shelf_bounds_widen(bucket, host);
    shelf_bit_set(class, bucket->words, host->slot);
    shelf_oldest_put(bucket, host);
}

static void
shelf_take(struct placement_host *host)
{
    struct placement_class *class = host->class;
    struct placement_shelf *shelf = class->shelves[host->shelf];
    struct placement_bucket *bucket = shelf->at[host->bucket];

    assert(bucket->count > 0);
    shelf_bit_clear(class, bucket->words, host->slot);
    if (--bucket->count == 0)
        shelf->used[host->bucket / SHELF_WORD] &= ~shelf_used_bit(host);
    shelf_oldest_take(bucket, host);
}

void
placement_shelf_move(struct placement_host *host, enum placement_shelf_kind kind)
{
    unsigned bucket = placement_bucket_of(host->free_memory_bytes);

    if (host->shelf == kind && host->bucket == bucket) {
        if (kind != SHELF_NONE)
            placement_shelf_bounds_widen(host->class->shelves[kind]->at[bucket], host);
        return;
    }
    if (host->shelf != SHELF_NONE)
        shelf_take(host);
    host->shelf = (uint8_t)kind;
    host->bucket = (uint8_t)bucket;
    if (kind != SHELF_NONE)
        shelf_put(host);
}

/* Give all buckets empty bits for class->cap slots, then set those of the members. */
static void
shelf_bits_renew(struct placement_class *class)
{
    size_t words = shelf_words_of(class);

    for (int kind = 0; kind < SHELF_COUNT; kind++) {
        struct placement_shelf *shelf = class->shelves[kind];

        for (unsigned i = 0; shelf && i < SHELF_BUCKETS; i++) {
            if (!shelf->at[i])
                continue;
            shelf->at[i]->words = mem_resize(shelf->at[i]->words, words, sizeof(uint64_t));
            memset(shelf->at[i]->words, 0, words * sizeof(uint64_t));
        }
    }
    for (size_t slot = 0; slot < class->used; slot++) {
        const struct placement_host *host = class->members[slot];

        if (host && host->shelf != SHELF_NONE)
            shelf_bit_set(class, class->shelves[host->shelf]->at[host->bucket]->words, slot);
    }
}

static void
shelf_grow(struct placement_class *class)
{
    class->cap = class->cap ? class->cap * 2 : SHELF_WORD;
    class->members = mem_resize(class->members, class->cap, sizeof(struct placement_host *));
    shelf_levels_set(class);
    shelf_bits_renew(class);
}

/* Close the gaps, so that slots are free again. */
static void
shelf_gaps_close(struct placement_class *class)
{
    size_t to = 0;

    for (size_t from = 0; from < class->used; from++) {
        if (!class->members[from])
            continue;
        class->members[to] = class->members[from];
        class->members[to]->slot = (uint32_t)to;
        to++;
    }
    class->used = to;
    shelf_bits_renew(class);
}

/* The first slot of a member with a higher id; gaps at the end are given up. */
static size_t
shelf_slot_for(struct placement_class *class, int64_t id)
{
    size_t slot;

    while (class->used > 0 && !class->members[class->used - 1])
        class->used--;
    slot = class->used;
    while (slot > 0 && (!class->members[slot - 1] || class->members[slot - 1]->id > id))
        slot--;
    return slot;
}

void
placement_shelf_join(struct placement_class *class, struct placement_host *host)
{
    size_t slot = shelf_slot_for(class, host->id);

    if (class->used == class->cap)
        shelf_grow(class);
    host->class = class;
    host->shelf = SHELF_NONE;
    if (slot == class->used || class->members[slot])
        class->members[class->used++] = NULL;
    if (class->members[slot]) {
        for (size_t i = class->used - 1; i > slot; i--) {
            class->members[i] = class->members[i - 1];
            if (class->members[i])
                class->members[i]->slot = (uint32_t)i;
        }
        class->members[slot] = NULL;
        shelf_bits_renew(class);
    }
    class->members[slot] = host;
    host->slot = (uint32_t)slot;
    class->live++;
}

void
placement_shelf_leave(struct placement_host *host)
{
    struct placement_class *class = host->class;

    placement_shelf_move(host, SHELF_NONE);
    assert(class->members[host->slot] == host);
    class->members[host->slot] = NULL;
    class->live--;
    host->class = NULL;
    if (class->roomy == host)
        class->roomy = NULL;
    if (class->used - class->live >= SHELF_GAPS_MIN && class->live * 2 < class->used)
        shelf_gaps_close(class);
}

void
placement_shelf_class_free(struct placement_class *class)
{
    for (int kind = 0; kind < SHELF_COUNT; kind++) {
        struct placement_shelf *shelf = class->shelves[kind];

        for (unsigned i = 0; shelf && i < SHELF_BUCKETS; i++) {
            if (shelf->at[i])
                mem_free(shelf->at[i]->words);
            mem_free(shelf->at[i]);
        }
        mem_free(shelf);
    }
    for (size_t i = 0; i < class->labels.count; i++) {
        mem_free(class->labels.at[i].key);
        mem_free(class->labels.at[i].value);
    }
    mem_free(class->labels.at);
    mem_free(class->members);
    mem_free(class);
}
