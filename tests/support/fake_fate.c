/* Rules count down to the call they are for. */

#include "support/fake_fate.h"

#include <assert.h>
#include <string.h>

#define LATENCY_MS 1

void
fake_fate_rule_add(struct fake_fates *fates, const struct fake_rule *rule)
{
    assert(fates->count < FAKE_RULES_MAX);
    fates->left[fates->count] = rule->nth;
    fates->rules[fates->count++] = *rule;
}

struct fake_fate
fake_fate_decide(struct fake_fates *fates, const char *engine, const struct docker_call *call)
{
    for (size_t i = 0; i < fates->count; i++) {
        const struct fake_rule *rule = &fates->rules[i];

        if ((rule->verb >= 0 && rule->verb != (int)call->verb) ||
            (rule->engine && strcmp(rule->engine, engine) != 0))
            continue;
        if (rule->nth > 0 && --fates->left[i] != 0)
            continue;
        return rule->fate;
    }
    if (fates->hook)
        return fates->hook(fates->cookie, call);
    return (struct fake_fate){ .latency_ms = LATENCY_MS };
}
