#include "ec2_ready.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "berth/base/log.h"

#include "ec2_job.h"

enum {
    READY_LOOK_MS = 40000,    /* less than a launch has */
    READY_IMAGE_MS = 3600000, /* an image that was looked up is used for so long */
    READY_GROUP_MS = 600000,  /* a group is compared with the configuration so often */
    READY_KEY_MS = 3600000,   /* the same for a key pair */
    READY_AGAIN_MS = 60000,   /* ... that could not be compared */
};

static const char ec2_ready_where[] = "ec2.launch";

/* In order of time. */
static void ec2_ready_look(struct ec2_ready *ready);
static void ec2_ready_begin(struct ec2_ready *ready);
static void ec2_ready_template(struct ec2_ready *ready);
static void ec2_ready_on_template(struct ec2_ask *ask, const struct fault *fault);
static void ec2_ready_image(struct ec2_ready *ready);
static void ec2_ready_on_image(struct ec2_ask *ask, const struct fault *fault);
static void ec2_ready_group(struct ec2_ready *ready);
static void ec2_ready_on_group(struct ec2_group *group, const struct fault *fault);
static void ec2_ready_key(struct ec2_ready *ready);
static void ec2_ready_on_key(struct ec2_keypair *keypair, const struct fault *fault);
static void ec2_ready_end(struct ec2_ready *ready, const struct fault *fault);

static const struct ec2_config *
ec2_ready_config(const struct ec2_ready *ready)
{
    return &ready->pool->config;
}

static int64_t
ec2_ready_mono_ms(const struct ec2_ready *ready)
{
    const struct clock_port *clock = ec2_pool_account(ready->pool)->clock;

    return clock->mono_ms(clock->self);
}

void
ec2_ready_init(struct ec2_ready *ready, struct ec2_pool *pool)
{
    *ready = (struct ec2_ready){ .pool = pool };
    list_init(&ready->waiting);
}

void
ec2_ready_fini(struct ec2_ready *ready)
{
    assert(!ready->looking && ready->waiting.count == 0);
    mem_free(ready->cluster_id);
    mem_free(ready->pool_name);
}

static bool
ec2_ready_has_image(const struct ec2_ready *ready)
{
    return ready->known.image.id[0] && ec2_ready_mono_ms(ready) < ready->image_until_mono_ms;
}

static bool
ec2_ready_has_group(const struct ec2_ready *ready)
{
    return !ec2_ready_config(ready)->security_group.create ||
           (ready->known.group[0] && ec2_ready_mono_ms(ready) < ready->group_until_mono_ms);
}

static bool
ec2_ready_has_key(const struct ec2_ready *ready)
{
    return !ec2_ready_config(ready)->key_pair.create ||
           (ready->known.key[0] && ec2_ready_mono_ms(ready) < ready->key_until_mono_ms);
}

bool
ec2_ready_is(const struct ec2_ready *ready)
{
    return ec2_ready_has_image(ready) && ec2_ready_has_group(ready) && ec2_ready_has_key(ready);
}

void
ec2_ready_wait(struct ec2_ready *ready, const struct cloud_call *call, struct ec2_ready_wait *wait)
{
    list_push(&ready->waiting, &wait->node);
    if (ready->looking)
        return;
    mem_free(ready->cluster_id);
    mem_free(ready->pool_name);
    ready->cluster_id = mem_strdup(call->cluster_id);
    ready->pool_name = mem_strdup(call->pool->name);
    ec2_ready_look(ready);
}

bool
ec2_ready_leave(struct ec2_ready *ready, struct ec2_ready_wait *wait)
{
    list_remove(&ready->waiting, &wait->node);
    if (ready->waiting.count > 0 || ready->leaver || !ready->looking)
        return true;
    ready->leaver = wait;
    if (ready->grouping) {
        ec2_group_cancel(&ready->group);
    } else if (ready->keying) {
        ec2_keypair_cancel(&ready->keypair);
    } else {
        ec2_ask_cancel(&ready->ask);
    }
    return false;
}

void
ec2_ready_forget(struct ec2_ready *ready)
{
    ready->image_until_mono_ms = 0;
    ready->group_until_mono_ms = 0;
    ready->key_until_mono_ms = 0;
}

