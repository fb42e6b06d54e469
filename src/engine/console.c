#include "console.h"

#include <string.h>

#include "rental.h"

enum { CONSOLE_LOOK_MS = 45000 };

/* One look.  Freed when it ends. */
struct console_look {
    struct engine *engine;
    struct list_node node;
    struct cloud_call call;
    struct clock_timer timer;
    int64_t host_id;
    char id[CLOUD_ID_SIZE]; /* of the machine */
};

/* In order of time. */
static void console_on_timer(struct clock_timer *timer);
static void console_on_done(struct cloud_call *call, const struct fault *fault);

void
console_look(struct engine *engine, const struct host *host)
{
    const struct cloud_port *cloud = engine->ports.cloud;
    const char *id = host->machine->id;
    struct console_look *look;

    if (!cloud || !id || strlen(id) >= sizeof(look->id) ||
        engine->consoles.count >= CONSOLE_LOOKS_MAX)
        return;
    look = mem_new0(sizeof(*look));
    look->engine = engine;
    look->host_id = host->id;
    memcpy(look->id, id, strlen(id));
    look->timer.fire = console_on_timer;
    look->call = (struct cloud_call){
        .verb = CLOUD_CONSOLE,
        .pool = host->pool,
        .cluster_id = engine->info.cluster_id,
        .in.id = look->id,
        .done = console_on_done,
    };
    list_push(&engine->consoles, &look->node);
    engine->cloud_calls++;
    state_timer_set(engine, &look->timer, CONSOLE_LOOK_MS);
    cloud->start(cloud->self, &look->call);
}

static void
console_on_timer(struct clock_timer *timer)
{
    struct console_look *look = CONTAINER_OF(timer, struct console_look, timer);
    const struct cloud_port *cloud = look->engine->ports.cloud;

    cloud->cancel(cloud->self, &look->call);
}

void
console_cancel_all(struct engine *engine)
{
    const struct cloud_port *cloud = engine->ports.cloud;
    struct list_node *node = list_first(&engine->consoles);

    for (; node; node = list_next(&engine->consoles, node))
        cloud->cancel(cloud->self, &CONTAINER_OF(node, struct console_look, node)->call);
}

static void
console_on_done(struct cloud_call *call, const struct fault *fault)
{
    struct console_look *look = CONTAINER_OF(call, struct console_look, call);
    struct engine *engine = look->engine;
    const struct host *host = idmap_find(&engine->model->hosts, look->host_id);
    const struct cloud_console *console = &call->out.console;
    char tail[CONSOLE_TAIL_SIZE];

    state_timer_clear(engine, &look->timer);
    list_remove(&engine->consoles, &look->node);
    engine->cloud_calls--;
    engine->ports.clock->turn_ask(engine->ports.clock->self);
    if (!fault && host && !rental_is_on_hold(engine) &&
        console_tail(console->text, console->len, tail)[0]) {
        state_event(engine, "host.console", host, NULL, "the console of %s ended with: %s",
                    look->id, tail);
    }
    mem_free(look);
}

/* --- The last lines ----------------------------------------------------------------------------- */

static bool
console_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A piece of text that shrinks. */
struct console_span {
    const char *at;
    const char *end;
};

/* The last line of @rest, without blanks around it, is cut off @rest. */
static struct console_span
console_line(struct console_span *rest)
{
    struct console_span line = { rest->end, rest->end };

    while (line.at > rest->at && line.at[-1] != '\n')
        line.at--;
    rest->end = line.at > rest->at ? line.at - 1 : rest->at;
    while (line.end > line.at && console_is_blank(line.end[-1]))
        line.end--;
    while (line.at < line.end && console_is_blank(*line.at))
        line.at++;
    return line;
}

/* Write the end of @span before @at. Return: where it begins now. */
static char *
console_put(char *at, const char *first, struct console_span span)
{
    size_t len = (size_t)(span.end - span.at);

    if (len > (size_t)(at - first))
        len = (size_t)(at - first);
    memcpy(at - len, span.end - len, len);
    return at - len;
}

const char *
console_tail(const char *text, size_t len, char ret[CONSOLE_TAIL_SIZE])
{
    static const char between[] = " / ";
    const struct console_span gap = { between, between + strlen(between) };
    struct console_span rest = { text, text + len };
    char *at = ret + CONSOLE_TAIL_SIZE - 1; /* it is written from its end on */
    int lines = 0;

    *at = '\0';
    while (rest.end > rest.at && lines < CONSOLE_LINES_MAX) {
        struct console_span line = console_line(&rest);

        if (line.at == line.end)
            continue;
        if (lines++ > 0)
            at = console_put(at, ret, gap);
        at = console_put(at, ret, line);
    }
    memmove(ret, at, (size_t)(ret + CONSOLE_TAIL_SIZE - at));
    return ret;
}
