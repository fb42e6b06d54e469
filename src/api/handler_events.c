#include <string.h>

#include "event_page.h"
#include "event_stream.h"
#include "find.h"
#include "handlers.h"
#include "head.h"

void
handler_events_list(struct request *request)
{
    struct event_filter filter;

    if (event_page_filter(request, &filter) < 0)
        return;
    if (head_accepts(request, "text/event-stream")) {
        event_stream_start(request, &filter);
    } else {
        event_page_start(request, &filter);
    }
}
