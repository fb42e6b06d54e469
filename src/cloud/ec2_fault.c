#include "ec2_fault.h"

#include <stdio.h>
#include <string.h>

#include "berth/base/text.h"

#include "ec2_xml.h"

enum { MESSAGE_SHOWN = 110, PERMISSION_SIZE = 80 };

#define CLOCK       EC2_LESSON_CLOCK
#define CREDENTIALS EC2_LESSON_CREDENTIALS
#define NOTHING     EC2_LESSON_NONE

#define QUOTA(service, name)                                                                       \
    "the account's quota is used up: Service Quotas, " service ", \"" name "\""

/* The first that fits counts. */
/* clang-format off */
static const struct ec2_rule ec2_fault_rules[] = {
    /* Another type, zone or market may do. */
    { "InsufficientFreeAddressesInSubnet",   FAULT_CLOUD_CAPACITY,  false, NOTHING, NULL },
    { "Insufficient*Capacity",               FAULT_CLOUD_CAPACITY,  false, NOTHING, NULL },
    { "SpotMaxPriceTooLow",                  FAULT_CLOUD_CAPACITY,  false, NOTHING, NULL },
    { "Unsupported",                         FAULT_CLOUD_CAPACITY,  false, NOTHING, NULL },
    /* Slower. */
    { "RequestLimitExceeded",                FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "Thrott*",                             FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "EC2ThrottledException",               FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "RequestThrottled*",                   FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "TooManyRequests*",                    FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "SlowDown",                            FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    { "PriorRequestNotComplete",             FAULT_CLOUD_THROTTLED, true,  NOTHING, NULL },
    /* The account may not have more. */
    { "VcpuLimitExceeded",                   FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("EC2", "Running On-Demand ... instances") },
    { "InstanceLimitExceeded",               FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("EC2", "Running On-Demand ... instances") },
    { "MaxSpotInstanceCountExceeded",        FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("EC2", "All ... Spot Instance Requests") },
    { "VolumeLimitExceeded",                 FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("EBS", "Storage for ... volumes") },
    { "SecurityGroupLimitExceeded",          FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("VPC", "VPC security groups per Region") },
    { "RulesPerSecurityGroupLimitExceeded",  FAULT_CLOUD_LIMIT,     false, NOTHING, QUOTA("VPC", "Inbound or outbound rules per security group") },
    { "*LimitExceeded",                      FAULT_CLOUD_LIMIT,     false, NOTHING, NULL },
    { "*CountExceeded",                      FAULT_CLOUD_LIMIT,     false, NOTHING, NULL },
    { "PendingVerification",                 FAULT_CLOUD_LIMIT,     false, NOTHING, "the account is being verified; the provider mails when it is, mostly within hours" },
    /* Credentials, permissions, our clock. */
    { "AuthFailure",                         FAULT_CLOUD_DENIED,    false, CLOCK, NULL },
    { "RequestExpired",                      FAULT_CLOUD_DENIED,    false, CLOCK, "the keys have ended (their session token), or this machine's clock is wrong" },
    { "RequestTimeTooSkewed",                FAULT_CLOUD_DENIED,    false, CLOCK, "the request's time is not the provider's" },
    { "SignatureDoesNotMatch",               FAULT_CLOUD_DENIED,    false, CLOCK, "the secret key does not belong to the key id, or our clock is wrong" },
    { "InvalidSignature*",                   FAULT_CLOUD_DENIED,    false, CLOCK, "the secret key does not belong to the key id, or our clock is wrong" },
    { "IncompleteSignature*",                FAULT_CLOUD_DENIED,    false, NOTHING, "the signature is not understood" },
    { "ExpiredToken*",                       FAULT_CLOUD_DENIED,    false, CREDENTIALS, "the credentials have ended" },
    { "InvalidClientTokenId",                FAULT_CLOUD_DENIED,    false, CREDENTIALS, "the key id is not known to the provider" },
    { "UnrecognizedClient*",                 FAULT_CLOUD_DENIED,    false, CREDENTIALS, "the key id is not known to the provider" },
    { "InvalidAccessKeyId",                  FAULT_CLOUD_DENIED,    false, CREDENTIALS, "the key id is not known to the provider" },
    { "MissingAuthenticationToken",          FAULT_CLOUD_DENIED,    false, NOTHING, NULL },
    { "UnauthorizedOperation",               FAULT_CLOUD_DENIED,    false, NOTHING, NULL },
    { "AccessDenied*",                       FAULT_CLOUD_DENIED,    false, NOTHING, NULL },
    { "NotAuthorized*",                      FAULT_CLOUD_DENIED,    false, NOTHING, NULL },
    { "OptInRequired",                       FAULT_CLOUD_DENIED,    false, NOTHING, "the account has not agreed to the image's terms (AWS Marketplace), or not enabled the region" },
    { "OperationNotPermitted",               FAULT_CLOUD_DENIED,    false, NOTHING, NULL },
    { "Blocked",                             FAULT_CLOUD_DENIED,    false, NOTHING, "the account is blocked: the provider's support tells why" },
    /* What was asked for was there, and is not any more. */
    { "IdempotentInstanceTerminated",        FAULT_MACHINE_GONE,    false, NOTHING, NULL },
    { "InvalidInstanceID.NotFound",          FAULT_MACHINE_GONE,    false, NOTHING, NULL },
    /* An earlier launch with this token asked for something else: a machine of it may be there. */
    { "IdempotentParameterMismatch",         FAULT_CLOUD_UNSURE,    false, NOTHING, NULL },
    /* It failed. A launch may have been done all the same. */
    { "Internal*",                           FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    { "ServiceUnavailable*",                 FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    { "Unavailable",                         FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    { "ServerInternal",                      FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    { "RequestTimeout*",                     FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    /* It is in between, and will be in another state in a moment. */
    { "IncorrectInstanceState",              FAULT_CLOUD_FAILED,    true,  NOTHING, NULL },
    { "ConcurrentTagAccess",                 FAULT_CLOUD_FAILED,    false, NOTHING, NULL },
    /* The request is wrong. */
    { "Invalid*",                            FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "Missing*",                            FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "Malformed*",                          FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "Unknown*",                            FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "Validation*",                         FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "VPCIdNotSpecified",                   FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
    { "UnsupportedOperation",                FAULT_CLOUD_REFUSED,   false, NOTHING, NULL },
};

/* Codes that no rule names. */
static const struct ec2_rule ec2_fault_client = { "", FAULT_CLOUD_REFUSED, false, NOTHING, NULL };
static const struct ec2_rule ec2_fault_server = { "", FAULT_CLOUD_FAILED,  false, NOTHING, NULL };
static const struct ec2_rule ec2_fault_slower = { "", FAULT_CLOUD_THROTTLED, true, NOTHING, NULL };
static const struct ec2_rule ec2_fault_denied = { "", FAULT_CLOUD_DENIED,  false, NOTHING, NULL };
/* clang-format on */

/* At most one '*', which stands for anything. */
static bool
ec2_fault_fits(const char *pattern, const char *code)
{
    size_t head = strcspn(pattern, "*");
    size_t tail = pattern[head] ? strlen(pattern + head + 1) : 0;
    size_t len = strlen(code);

    if (!pattern[head])
        return strcmp(pattern, code) == 0;
    return len >= head + tail && strncmp(pattern, code, head) == 0 &&
           strcmp(pattern + head + 1, code + len - tail) == 0;
}

const struct ec2_rule *
ec2_fault_rule(const struct ec2_error *error)
{
    for (size_t i = 0; error->code[0] && i < ARRAY_LEN(ec2_fault_rules); i++) {
        if (ec2_fault_fits(ec2_fault_rules[i].code, error->code))
            return &ec2_fault_rules[i];
    }
    if (error->code[0] == '\0' && error->status == 429)
        return &ec2_fault_slower;
    if (error->code[0] == '\0' && (error->status == 401 || error->status == 403))
        return &ec2_fault_denied;
    return error->status >= 400 && error->status < 500 ? &ec2_fault_client : &ec2_fault_server;
}

static void
ec2_fault_copy(char *ret_text, size_t size, const char *text)
{
    (void)snprintf(ret_text, size, "%.*s", (int)text_utf8_len(text, strnlen(text, size - 1)), text);
    text_utf8_clean(ret_text, false);
}

bool
ec2_fault_read(const char *body, size_t len, struct ec2_error *ret_error)
{
    CLEANUP(ec2_xml_freep) struct ec2_xml *xml = NULL;
    struct ec2_node root;
    struct ec2_node error;
    const char *id;

    ret_error->code[0] = ret_error->message[0] = ret_error->request_id[0] = '\0';
    if (ec2_xml_parse(body, len, &xml, NULL) < 0)
        return false;
    root = ec2_xml_root(xml);
    error = ec2_xml_find(root, "Errors/Error");
    if (!error.xml)
        error = ec2_xml_find(root, "Error"); /* the security token service has no list */
    id = ec2_xml_text(root, "RequestID");
    ec2_fault_copy(ret_error->code, sizeof(ret_error->code), ec2_xml_text(error, "Code"));
    ec2_fault_copy(ret_error->message, sizeof(ret_error->message), ec2_xml_text(error, "Message"));
    ec2_fault_copy(ret_error->request_id, sizeof(ret_error->request_id),
                   *id ? id : ec2_xml_text(root, "RequestId"));
    return ret_error->code[0] != '\0';
}

bool
ec2_fault_permission(const struct ec2_error *error, size_t size, char *ret_name)
{
    static const char before[] = "to perform: ";
    const char *at = strstr(error->message, before);
    size_t len = at ? strcspn(at + strlen(before), " ,") : 0;

    if (len > 0 && len < size) {
        (void)snprintf(ret_name, size, "%.*s", (int)len, at + strlen(before));
    } else if (error->action) {
        (void)snprintf(ret_name, size, "ec2:%s", error->action);
    } else {
        return false;
    }
    return true;
}

/* Its message is long, and says what lacks behind what would be cut. */
static bool
ec2_fault_is_permission(const struct ec2_error *error)
{
    return ec2_fault_fits("UnauthorizedOperation", error->code) ||
           ec2_fault_fits("AccessDenied*", error->code);
}

int
ec2_fault_set(const struct ec2_error *error, const char *where, struct fault *fault)
{
    const struct ec2_rule *rule = ec2_fault_rule(error);
    const char *words = rule->words ? rule->words : error->message;
    char code[sizeof(error->code)];
    char name[PERMISSION_SIZE];
    char lacks[PERMISSION_SIZE + 40];

    (void)snprintf(code, sizeof(code), "%s", error->code);
    if (!code[0])
        (void)snprintf(code, sizeof(code), "HTTP status %d", error->status);
    if (ec2_fault_is_permission(error) && ec2_fault_permission(error, sizeof(name), name)) {
        (void)snprintf(lacks, sizeof(lacks), "the keys lack the permission %s", name);
        words = lacks;
    }
    (void)fault_set(fault, rule->kind, where, "%s%s%.*s%s%s%s", code, *words ? ": " : "",
                    (int)text_utf8_len(words, strnlen(words, MESSAGE_SHOWN)), words,
                    error->request_id[0] ? " (request " : "", error->request_id,
                    error->request_id[0] ? ")" : "");
    if (fault)
        fault->remote_code = error->status;
    return -1;
}
