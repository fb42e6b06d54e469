#include "credentials_sts.h"

#include <string.h>

#include "ec2_sign.h"

static bool
credentials_sts_is_old(const char *region)
{
    static const char *const old[] = {
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
        "eu-central-1",   "eu-north-1", "eu-west-1",      "eu-west-2",      "eu-west-3",
        "sa-east-1",      "us-east-1",  "us-east-2",      "us-west-1",      "us-west-2",
    };

    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        if (strcmp(region, old[i]) == 0)
            return true;
    }
    return false;
}

bool
credentials_sts_find(const char *endpoint, bool legacy, const char *region,
                     struct credentials_sts *ret_sts)
{
    struct credentials_sts sts = { .region = region ? region : "us-east-1" };

    if (endpoint) {
        sts.url = ec2_sign_root(endpoint);
    } else if (!region || (legacy && credentials_sts_is_old(region))) {
        sts = (struct credentials_sts){ mem_strdup("https://sts.amazonaws.com/"), "us-east-1" };
    } else {
        sts.url = mem_printf("https://sts.%s.amazonaws.com%s/", region,
                             strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    }
    if (!sts.url)
        return false;
    *ret_sts = sts;
    return true;
}