void
ec2_ready_ended(struct ec2_ready *ready)
{
    ready->known.group[0] = '\0';
    ready->known.key[0] = '\0';
}

static void
ec2_ready_look(struct ec2_ready *ready)
{
    ready->pool->refs++;
    ready->looking = true;
    if (ec2_ready_has_image(ready)) {
        ec2_ready_group(ready);
    } else {
        ec2_ready_begin(ready);
    }
}

static void
ec2_ready_begin(struct ec2_ready *ready)
{
    ready->image = (struct ec2_image_found){ 0 };
    ready->template_image[0] = '\0';
    if (ec2_launch_has_template(ec2_ready_config(ready))) {
        ec2_ready_template(ready);
    } else {
        ec2_ready_image(ready);
    }
}

static struct ec2_query *
ec2_ready_ask(struct ec2_ready *ready, enum ec2_action action,
              void (*done)(struct ec2_ask *ask, const struct fault *fault))
{
    ec2_ask_init(&ready->ask, ec2_pool_account(ready->pool), action);
    ready->ask.deadline_mono_ms = ec2_ready_mono_ms(ready) + READY_LOOK_MS;
    ready->ask.done = done;
    return &ready->ask.query;
}

/* --- The template --------------------------------------------------------------------------------- */

static void
ec2_ready_template(struct ec2_ready *ready)
{
    ec2_launch_template_encode(ec2_ready_config(ready),
                               ec2_ready_ask(ready, EC2_DESCRIBE_TEMPLATES, ec2_ready_on_template));
    ec2_ask_start(&ready->ask);
}

static void
ec2_ready_on_template(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_ready *ready = CONTAINER_OF(ask, struct ec2_ready, ask);
    struct fault unfit;

    if (!fault && ec2_launch_template_read(ec2_xml_root(ask->xml), ec2_ready_config(ready),
                                           ready->template_image, &unfit) < 0)
        fault = &unfit;
    if (fault) {
        ec2_ready_end(ready, fault);
        return;
    }
    ec2_ask_fini(ask);
    ec2_ready_image(ready);
}

/* --- The image ------------------------------------------------------------------------------------ */

static void
ec2_ready_image(struct ec2_ready *ready)
{
    struct ec2_query *query = ec2_ready_ask(ready, EC2_DESCRIBE_IMAGES, ec2_ready_on_image);

    ec2_launch_image_encode(ec2_ready_config(ready), ready->template_image, query);
    ec2_pages_ask(&ready->pages, query);
    ec2_ask_start(&ready->ask);
}

static void
ec2_ready_on_image(struct ec2_ask *ask, const struct fault *fault)
{
    struct ec2_ready *ready = CONTAINER_OF(ask, struct ec2_ready, ask);
    const struct ec2_image *image = &ec2_ready_config(ready)->image;
    const char *id = image->id ? image->id : ready->template_image;
    struct fault none;

    if (fault) {
        ec2_ready_end(ready, fault);
        return;
    }
    ec2_launch_image_read(ec2_xml_root(ask->xml), &ready->image);
    if (ec2_pages_read(&ready->pages, ask->xml) && ready->pages.next) {
        ec2_ask_fini(ask);
        ec2_ready_image(ready);
        return;
    }
    if (!ready->image.id[0]) {
        (void)fault_set(&none, FAULT_CLOUD_REFUSED, "ec2.image", "there is no image %s%s%s",
                        image->name ? image->name : id, image->name ? " of " : "",
                        image->name ? image->owner : "");
        ec2_ready_end(ready, &none);
        return;
    }
    ec2_ask_fini(ask);
    ready->known.image = ready->image;
    ready->image_until_mono_ms = ec2_ready_mono_ms(ready) + READY_IMAGE_MS;
    ec2_ready_group(ready);
}

/* --- The security group --------------------------------------------------------------------------- */

static void
ec2_ready_group(struct ec2_ready *ready)
{
    if (ec2_ready_has_group(ready)) {
        ec2_ready_key(ready);
        return;
    }
    ready->grouping = true;
    ready->group = (struct ec2_group){
        .account = ec2_pool_account(ready->pool),
        .managed = &ec2_ready_config(ready)->security_group,
        .cluster_id = ready->cluster_id,
        .pool_name = ready->pool_name,
        .deadline_mono_ms = ec2_ready_mono_ms(ready) + READY_LOOK_MS,
        .done = ec2_ready_on_group,
    };
    ec2_group_start(&ready->group);
}

