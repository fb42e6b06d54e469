#include "berth/domain/image.h"

#include "berth/base/mem.h"

struct image *
image_new(int64_t id)
{
    struct image *image = mem_new0(sizeof(*image));

    image->id = id;
    return image;
}

void
image_free(struct image *image)
{
    if (!image)
        return;
    mem_free(image->digest);
    mem_free(image->references);
    mem_free(image);
}
