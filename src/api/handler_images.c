#include <string.h>

#include "berth/base/id.h"
#include "berth/wire/request.h"
#include "berth/wire/row.h"

#include "auth.h"
#include "handlers.h"
#include "idempotency.h"

enum { IMAGES_HOSTS_MAX = 64, IMAGES_MAX = 20000 };

/* One image on one host. */
struct image_seen {
    struct docker_image image;
    uint32_t hosts;
};

struct image_survey;

struct image_call {
    struct engine_call call;
    struct image_survey *survey;
};

/* The hosts of a pool are asked at once, as many as are asked at all. */
struct image_survey {
    struct request *request;
    int64_t pool_id;
    size_t asked;
    size_t answered;
    size_t open;
    struct image_seen *seen; /* owned: [count], not merged yet */
    size_t count;
    size_t cap;
    struct image_call calls[IMAGES_HOSTS_MAX];
};

static void handler_images_ask(struct image_survey *survey, const struct model *model);
static void handler_images_on_done(struct engine_call *call, const struct fault *fault);
static void handler_images_answer(struct image_survey *survey);

static const char *
handler_images_pool(const struct request *request)
{
    const char *pool = request->query.text[QUERY_POOL];

    return pool ? pool : "default";
}

void
handler_images_list(struct request *request)
{
    const struct pool *pool = auth_pool(request, handler_images_pool(request));
    struct image_survey *survey;

    if (!pool)
        return;
    survey = mem_new0(sizeof(*survey));
    survey->request = request;
    survey->pool_id = pool->id;
    handler_images_ask(survey, api_model(request->server));
    if (survey->open > 0) {
        request_suspend(request);
    } else {
        handler_images_answer(survey);
    }
}

static void
handler_images_ask(struct image_survey *survey, const struct model *model)
{
    struct engine *engine = survey->request->server->engine;

    IDMAP_EACH(&model->hosts, struct host, host)
    {
        struct image_call *call = &survey->calls[survey->open];

        if (host->pool->id != survey->pool_id || host->state != HOST_ACTIVE)
            continue;
        if (survey->asked++ >= IMAGES_HOSTS_MAX)
            break;
        call->survey = survey;
        call->call.call.verb = DOCKER_IMAGE_LIST;
        call->call.done = handler_images_on_done;
        if (engine_host_call(engine, host, &call->call, NULL) == 0)
            survey->open++;
    }
}

static void
handler_images_collect(struct image_survey *survey, const struct docker_image *images, size_t count)
{
    for (size_t i = 0; i < count && survey->count < IMAGES_MAX; i++) {
        if (survey->count == survey->cap) {
            survey->cap = survey->cap ? 2 * survey->cap : 64;
            survey->seen = mem_resize(survey->seen, survey->cap, sizeof(*survey->seen));
        }
        survey->seen[survey->count].image = images[i];
        survey->seen[survey->count++].hosts = 1;
    }
}

static void
handler_images_on_done(struct engine_call *call, const struct fault *fault)
{
    struct image_survey *survey = CONTAINER_OF(call, struct image_call, call)->survey;
    struct request *request = survey->request;

    if (!fault) {
        survey->answered++;
        handler_images_collect(survey, call->call.out.images.at, call->call.out.images.count);
    }
    if (--survey->open > 0)
        return;
    handler_images_answer(survey);
    request_finish(request);
}

static int
handler_images_compare(const void *lhs, const void *rhs)
{
    const struct docker_image *one = &((const struct image_seen *)lhs)->image;
    const struct docker_image *other = &((const struct image_seen *)rhs)->image;
    int order = strcmp(one->reference, other->reference);

    return order ? order : strcmp(one->id, other->id);
}