static void
ec2_ready_on_group(struct ec2_group *group, const struct fault *fault)
{
    struct ec2_ready *ready = CONTAINER_OF(group, struct ec2_ready, group);

    ready->grouping = false;
    if (!fault) {
        memcpy(ready->known.group, group->id, sizeof(ready->known.group));
        ready->group_until_mono_ms = ec2_ready_mono_ms(ready) + READY_GROUP_MS;
    } else if (ready->known.group[0] && fault->kind != FAULT_CANCELLED) {
        log_warn("ec2", "security group %s could not be compared: %s", ready->known.group,
                 fault->text);
        ready->group_until_mono_ms = ec2_ready_mono_ms(ready) + READY_AGAIN_MS;
        fault = NULL;
    }
    if (fault) {
        ec2_ready_end(ready, fault);
    } else {
        ec2_ready_key(ready);
    }
}

/* --- The key pair --------------------------------------------------------------------------------- */

static void
ec2_ready_key(struct ec2_ready *ready)
{
    struct fault none;

    if (ready->leaver || ec2_ready_has_key(ready)) {
        ec2_ready_end(ready, NULL);
        return;
    }
    if (!ready->pool->login_key) {
        (void)fault_set(&none, FAULT_CLOUD_REFUSED, ec2_ready_where,
                        "there is no public key of berthd's to make a key pair of");
        ec2_ready_end(ready, &none);
        return;
    }
    ready->keying = true;
    ready->keypair = (struct ec2_keypair){
        .account = ec2_pool_account(ready->pool),
        .cluster_id = ready->cluster_id,
        .pool_name = ready->pool_name,
        .public_key = ready->pool->login_key,
        .deadline_mono_ms = ec2_ready_mono_ms(ready) + READY_LOOK_MS,
        .done = ec2_ready_on_key,
    };
    ec2_keypair_start(&ready->keypair);
}

static void
ec2_ready_on_key(struct ec2_keypair *keypair, const struct fault *fault)
{
    struct ec2_ready *ready = CONTAINER_OF(keypair, struct ec2_ready, keypair);

    ready->keying = false;
    if (!fault) {
        memcpy(ready->known.key, keypair->name, sizeof(ready->known.key));
        ready->key_until_mono_ms = ec2_ready_mono_ms(ready) + READY_KEY_MS;
    } else if (ready->known.key[0] && fault->kind != FAULT_CANCELLED) {
        log_warn("ec2", "key pair %s could not be compared: %s", ready->known.key, fault->text);
        ready->key_until_mono_ms = ec2_ready_mono_ms(ready) + READY_AGAIN_MS;
        fault = NULL;
    }
    ec2_ready_end(ready, fault);
}

/* --- The end -------------------------------------------------------------------------------------- */

/* Who left is told first; if others came meanwhile, it is looked up for them. */
static void
ec2_ready_end(struct ec2_ready *ready, const struct fault *fault)
{
    struct ec2_pool *pool = ready->pool;
    struct ec2_ready_wait *leaver = STEAL(ready->leaver);
    struct fault ended = { 0 };
    bool others;

    if (fault)
        ended = *fault;
    if (ready->ask.account)
        ec2_ask_fini(&ready->ask);
    ec2_pages_fini(&ready->pages);
    if (leaver) {
        (void)fault_set(&ended, FAULT_CANCELLED, ec2_ready_where, "cancelled");
        others = ready->waiting.count > 0;
        ready->looking = others;
        if (others)
            ec2_ready_begin(ready);
        leaver->done(leaver, &ended);
        if (!others)
            ec2_pool_unref(pool);
        return;
    }
    ready->looking = false;
    for (size_t count = ready->waiting.count; count > 0; count--) {
        struct list_node *node = list_pop(&ready->waiting);

        if (!node)
            break; /* cancelled by the done of another */
        CONTAINER_OF(node, struct ec2_ready_wait, node)
            ->done(CONTAINER_OF(node, struct ec2_ready_wait, node), fault ? &ended : NULL);
    }
    ec2_pool_unref(pool);
}
