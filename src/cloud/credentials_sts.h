#pragma once

/*
 * Where the security token service is.  Source: "AWS STS Regional endpoints" of the SDKs' reference guide.
 */

#include <stdbool.h>

#include "berth/base/mem.h"

struct credentials_sts {
    char *url;          /* owned; its path is "/" */
    const char *region; /* that requests are signed for; borrowed */
};

/** credentials_sts_find() - without a region it is the global service, and with @legacy also for the
 * regions that had none of their own once.
 * @endpoint: a URL that is to be used instead; NULL: none
 * @region: NULL: none; borrowed by @ret_sts
 * Return: false when @endpoint is no URL of a service's root. */
bool credentials_sts_find(const char *endpoint, bool legacy, const char *region,
                          struct credentials_sts *ret_sts);