/* Equal ones become one, which knows on how many hosts it is. */
static void
handler_images_merge(struct image_survey *survey)
{
    size_t kept = 0;

    if (survey->count == 0)
        return;
    qsort(survey->seen, survey->count, sizeof(*survey->seen), handler_images_compare);
    for (size_t i = 1; i < survey->count; i++) {
        if (handler_images_compare(&survey->seen[kept], &survey->seen[i]) == 0) {
            survey->seen[kept].hosts++;
        } else {
            survey->seen[++kept] = survey->seen[i];
        }
    }
    survey->count = kept + 1;
}

static void
handler_images_references(const char *references, struct json_out *out)
{
    json_out_key(out, "references");
    json_out_array(out);
    while (references && *references) {
        size_t len = strcspn(references, " ");

        if (len > 0)
            json_out_string_n(out, references, len);
        references += len;
        references += strspn(references, " ");
    }
    json_out_array_end(out);
}

/* Archives that hosts get which join later. */
static void
handler_images_kept(const struct model *model, int64_t pool_id, struct json_out *out)
{
    json_out_key(out, "kept");
    json_out_array(out);
    IDMAP_EACH(&model->images, struct image, image)
    {
        if (image->pool_id != pool_id)
            continue;
        json_out_object(out);
        json_out_kv_string(out, "digest", image->digest);
        handler_images_references(image->references, out);
        json_out_kv_int(out, "size_bytes", image->size_bytes);
        json_out_kv_time(out, "created_at", image->created_at_ms);
        json_out_object_end(out);
    }
    json_out_array_end(out);
}

static void
handler_images_answer(struct image_survey *survey)
{
    struct request *request = survey->request;
    struct json_out out;

    handler_images_merge(survey);
    reply_json(request, MHD_HTTP_OK, &out);
    json_out_object(&out);
    json_out_key(&out, "items");
    json_out_array(&out);
    for (size_t i = 0; i < survey->count; i++) {
        const struct image_seen *seen = &survey->seen[i];

        json_out_object(&out);
        json_out_kv_string(&out, "reference", seen->image.reference);
        json_out_kv_string(&out, "id", seen->image.id);
        json_out_kv_int(&out, "size_bytes", seen->image.size_bytes);
        json_out_kv_time(&out, "created_at", seen->image.created_at_ms);
        json_out_kv_uint(&out, "hosts", seen->hosts);
        json_out_object_end(&out);
    }
    json_out_array_end(&out);
    handler_images_kept(api_model(request->server), survey->pool_id, &out);
    json_out_kv_uint(&out, "hosts_asked", survey->asked);
    json_out_kv_uint(&out, "hosts_answered", survey->answered);
    json_out_kv_string(&out, "next", NULL);
    json_out_object_end(&out);
    mem_free(survey->seen);
    mem_free(survey);
}

void
handler_images_load(struct request *request)
{
    struct engine *engine = request->server->engine;
    const struct spool_port *spool = engine_spool(engine);
    const struct pool *pool = auth_pool(request, handler_images_pool(request));
    char name[SPOOL_NAME_SIZE];
    struct image_request load = { .spool = name };
    struct operation *operation;
    struct fault fault;

    if (!pool)
        return;
    if (request->body_len == 0) {
        request_refuse(request, FAULT_INVALID, "the archive is empty");
        return;
    }
    if (spool->finish(STEAL(request->upload), name, &load.size_bytes, &fault) < 0) {
        request_fail(request, &fault);
        return;
    }
    if (idempotency_begin(request, name, strlen(name)) < 0)
        return;
    load.pool = pool->name;
    load.owner = auth_name(request);
    if (engine_image_load(engine, &load, &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}

void
handler_images_pull(struct request *request)
{
    const struct wire_request_pull *asked = request->input;
    const struct pool *pool = auth_pool(request, asked->pool ? asked->pool : "default");
    struct operation *operation;
    struct fault fault;

    if (!pool)
        return;
    if (engine_image_pull(request->server->engine,
                          &(struct image_pull_request){ .pool = pool->name,
                                                        .reference = asked->reference,
                                                        .owner = auth_name(request) },
                          &operation, &fault) < 0) {
        request_fail(request, &fault);
    } else {
        handler_operations_accepted(request, operation);
    }
}
