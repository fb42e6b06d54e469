#pragma once

/*
 * Where the machines of a pool are.  Its configuration says so while it has none; from then on it holds,
 * since who asks elsewhere finds nothing, and would take that for a proof that nothing is there.
 */

#include "berth/base/schema.h"

/* All owned. */
struct pool_place {
    char *region;   /* NULL: not known */
    char *endpoint; /* of a service that is not AWS; NULL: AWS */
    char *account;  /* the provider's number of it; NULL: not known yet */
};

extern const struct schema pool_place_schema;

/** pool_place_set() - @place becomes a copy of @from. */
void pool_place_set(struct pool_place *place, const struct pool_place *from);
void pool_place_clear(struct pool_place *place);
/** pool_place_differs() - the field in which two places are not the same ("region", "endpoint"); NULL: they
 * are, or one of them is not known.  Accounts are not compared: keys tell theirs only when they are used. */
const char *pool_place_differs(const struct pool_place *a, const struct pool_place *b);
/** pool_place_text() - "eu-central-1", "eu-central-1 of https://cloud:4000/". Return: owned. */
char *pool_place_text(const struct pool_place *place) MUST_USE;
