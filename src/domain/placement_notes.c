/*
 * What is noted of each host beside its room: images that are there, and how
 * many instances of each blueprint and owner.  Small arrays, because a host has
 * tens of each and there are ten thousand hosts; a word of bits in the host's
 * own cache line answers most questions with "no" before they are touched.
 */

#include <assert.h>
#include <string.h>

#include "berth/base/hash.h"
#include "berth/base/mem.h"

#include "placement_index.h"

enum { NOTES_STEP = 3, NOTES_BITS = 32 }; /* three fill a block of the allocator */

/* How many of something: a blueprint or an owner, by the hash of its name. */
struct placement_tally {
    uint32_t key;
    uint32_t count;
};

struct placement_notes {
    uint64_t *images; /* [image_count] */
    struct placement_tally *tallies;
    uint16_t image_count;
    uint16_t tally_count;
};

/* Other texts than blueprints' names: the three kinds share the tallies. */
uint32_t
placement_notes_owner_key(const char *owner)
{
    return owner ? (uint32_t)(hash_text(~HASH_TEXT_START, owner, strlen(owner)) >> 32) : 0;
}

static uint32_t
notes_port_key(const struct blueprint_port *port)
{
    const char bytes[] = { 'p', (char)port->protocol, (char)(port->host >> 8), (char)port->host };

    return (uint32_t)(hash_text(~HASH_TEXT_START, bytes, sizeof(bytes)) >> 32);
}

static uint32_t
notes_bit(uint64_t key)
{
    return UINT32_C(1) << (key % NOTES_BITS);
}

static struct placement_notes *
notes_get(struct placement_host *host)
{
    if (!host->notes)
        host->notes = mem_new0(sizeof(*host->notes));
    return host->notes;
}

void
placement_notes_free(struct placement_notes *notes)
{
    if (!notes)
        return;
    mem_free(notes->images);
    mem_free(notes->tallies);
    mem_free(notes);
}

static size_t
notes_image_find(const struct placement_notes *notes, uint64_t key)
{
    size_t i = 0;

    while (i < notes->image_count && notes->images[i] != key)
        i++;
    return i;
}

static void
notes_image_bits_renew(struct placement_host *host)
{
    host->image_bits = 0;
    for (size_t i = 0; i < host->notes->image_count; i++)
        host->image_bits |= notes_bit(host->notes->images[i]);
}

bool
placement_notes_image_has(const struct placement_host *host, uint64_t image_key)
{
    return (host->image_bits & notes_bit(image_key)) &&
           notes_image_find(host->notes, image_key) < host->notes->image_count;
}

void
placement_image_set(struct placement *placement, struct host *host, const char *image, bool there)
{
    struct placement_notes *notes;
    uint64_t key = blueprint_image_key(image);
    size_t at;

    (void)placement;
    assert(host->placement);
    notes = notes_get(host->placement);
    at = notes_image_find(notes, key);
    if ((at < notes->image_count) == there || (there && notes->image_count == UINT16_MAX))
        return;
    if (!there) {
        notes->images[at] = notes->images[--notes->image_count];
        notes_image_bits_renew(host->placement);
        return;
    }
    if (notes->image_count % NOTES_STEP == 0)
        notes->images = mem_resize(notes->images, notes->image_count + NOTES_STEP, sizeof(key));
    notes->images[notes->image_count++] = key;
    host->placement->image_bits |= notes_bit(key);
}

bool
placement_image_has(const struct placement *placement, const struct host *host, const char *image)
{
    (void)placement;
    return host->placement &&
           placement_notes_image_has(host->placement, blueprint_image_key(image));
}

static size_t
notes_tally_find(const struct placement_notes *notes, uint32_t key)
{
    size_t i = 0;

    while (i < notes->tally_count && notes->tallies[i].key != key)
        i++;
    return i;
}

uint32_t
placement_notes_count(const struct placement_notes *notes, uint32_t key)
{
    size_t at;

    if (!notes)
        return 0;
    at = notes_tally_find(notes, key);
    return at < notes->tally_count ? notes->tallies[at].count : 0;
}

uint32_t
placement_notes_replicas(const struct placement_host *host, uint32_t replica_key)
{
    return host->replica_bits & notes_bit(replica_key)
               ? placement_notes_count(host->notes, replica_key)
               : 0;
}

bool
placement_notes_ports_taken(const struct placement_notes *notes, const struct blueprint *blueprint)
{
    const struct blueprint_port *ports = blueprint->spec.ports.at;

    for (size_t i = 0; i < blueprint->spec.ports.count; i++) {
        if (ports[i].host > 0 && placement_notes_count(notes, notes_port_key(&ports[i])) > 0)
            return true;
    }
    return false;
}

static void
notes_tally_add(struct placement_notes *notes, uint32_t key)
{
    size_t at = notes_tally_find(notes, key);

    if (at == notes->tally_count) {
        assert(notes->tally_count < UINT16_MAX);
        if (notes->tally_count % NOTES_STEP == 0) {
            notes->tallies = mem_resize(notes->tallies, notes->tally_count + NOTES_STEP,
                                        sizeof(*notes->tallies));
        }
        notes->tallies[notes->tally_count++] = (struct placement_tally){ .key = key };
    }
    notes->tallies[at].count++;
}

static void
notes_tally_take(struct placement_notes *notes, uint32_t key)
{
    size_t at = notes_tally_find(notes, key);

    assert(at < notes->tally_count && notes->tallies[at].count > 0);
    if (--notes->tallies[at].count == 0)
        notes->tallies[at] = notes->tallies[--notes->tally_count];
}

/* Bits of owners are set, too: a needless yes costs a look, nothing else. */
static void
notes_replica_bits_renew(struct placement_host *host)
{
    host->replica_bits = 0;
    for (size_t i = 0; i < host->notes->tally_count; i++)
        host->replica_bits |= notes_bit(host->notes->tallies[i].key);
}

static void
notes_tally_change(struct placement_notes *notes, uint32_t key, int delta)
{
    if (delta > 0) {
        notes_tally_add(notes, key);
    } else {
        notes_tally_take(notes, key);
    }
}

void
placement_note_instance(struct placement *placement, struct host *host,
                        const struct blueprint *blueprint, const char *owner, int delta)
{
    const struct blueprint_port *ports = blueprint->spec.ports.at;
    struct placement_notes *notes;

    (void)placement;
    assert(host->placement && (delta == 1 || delta == -1));
    notes = notes_get(host->placement);
    notes_tally_change(notes, blueprint->name_key, delta);
    notes_tally_change(notes, placement_notes_owner_key(owner), delta);
    for (size_t i = 0; i < blueprint->spec.ports.count && blueprint->fixed_ports > 0; i++) {
        if (ports[i].host > 0)
            notes_tally_change(notes, notes_port_key(&ports[i]), delta);
    }
    notes_replica_bits_renew(host->placement);
}
