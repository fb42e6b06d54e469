#include "aws_env.h"

#include <stdlib.h>

const char *
aws_env_get(const char *name)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets any */

    return text && *text ? text : NULL;
}

static const char *
aws_env_either(const char *first, const char *second)
{
    const char *text = aws_env_get(first);

    return text ? text : aws_env_get(second);
}

struct ec2_defaults
aws_env_defaults(void)
{
    return (struct ec2_defaults){
        .endpoint = aws_env_either("AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL"),
        .region = aws_env_either("AWS_REGION", "AWS_DEFAULT_REGION"),
        .ca = aws_env_get("AWS_CA_BUNDLE"),
    };
}
